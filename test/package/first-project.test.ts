/** A newcomer who follows docs/first-project.md to the letter, with what npm would publish. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { accepting, freePort, Program } from '../support/program.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const WORK = mkdtempSync(join(tmpdir(), 'filrouge-first-'));
const PAGE = readFileSync(join(ROOT, 'docs', 'first-project.md'), 'utf8');
/** The files of the page: name and content. */
const FILES = [...PAGE.matchAll(/^```\w+ ([\w./]+)\n([\s\S]*?)^```$/gm)].map(([, name = '', content = '']) => ({ name, content }));

/** All but those whose declarations need those of another package. */
const DOORS = Object.keys((JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { exports: object }).exports)
  .filter((door) => !['./package.json', './socket.io', './opentelemetry'].includes(door))
  .map((door) => `filrouge${door.slice(1)}`);

function run(...args: readonly string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: WORK, encoding: 'utf8', timeout: 60_000 });
  return { status, output: stdout + stderr };
}

beforeAll(() => {
  if (!existsSync(join(ROOT, 'dist', 'index.js'))) throw new Error('There is no dist: run "npm run build" first');
  writeFileSync(join(WORK, 'package.json'), '{ "name": "hello", "type": "module" }');
  for (const { name, content } of FILES) {
    mkdirSync(dirname(join(WORK, name)), { recursive: true });
    writeFileSync(join(WORK, name), content);
  }
  mkdirSync(join(WORK, 'node_modules', '@types'), { recursive: true });
  symlinkSync(ROOT, join(WORK, 'node_modules', 'filrouge'));
  for (const name of ['typescript', '@types/node', 'undici-types']) {
    symlinkSync(join(ROOT, 'node_modules', name), join(WORK, 'node_modules', name));
  }
});
afterAll(() => rmSync(WORK, { recursive: true }));

const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');

it('has the files that the page shows', () => {
  expect(FILES.map(({ name }) => name)).toEqual(['tsconfig.json', 'src/app.ts', 'src/server.ts', 'src/app.test.ts']);
});

it('compiles, passes its tests, and serves', async () => {
  expect(run(TSC, '-p', '.')).toEqual({ status: 0, output: '' });
  const tested = run('--test', 'dist/app.test.js');
  expect(tested.output).toMatch(/pass 2\b/);
  expect(tested.status).toBe(0);

  const port = await freePort();
  const program = new Program(process.execPath, ['--enable-source-maps', join(WORK, 'dist/server.js')], { PORT: String(port) });
  await program.prints(/serving on/);
  await accepting(port);
  const response = await fetch(`http://localhost:${port}/hello/ada`);
  expect([response.status, await response.text()]).toEqual([200, 'hello, ada']);
});

it('compiles without a word about types, which are those of Node', () => {
  writeFileSync(
    join(WORK, 'tsconfig.bare.json'),
    JSON.stringify({ compilerOptions: { module: 'nodenext', noEmit: true }, files: ['src/app.ts'] }),
  );
  expect(run(TSC, '-p', 'tsconfig.bare.json')).toEqual({ status: 0, output: '' });
});

it('compiles with the newest declarations of Node, which npm installs today, all of ours looked at', () => {
  const own = join(WORK, 'newest');
  const modules = join(own, 'node_modules');
  mkdirSync(join(modules, '@types'), { recursive: true });
  mkdirSync(join(modules, 'filrouge'));
  for (const name of ['dist', 'package.json']) symlinkSync(join(ROOT, name), join(modules, 'filrouge', name));
  const newest = join(ROOT, 'node_modules/newest-node-types');
  symlinkSync(newest, join(modules, '@types/node'));
  symlinkSync(join(newest, 'node_modules/undici-types'), join(modules, 'undici-types'));
  const compilerOptions = { target: 'es2023', module: 'nodenext', strict: true, noEmit: true, preserveSymlinks: true, skipLibCheck: false };
  writeFileSync(join(own, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(own, 'doors.ts'), DOORS.map((door) => `export type * from '${door}';\n`).join(''));
  writeFileSync(join(own, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['doors.ts'] }));
  expect(run(TSC, '-p', own)).toEqual({ status: 0, output: '' });
});
