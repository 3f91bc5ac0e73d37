/** What is left behind by calls that fail, in a process of its own. */
import { describe, expect, it } from 'vitest';
import { Program } from '../support/program.ts';

interface Held {
  readonly here: { readonly heap: number; readonly handles: number };
  readonly there: { readonly heap: number; readonly handles: number; readonly open: number };
  readonly threads: number;
}

/** Bytes: a hundred for each of the 8,000 calls between would be 800,000. Compiled code comes and goes meanwhile. */
const NOISE = 600_000;

describe('10,000 calls without await that fail in every way', () => {
  it('leave no handle, thread, port, or memory behind, in the thread that calls and in the I/O thread', async () => {
    const program = new Program(process.execPath, ['--expose-gc', 'test/blocking/fixtures/leaks.mjs']);
    expect(await program.ended, program.stderr).toBe(0);
    const [early, late] = program.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Held) as [Held, Held];
    expect(late.threads).toBe(early.threads);
    expect([late.here.handles, late.there.handles, late.there.open]).toEqual([early.here.handles, early.there.handles, 0]);
    expect(late.here.heap - early.here.heap).toBeLessThan(NOISE);
    expect(late.there.heap - early.there.heap).toBeLessThan(NOISE);
  });
});
