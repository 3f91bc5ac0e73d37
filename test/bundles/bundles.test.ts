/**
 * A program as bundlers and tracers of files leave it: everything that is loaded later is there, and threads and processes start from one file.
 */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BANNER, describeWithTools, EVERYTHING, esbuild, everything, placeOf, project, rollDown, stuck, trace } from './support.ts';

const { folder, start } = project();

function esbuilt(format: 'esm' | 'cjs', file: string, ...more: readonly string[]): string {
  esbuild(folder, 'program.mjs', `--format=${format}`, `--outfile=${file}`, ...more);
  return join(folder, file);
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
    const program = start(await command(), { handlerTimeout: 1500, threads: 1 });
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

describeWithTools('a program bundled by esbuild as an ES module', () => {
  runsFrom(() => esbuilt('esm', 'esbuild/program.mjs', '--sourcemap', BANNER));
});

describeWithTools('a program bundled by esbuild as CommonJS', () => {
  runsFrom(() => esbuilt('cjs', 'esbuild/program.cjs'));
});

describe('a program bundled by rolldown', () => {
  runsFrom(async () => join(await rollDown(folder, ['program.mjs'], 'rolldown'), 'program.js'));
});

describeWithTools('a program traced by @vercel/nft and copied elsewhere', () => {
  runsFrom(() => join(trace(folder, ['program.mjs']), 'program.mjs'));
});
