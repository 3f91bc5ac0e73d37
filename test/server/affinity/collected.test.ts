import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { ProtocolError } from '../../../src/http/errors/protocol-error.ts';
import { CollectedBody } from '../../../src/server/affinity/collected.ts';
import { DiskBudget } from '../../../src/server/body/disk-budget.ts';
import { MemoryBudget } from '../../../src/server/body/memory-budget.ts';
import type { Service } from '../../../src/server/service.ts';
import { deferred } from '../../support/serve.ts';

const KiB = 1024;

/** Collects pieces. @returns What has become of the body, and how many bytes were reported as taken. */
async function collect(
  pieces: readonly Buffer[],
  memory: number,
  disk: number,
): Promise<{ body: Buffer; error: ProtocolError | undefined; taken: number }> {
  const service = {
    options: { bodyMemory: 64 * KiB },
    memory: new MemoryBudget(memory),
    disk: new DiskBudget(disk),
  } as Service;
  let taken = 0;
  const { promise, resolve } = deferred<ProtocolError | undefined>();
  const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const collected = new CollectedBody(size, service, {
    onTaken: (count) => {
      taken += count;
    },
    onBody: (_body, error) => resolve(error),
  });
  for (const piece of pieces) collected.add(piece);
  collected.end();
  const error = await promise;
  const body = error ? Buffer.alloc(0) : Buffer.from(collected.incoming.finish().bytes());
  collected.close();
  return { body, error, taken };
}

describe('the body of a request that was passed on', () => {
  const pieces = Array.from({ length: 40 }, () => randomBytes(50 * KiB));

  it('is collected in memory where there is room', async () => {
    const { body, error, taken } = await collect(pieces, 64 * KiB * KiB, 0);
    expect([error, taken, body.equals(Buffer.concat(pieces))]).toEqual([undefined, 2000 * KiB, true]);
  });

  it('is collected on disk where there is none, piece after piece although all have come at once', async () => {
    const { body, error, taken } = await collect(pieces, 0, 64 * KiB * KiB);
    expect([error, taken, body.equals(Buffer.concat(pieces))]).toEqual([undefined, 2000 * KiB, true]);
  });
});
