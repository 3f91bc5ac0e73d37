/**
 * A program as bundlers and tracers of files leave it: everything that is loaded later is there, and threads and processes start from one file.
 */
import { cpSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { rolldown } from 'rolldown';
import { describe, expect, it } from 'vitest';
import { describeWithTools, EVERYTHING, everything, placeOf, project, runTool, scriptOf, stuck } from './support.ts';

const { folder, start } = project();

/** As docs/bundles.md says: packages in CommonJS ask for modules of Node. */
const BANNER = "--banner:js=import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

function esbuild(format: 'esm' | 'cjs', file: string, ...more: readonly string[]): string {
  const args = ['program.mjs', '--bundle', '--platform=node', `--format=${format}`, `--outfile=${file}`, '--log-level=warning', ...more];
  const printed = runTool(folder, process.execPath, scriptOf('esbuild'), ...args);
  expect(printed).toBe(''); // no warning
  return join(folder, file);
}

/** Copies the traced files to a folder of their own. */
function traced(): string {
  const target = join(folder, 'traced');
  const printed = runTool(folder, process.execPath, scriptOf('nft'), 'print', 'program.mjs');
  const [, list = ''] = /FILELIST:\n(.*?)\n\n/s.exec(printed) ?? [];
  for (const file of new Set([...list.split('\n'), 'package.json'])) {
    mkdirSync(dirname(join(target, file)), { recursive: true });
    cpSync(join(folder, file), join(target, file));
  }
  return join(target, 'program.mjs');
}

async function rolledDown(): Promise<string> {
  const bundle = await rolldown({ cwd: folder, input: 'program.mjs', platform: 'node' });
  await bundle.write({ dir: join(folder, 'rolldown'), format: 'esm' });
  return join(folder, 'rolldown/program.js');
}

/** Three servers from one file: alone, with a handler thread, with a worker process. In each, a handler that never returns is noticed. */
function runsFrom(prepare: () => string | Promise<string>): void {
  let file: Promise<string> | undefined;
  const command = async (): Promise<string[]> => [process.execPath, await (file ??= Promise.resolve(prepare()))];

  it('answers with every helper, and says where a handler stands', async () => {
    const program = start(await command(), { handlerTimeout: 700 });
    const [, origin = ''] = await program.prints(/single listens on (http\S+)/);
    expect(await everything(origin)).toEqual(EVERYTHING);
    void stuck(origin);
    await program.prints(/GET "\/stuck" has taken \d+ ms and stands at answer \(.*program\.\w+:\d+:\d+\)/);
  });

  it('calls the handler in threads, and replaces one that is stuck', async () => {
    const program = start(await command(), { handlerTimeout: 700, threads: 1 });
    const [, origin = ''] = await program.prints(/single listens on (http\S+)/);
    expect(await placeOf(origin)).toEqual({ pid: program.pid, isMainThread: false });
    expect(await stuck(origin)).toBe(503);
    await program.prints(/GET "\/stuck" has taken \d+ ms and stands at answer \(.*program\.\w+:\d+:\d+\); its thread is replaced/);
  });

  it('serves with worker processes, and replaces one that is stuck', async () => {
    const program = start(await command(), { handlerTimeout: 700, workers: 1 });
    const [, origin = ''] = await program.prints(/primary listens on (http\S+)/);
    expect((await placeOf(origin)).pid).not.toBe(program.pid);
    expect(await stuck(origin)).toBeUndefined();
    await program.prints(/stands at answer \(.*program\.\w+:\d+:\d+\); its worker \d+ is replaced\n(?:.*\n)*.*worker \d+ is ready/);
  });
}

describeWithTools('a program bundled by esbuild as an ES module', { timeout: 60_000 }, () => {
  runsFrom(() => esbuild('esm', 'esbuild/program.mjs', '--sourcemap', BANNER));
});

describeWithTools('a program bundled by esbuild as CommonJS', { timeout: 60_000 }, () => {
  runsFrom(() => esbuild('cjs', 'esbuild/program.cjs'));
});

describe('a program bundled by rolldown', { timeout: 60_000 }, () => {
  runsFrom(rolledDown);
});

describeWithTools('a program traced by @vercel/nft and copied elsewhere', { timeout: 60_000 }, () => {
  runsFrom(traced);
});
