import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { preloads } from '../../src/blocking/inside/preloads.ts';
import { Program } from '../support/program.ts';

it('what --import names is found, whichever way it is written, and that of NODE_OPTIONS comes first', () => {
  expect(preloads([], undefined)).toEqual([]);
  expect(preloads(['--no-warnings', '--import', './a.js', '--import=b'], '--import "./with \\"space\\".js" -r c --import=d')).toEqual([
    './with "space".js',
    'd',
    './a.js',
    'b',
  ]);
});

it('an I/O thread loads what node --import names, before its module', async () => {
  const preload = 'data:text/javascript,globalThis.preloaded="before the module"';
  const fixture = fileURLToPath(new URL('fixtures/preloaded.mjs', import.meta.url));
  const program = new Program(process.execPath, ['--import', preload, fixture]);
  await program.prints(/^the I\/O thread has: before the module$/m);
  expect(await program.ended).toBe(0);
});
