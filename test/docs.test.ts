/**
 * Every `ts` block of the readme and the docs compiles, as a reader would paste it: each a module of its own, against the built package.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type Block, blocksOf } from './support/blocks.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const WORK = join(ROOT, '.build', 'docs');

const PAGES = ['README.md', ...markdownBelow('docs')];
const BLOCKS = PAGES.flatMap((page) => blocksOf(page, readFileSync(join(ROOT, page), 'utf8')));

describe('the ts blocks of the docs', () => {
  it('are there', () => {
    expect(BLOCKS.filter((block) => block.page === 'README.md' && isCode(block)).length).toBeGreaterThan(0);
  });

  it('are marked ts, or ts fragment when they are only signatures, or with the name of a file, and never ignored', () => {
    const odd = BLOCKS.filter(
      (block) =>
        /^(?:ts|typescript|js|javascript|tsx)\b/.test(block.info) && !isCode(block) && block.info !== 'ts fragment' && !isFile(block),
    );
    expect(odd.map((block) => `${block.page}:${block.line} is marked "${block.info}"`)).toEqual([]);
  });

  it('compile', { timeout: 200_000 }, () => {
    const code = BLOCKS.filter(isCode);
    expect(compile(code.filter((block) => !isForBrowser(block)))).toEqual([]);
    expect(compile(code.filter(isForBrowser), { skipLibCheck: true })).toEqual([]);
  });
});

describe('the links of the docs', () => {
  it('lead to files that are there, and to headings that are there', () => {
    const broken: string[] = [];
    for (const page of PAGES) {
      for (const [, target = ''] of readFileSync(join(ROOT, page), 'utf8').matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        const [path = '', anchor] = target.split('#');
        const file = path === '' ? page : join(dirname(page), path);
        if (!existsSync(join(ROOT, file))) broken.push(`${page}: ${target}`);
        else if (anchor !== undefined && !headingsOf(file).includes(anchor)) broken.push(`${page}: ${target}, no such heading`);
      }
    }
    expect(broken).toEqual([]);
  });
});

describe('the scan for blocks', () => {
  it('knows fences of any length, indentation, and lines', () => {
    const text = [
      '# A',
      '```ts',
      'a();',
      '```',
      '````md',
      '```ts',
      'no',
      '```',
      '````',
      '- item',
      '  ```ts fragment',
      '  b();',
      '  ```',
      '',
    ].join('\n');
    expect(blocksOf('a.md', text)).toEqual([
      { page: 'a.md', line: 3, info: 'ts', code: 'a();' },
      { page: 'a.md', line: 6, info: 'md', code: '```ts\nno\n```' },
      { page: 'a.md', line: 12, info: 'ts fragment', code: 'b();' },
    ]);
  });

  it('reports an error at the line of the page', { timeout: 200_000 }, () => {
    const [message, ...others] = compile([
      { page: 'docs/a.md', line: 10, info: 'ts', code: 'const one = 1;\nconst two: string = one;\nvoid two;' },
    ]);
    expect(message).toBe("docs/a.md:11 TS2322: Type 'number' is not assignable to type 'string'.");
    expect(others).toEqual([]);
  });
});

function isCode(block: Block): boolean {
  return block.info === 'ts';
}

/** Its library does not compile without the types of a browser, which no program of ours has. */
function isForBrowser({ code }: Block): boolean {
  return /from '(?:playwright-core|graphql-yoga|@trpc\/server|better-auth)'/.test(code);
}

/** A file of the project on this page, which test/package/first-project.test.ts builds as a whole. */
function isFile({ page, info }: Block): boolean {
  return page === 'docs/first-project.md' && /^ts src\/[\w.]+$/.test(info);
}

function markdownBelow(directory: string): string[] {
  if (!existsSync(join(ROOT, directory))) return [];
  const names = readdirSync(join(ROOT, directory), { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(directory, name))
    .toSorted();
}

/** Compiles each block as a module, all in one process, and gives the errors by page and line. */
function compile(blocks: readonly Block[], more: Readonly<Record<string, unknown>> = {}): string[] {
  rmSync(WORK, { recursive: true, force: true });
  mkdirSync(WORK, { recursive: true });
  for (const [index, block] of blocks.entries()) writeFileSync(join(WORK, `${index}.ts`), `${block.code}\nexport {};\n`);
  const compilerOptions = {
    rootDir: '.',
    noEmit: true,
    declaration: false,
    declarationDir: null,
    isolatedDeclarations: false,
    noUnusedLocals: false,
    noUnusedParameters: false,
    noPropertyAccessFromIndexSignature: false,
    ...more,
  };
  writeFileSync(join(WORK, 'tsconfig.json'), JSON.stringify({ extends: '../../tsconfig.json', compilerOptions, include: ['*.ts'] }));
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', '.', '--pretty', 'false'],
    {
      cwd: WORK,
      encoding: 'utf8',
      timeout: 180_000,
    },
  );
  if (status === 0) return [];
  const errors = stdout.split('\n').map((line) => /^(\d+)\.ts\((\d+),\d+\): error (.+)$/.exec(line));
  const messages = errors.flatMap((error) => {
    const block = blocks[Number(error?.[1])];
    return block ? [`${block.page}:${block.line + Number(error?.[2]) - 1} ${error?.[3]}`] : [];
  });
  return messages.length > 0 ? messages : [`tsc ended with ${status}: ${stdout}${stderr}`];
}

/** The anchors of a page, made of its headings as GitHub does. */
function headingsOf(page: string): string[] {
  const headings = readFileSync(join(ROOT, page), 'utf8').matchAll(/^#+ (.+)$/gm);
  return [...headings].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
