import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { RequestBody } from '../../src/http/body/request-body.ts';
import { type Request, Response } from '../../src/index.ts';
import { DiskBudget } from '../../src/server/body/disk-budget.ts';
import { IncomingBody } from '../../src/server/body/incoming-body.ts';
import { MemoryBudget, shareOfMemory } from '../../src/server/body/memory-budget.ts';
import { deferred, serve, talk } from '../support/serve.ts';
import { until } from '../support/until.ts';

const KiB = 1024;
const UNKNOWN = -1;

/** A body on its way in, small up to 64 bytes, and whatever becomes ready. */
class Body {
  readonly incoming: IncomingBody;
  error: Error | undefined;
  #onReady: () => void = () => {};

  constructor(announced: number, room: MemoryBudget, disk: DiskBudget = new DiskBudget(Number.POSITIVE_INFINITY)) {
    this.incoming = new IncomingBody(announced, 100_000, 64, room, disk, false, (error) => {
      this.error = error;
      this.#onReady();
    });
  }

  /** Adds bytes and waits until more may come. */
  async add(bytes: Buffer): Promise<void> {
    const ready = new Promise<void>((resolve) => {
      this.#onReady = resolve;
    });
    const passing = Buffer.from(bytes);
    this.incoming.add(passing);
    passing.fill(0); // the buffer of a socket is used again
    if (this.incoming.isBusy) await ready;
  }

  async whole(bytes: Buffer, piece: number): Promise<RequestBody> {
    for (let at = 0; at < bytes.length; at += piece) await this.add(bytes.subarray(at, at + piece));
    return this.incoming.finish();
  }
}

describe('MemoryBudget', () => {
  it('has room for what fits beside the others, and is at most a quarter', () => {
    const room = new MemoryBudget(100);
    const taken = [26, 24, 24, 24, 24, 8, 4].map((size) => room.take(size));
    expect(taken.map((bytes) => bytes?.length)).toEqual([undefined, 24, 24, 24, 24, undefined, 4]);
    room.giveBack(taken[1] as Buffer, true);
    expect(room.fits(24)).toBe(true);
  });

  it('has none for large bodies while small ones take it all, which are never refused', () => {
    const room = new MemoryBudget(100);
    room.used += 1000;
    expect(room.fits(1)).toBe(false);
  });

  it('gives memory again that nobody else has seen, and keeps no more of it than there is room for', () => {
    const room = new MemoryBudget(100);
    const bytes = [24, 24, 24].map((size) => room.take(size) as Buffer);
    room.giveBack(bytes[0] as Buffer, false);
    expect(room.take(24)).not.toBe(bytes[0]);
    room.giveBack(bytes[1] as Buffer, true);
    expect(room.take(23)).toBe(bytes[1]); // of about the same size
    room.giveBack(bytes[1] as Buffer, true);
    room.used += 80; // small bodies, which take what was kept
    expect(room.take(8)).toBeUndefined();
    room.used -= 40;
    expect(room.take(4)).toHaveLength(4);
    expect(room.take(8)).toHaveLength(8);
    room.used -= 40;
    expect(room.take(24)).not.toBe(bytes[1]);
  });

  it('is by default at most 64 MiB, and a part of the memory that the machine or the container has', () => {
    expect(shareOfMemory(1)).toBeGreaterThan(KiB * KiB);
    expect(shareOfMemory(1)).toBeLessThanOrEqual(64 * KiB * KiB);
    const limit = vi.spyOn(process, 'constrainedMemory').mockReturnValue(64 * KiB * KiB);
    onTestFinished(() => limit.mockRestore());
    expect([shareOfMemory(0), shareOfMemory(1), shareOfMemory(4)]).toEqual([4 * KiB * KiB, 4 * KiB * KiB, KiB * KiB]);
  });
});

describe('a body on its way in', () => {
  it('takes nothing for what is announced before more than a small body of it has come', async () => {
    const room = new MemoryBudget(10_000);
    const body = new Body(2000, room);
    expect(room.used).toBe(0);
    await body.add(randomBytes(60));
    expect(room.used).toBe(60);
    await body.add(randomBytes(60));
    expect(room.used).toBe(2048);
    body.incoming.close();
    body.incoming.close();
    expect(room.used).toBe(0);
  });

  it.each([
    ['announced', 2000],
    ['not announced', UNKNOWN],
  ])('rests in memory when it is large and there is room: %s', async (_what, announced) => {
    const room = new MemoryBudget(10_000);
    const body = new Body(announced, room);
    const bytes = randomBytes(2000);
    const whole = await body.whole(bytes, 100);
    expect(whole.isInMemory).toBe(true);
    expect(whole.bytes().equals(bytes)).toBe(true);
    expect(room.used).toBe(2048);
    body.incoming.close();
    expect(room.used).toBe(0);
  });

  it.each([
    ['announced', 3000],
    ['not announced', UNKNOWN],
  ])('goes to disk when it is more than a quarter of the room, and takes no more memory then: %s', async (_what, announced) => {
    const room = new MemoryBudget(10_000);
    const body = new Body(announced, room);
    const bytes = randomBytes(3000);
    const whole = await body.whole(bytes, 100);
    expect(whole.isInMemory).toBe(false);
    expect(whole.bytes().equals(bytes)).toBe(true);
    expect(room.used).toBe(0);
    body.incoming.close();
    expect(room.used).toBe(0);
  });

  it('is gone when its exchange is over, as on disk, so that whoever keeps the request keeps no memory', async () => {
    const body = new Body(200, new MemoryBudget(10_000));
    const whole = await body.whole(randomBytes(200), 50);
    body.incoming.close();
    expect(() => whole.bytes()).toThrow(expect.objectContaining({ code: 'body-is-gone' }) as Error);
    expect(whole.size).toBe(200);
  });

  it('leaves its memory to the next one, unless its handler may have kept it', async () => {
    const room = new MemoryBudget(10_000);
    for (const isKept of [false, true]) {
      const first = new Body(200, room);
      const whole = await first.whole(Buffer.alloc(200, 'a'), 50);
      const kept = isKept ? whole.bytes() : Buffer.concat([...whole.chunks()]);
      expect(whole.text()).toBe('a'.repeat(200));
      first.incoming.close();
      const next = new Body(200, room);
      await next.whole(Buffer.alloc(200, 'b'), 50);
      expect(String(kept)).toBe('a'.repeat(200));
      next.incoming.close();
    }
  });

  it('takes its room until a thread that has a copy lets go of it', async () => {
    const room = new MemoryBudget(10_000);
    const body = new Body(200, room);
    const whole = await body.whole(randomBytes(200), 50);
    const letGo = whole.retain() as () => void;
    body.incoming.close();
    expect(room.used).toBe(224);
    letGo();
    letGo();
    expect(room.used).toBe(0);
  });

  it('that is left while it goes to disk takes its room until it is there', async () => {
    const room = new MemoryBudget(10_000);
    const body = new Body(UNKNOWN, room);
    for (let i = 0; i < 20; i++) await body.add(randomBytes(100));
    body.incoming.add(randomBytes(100));
    expect(body.incoming.isBusy).toBe(true);
    body.incoming.close();
    expect(room.used).toBe(2048);
    await until(
      () => (room.used === 0 ? true : undefined),
      () => 'the end of the write',
    );
    expect(body.error).toBeUndefined();
  });

  it('is refused with 503 when it outgrows its memory and others take the room on disk, and gives everything back', async () => {
    const room = new MemoryBudget(10_000);
    const disk = new DiskBudget(100);
    disk.open();
    disk.take(100);
    const body = new Body(UNKNOWN, room, disk);
    for (let i = 0; i < 20; i++) await body.add(randomBytes(100));
    expect(() => body.incoming.add(randomBytes(100))).toThrow(expect.objectContaining({ status: 503 }) as Error);
    body.incoming.close();
    expect(room.used).toBe(0);
    disk.close(100);
    expect(() => disk.expect(100_000)).not.toThrow();
  });

  it('holds no more than the bound together with all others, whatever comes, and every byte of it is right', async () => {
    const plan = fc.array(
      fc.record({ size: fc.nat(4000), piece: fc.integer({ min: 20, max: 1500 }), isAnnounced: fc.boolean(), leaves: fc.boolean() }),
      { minLength: 1, maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(plan, async (uploads) => {
        const room = new MemoryBudget(8000);
        let most = 0;
        await Promise.all(
          uploads.map(async ({ size, piece, isAnnounced, leaves }) => {
            const bytes = randomBytes(size);
            const body = new Body(isAnnounced ? size : UNKNOWN, room);
            const end = leaves ? size / 2 : size;
            for (let at = 0; at < end; at += piece) {
              await body.add(bytes.subarray(at, at + piece));
              most = Math.max(most, room.used);
              await Promise.resolve();
            }
            if (!leaves) expect(body.incoming.finish().bytes().equals(bytes)).toBe(true);
            body.incoming.close();
          }),
        );
        expect(most).toBeLessThanOrEqual(8000 + 64 * uploads.length);
        expect(room.used).toBe(0);
      }),
      { numRuns: 100 },
    );
  });
});

describe('the bodies in memory', () => {
  /** A server whose handlers wait, with room for four bodies of 100 KiB, and what is copied of one. */
  async function waiting(): Promise<{ port: number; seen: Request[]; mayAnswer: ReturnType<typeof deferred<void>> }> {
    const seen: Request[] = [];
    const mayAnswer = deferred<void>();
    const { port } = await serve(
      async (request) => {
        seen.push(request);
        const { isInMemory } = request.body;
        if (request.path === '/slow') await mayAnswer.promise;
        return Response.text(`${isInMemory} ${request.body.bytes().length}`);
      },
      { maxMemoryForBodies: 560 * KiB, threads: 0 },
    );
    return { port, seen, mayAnswer };
  }

  async function post(port: number, path: string): Promise<Awaited<ReturnType<typeof talk>>> {
    const client = await talk(port);
    client.send(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${100 * KiB}\r\n\r\n`);
    client.send(Buffer.alloc(100 * KiB));
    return client;
  }

  async function answerTo(port: number): Promise<string | undefined> {
    const client = await post(port, '/');
    const [answer] = await client.answers(1);
    client.socket.destroy();
    return answer?.body;
  }

  it('take no more than their bound together: what does not fit waits on disk, and is served as well', async () => {
    const { port, seen, mayAnswer } = await waiting();
    const slow = await Promise.all([1, 2, 3, 4].map(() => post(port, '/slow')));
    await until(
      () => (seen.length === 4 ? true : undefined),
      () => 'four handlers that wait',
    );
    expect(await answerTo(port)).toBe(`false ${100 * KiB}`);
    mayAnswer.resolve();
    for (const client of slow) expect(await client.answers(1)).toMatchObject([{ status: 200, body: `true ${100 * KiB}` }]);
    expect(await answerTo(port)).toBe(`true ${100 * KiB}`);
  });

  it('give their room back when their clients have left', async () => {
    const { port, seen } = await waiting();
    const slow = await Promise.all([1, 2, 3, 4].map(() => post(port, '/slow')));
    await until(
      () => (seen.length === 4 ? true : undefined),
      () => 'four handlers that wait',
    );
    for (const { socket } of slow) socket.destroy();
    await until(
      async () => ((await answerTo(port)) === `true ${100 * KiB}` ? true : undefined),
      () => 'the room of the clients that have left',
    );
  });

  it('stop a client that pipelines: nothing is read behind 256 KiB that wait for their answers', async () => {
    const { port, seen, mayAnswer } = await waiting();
    const client = await post(port, '/slow');
    const request = `POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: ${100 * KiB}\r\n\r\n${'x'.repeat(100 * KiB)}`;
    client.send(request.repeat(5));
    await until(
      () => (seen.length === 3 ? true : undefined),
      () => 'three requests',
    );
    expect(await answerTo(port)).toBe(`true ${100 * KiB}`); // other connections are read
    expect(seen.filter(({ path }) => path === '/slow')).toHaveLength(3);
    mayAnswer.resolve();
    const answers = await client.answers(6);
    expect(answers.map(({ body }) => body)).toEqual(Array.from({ length: 6 }, () => `true ${100 * KiB}`));
  });
});
