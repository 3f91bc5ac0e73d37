/**
 * What npm would publish: the tarball is sound, and a project that has nothing but it, its dependencies and @types/node compiles and runs.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const WORK = mkdtempSync(join(tmpdir(), 'filrouge-package-'));
const CONSUMER = join(WORK, 'consumer');
const INSTALLED = join(CONSUMER, 'node_modules', 'filrouge');
let tarball = '';

const { exports: EXPORTS } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  exports: Record<string, { readonly types: string } | string>;
};
const DOORS = Object.keys(EXPORTS)
  .filter((name) => /^\.\/[a-z]+$/.test(name))
  .map((name) => `filrouge${name.slice(1)}`);

/** A consumer's program, in the types that it sees: every door is opened. */
const PROGRAM = `import { HttpError, Request, Response } from 'filrouge';
${DOORS.map((door, i) => `import * as door${i} from '${door}';`).join('\n')}

const doors: readonly object[] = [${DOORS.map((_, i) => `door${i}`).join(', ')}];
if (doors.some((door) => Object.keys(door).length === 0)) throw new Error('A door leads nowhere');

export function answer(request: Request): Response {
  if (request.method !== 'GET') throw new HttpError(405, 'Only GET');
  return Response.json({ path: request.path }).withHeader('X-Made-By', 'consumer');
}
process.stdout.write(\`\${answer(new Request({ target: '/a?b' })).text()}\\n\`);
`;

/** Runs a program with this Node and returns what it printed; a failure shows both streams. */
function run(cwd: string, ...args: readonly string[]): string {
  return finished(spawnSync(process.execPath, args, { cwd, encoding: 'utf8', timeout: 60_000 }));
}

function finished(result: { status: number | null; stdout: string; stderr: string }): string {
  if (result.status !== 0) throw new Error(`Command failed with status ${result.status}\n${result.stdout}\n${result.stderr}`);
  return result.stdout;
}

/** Copies a package and what it depends on out of the lock file's tree, so that nothing is fetched. */
function install(name: string): void {
  const target = join(CONSUMER, 'node_modules', name);
  if (existsSync(target)) return;
  cpSync(join(ROOT, 'node_modules', name), target, { recursive: true });
  for (const dependency of dependenciesOf(target)) install(dependency);
}

function dependenciesOf(directory: string): string[] {
  const { dependencies = {} } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as { dependencies?: object };
  return Object.keys(dependencies);
}

function writeConsumer(name: string, content: string): void {
  writeFileSync(join(CONSUMER, name), content);
}

beforeAll(() => {
  if (!existsSync(join(ROOT, 'dist', 'index.js'))) throw new Error('Cannot test the package: there is no dist, run "npm run build" first');
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', WORK];
  finished(spawnSync('npm', args, { cwd: ROOT, encoding: 'utf8', timeout: 60_000 }));
  tarball = join(WORK, readdirSync(WORK).find((name) => name.endsWith('.tgz')) ?? 'none');

  mkdirSync(INSTALLED, { recursive: true });
  finished(spawnSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', INSTALLED], { encoding: 'utf8' }));
  for (const name of [...dependenciesOf(INSTALLED), '@types/node', '@opentelemetry/api']) install(name); // the last one for its door
  writeConsumer('package.json', '{ "name": "consumer", "private": true, "type": "module" }');
  writeConsumer('program.ts', PROGRAM);
  const compilerOptions = {
    target: 'es2022',
    module: 'nodenext',
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    types: ['node'],
  };
  writeConsumer('tsconfig.json', JSON.stringify({ compilerOptions, files: ['program.ts'] }));
}, 120_000);

afterAll(() => rmSync(WORK, { recursive: true, force: true }));

describe('the packed tarball', { timeout: 60_000 }, () => {
  it('holds dist, the licences, the readme and the changelog, and nothing else', () => {
    const top = readdirSync(INSTALLED).toSorted();
    expect(top).toEqual(['CHANGELOG.md', 'LICENSE-APACHE', 'LICENSE-MIT', 'README.md', 'dist', 'docs', 'package.json']);
    const kinds = new Set(filesOf(join(INSTALLED, 'dist')).map((name) => /(?:\.d\.ts|\.js\.map|\.[a-z]+)$/.exec(name)?.[0]));
    expect(kinds).toEqual(new Set(['.d.ts', '.js', '.js.map', '.cjs']));
  });

  it('has nothing that publint minds', () => {
    run(ROOT, 'node_modules/publint/src/cli.js', tarball, '--strict');
  });

  it('resolves to the right types from ESM, from CommonJS and in bundlers (attw)', () => {
    run(ROOT, 'node_modules/@arethetypeswrong/cli/dist/index.js', tarball, '--profile', 'esm-only');
  });

  it('compiles in a strict project without skipLibCheck', () => {
    run(CONSUMER, join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', '.');
    expect(run(CONSUMER, 'program.js')).toBe('{"path":"/a"}\n');
  });

  it('can be required', () => {
    const code = "const { Response } = require('filrouge'); process.stdout.write(Response.text('hello').text());";
    writeConsumer('required.cjs', code);
    expect(run(CONSUMER, 'required.cjs')).toBe('hello');
  });

  it('declares its types with no package but Node, and that of the door which is for its users, by files that are there', () => {
    const declarations = Object.values(EXPORTS).flatMap((door) => (typeof door === 'string' ? [] : [door.types]));
    const dangling: string[] = [];
    for (const name of declarations) {
      for (const specifier of specifiersOf(readFileSync(join(INSTALLED, name), 'utf8'))) {
        if (specifier.startsWith('node:') || specifier === 'node') continue; // the second one: a reference to its types
        if (/^socket\.io(?:-adapter)?$/.test(specifier) && /(?:guests\/socket-io|\/socket\.io\.d)/.test(name)) continue;
        const file = join(dirname(name), specifier.replace(/\.[jt]s$/, '.d.ts'));
        if (!/^\.\.?\//.test(specifier) || !existsSync(join(INSTALLED, file))) dangling.push(`${name} mentions ${specifier}`);
        else if (!declarations.includes(file)) declarations.push(file); // is looked at in its turn
      }
    }
    expect(dangling).toEqual([]);
    expect(declarations.length).toBeGreaterThan(20);
  });
});

function filesOf(directory: string): string[] {
  const entries = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  return entries.filter((name) => statSync(join(directory, name)).isFile());
}

function specifiersOf(declarations: string): string[] {
  const found = declarations.matchAll(/(?:\bfrom|\bimport\(|\bimport|\btypes=)\s*(['"])([^'"\n]+)\1/g);
  return [...found].map((match) => match[2] ?? '');
}
