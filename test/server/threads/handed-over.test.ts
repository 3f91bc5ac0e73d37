import type { Transferable } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { handedOver } from '../../../src/server/threads/wire.ts';

describe('bytes that are posted to another thread or from it', () => {
  it('are a copy in memory of their own, however large the memory is that they are a slice of', () => {
    const pool = Buffer.alloc(8192, 'x');
    const slice = pool.subarray(100, 200);
    const posted = handedOver(slice, []);
    pool.fill('y');
    expect(Buffer.from(posted).toString()).toBe('x'.repeat(100));
    expect(posted.buffer.byteLength).toBe(100);
  });

  it('are handed over when they are large, and their sender keeps its own', () => {
    const transfer: Transferable[] = [];
    const bytes = Buffer.alloc(64 * 1024, 'x');
    const posted = handedOver(bytes, transfer);
    handedOver(bytes.subarray(0, 4096), transfer);
    expect(transfer).toEqual([posted.buffer]);
    structuredClone([posted], { transfer: [posted.buffer] });
    expect(posted).toHaveLength(0);
    expect(bytes.toString()).toBe('x'.repeat(64 * 1024));
  });
});
