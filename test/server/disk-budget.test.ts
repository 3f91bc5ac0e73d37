import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { Response } from '../../src/index.ts';
import { DiskBudget, shareOfDisk } from '../../src/server/body/disk-budget.ts';
import { allClosedBelow, openBelow } from '../helpers/serve-dir/folder.ts';
import { type Served, serve, type Talk, talk } from '../support/serve.ts';
import { until } from '../support/until.ts';

/** How the names of bodies on disk begin. */
const SPOOLED = join(tmpdir(), 'filrouge-');

const KiB = 1024;

describe('DiskBudget', () => {
  it('refuses what does not fit beside other bodies, with 503, and takes it when they are gone', () => {
    const budget = new DiskBudget(100);
    budget.open();
    budget.take(60);
    const refusal = expect.objectContaining({ status: 503, code: 'storage-busy' }) as Error;
    expect(() => budget.expect(41)).toThrow(refusal);
    expect(() => budget.expect(40)).not.toThrow();
    budget.open();
    budget.take(40);
    expect(() => budget.take(1)).toThrow(refusal);
    budget.close(60);
    expect(() => budget.expect(61)).toThrow(refusal);
    expect(() => budget.expect(60)).not.toThrow();
  });

  it('takes a body that is alone, whatever its size', () => {
    const budget = new DiskBudget(100);
    expect(() => budget.expect(1000)).not.toThrow();
    budget.open();
    budget.take(1000);
    budget.take(1000);
    budget.close(2000);
    expect(() => budget.expect(1000)).not.toThrow();
  });
});

describe('shareOfDisk', () => {
  it('divides what is free among the processes', () => {
    expect(shareOfDisk(4)).toBeGreaterThan(0);
    expect(shareOfDisk(4)).toBeLessThanOrEqual(shareOfDisk(1));
    expect(shareOfDisk(0)).toBeGreaterThan(0);
  });

  it('is no bound when the temporary folder cannot be looked at: that is the error of the first body', () => {
    vi.stubEnv('TMPDIR', '/nonexistent');
    expect(shareOfDisk(4)).toBe(Number.POSITIVE_INFINITY);
    vi.unstubAllEnvs();
  });
});

describe('the bodies on disk', () => {
  /** A server with room for 1 MiB, and an upload that has brought 900 of its 950 KiB. */
  async function withUpload(): Promise<Served & { slow: Talk }> {
    const served = await serve((request) => Response.text(String(request.body.size)), {
      maxMemoryForBodies: 0,
      maxDiskForBodies: 1024 * KiB,
    });
    const slow = await talk(served.port);
    slow.send(`POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: ${950 * KiB}\r\n\r\n`);
    slow.send(Buffer.alloc(900 * KiB));
    await until(
      async () => ((await isWelcome(served.port, 200)) ? undefined : true),
      () => 'an upload that takes the room',
    );
    return { ...served, slow };
  }

  /** Whether a body would be taken: it is only announced, so that it takes no room from the others. @param size KiB. */
  async function isWelcome(port: number, size: number): Promise<boolean> {
    const client = await talk(port);
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ${size * KiB}\r\n\r\n`);
    const text = await client.until(/ 100 Continue\r\n| 503 /);
    client.socket.destroy();
    return text.includes(' 100 ');
  }

  /** @returns The status. @param size Of the body, KiB. */
  async function post(port: number, size: number, isChunked = false): Promise<number | undefined> {
    const client = await talk(port);
    const bytes = size * KiB;
    const length = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${bytes}`;
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${length}\r\n\r\n`);
    client.send(isChunked ? `${bytes.toString(16)}\r\n${'x'.repeat(bytes)}\r\n0\r\n\r\n` : Buffer.alloc(bytes));
    const [answer] = await client.answers(1);
    if (answer?.status === 503) expect(answer.headers['retry-after']).toBe('1');
    client.socket.destroy();
    return answer?.status;
  }

  it('take no more than their bound together: further ones get 503 with Retry-After, announced or not', async () => {
    const { port } = await withUpload();
    expect(await post(port, 200)).toBe(503);
    expect(await post(port, 200, true)).toBe(503);
  });

  it('do not keep out bodies that fit, or wait in memory', async () => {
    const { port, slow } = await withUpload();
    expect(await post(port, 70)).toBe(200);
    expect(await post(port, 64)).toBe(200);
    slow.send(Buffer.alloc(50 * KiB));
    expect(await slow.answers(1)).toMatchObject([{ status: 200, body: String(950 * KiB) }]);
  });

  it('give their room back when they are answered, refused, or left by their client', async () => {
    const { port, slow, server } = await withUpload();
    expect(openBelow(SPOOLED)).toBeGreaterThan(0);
    slow.socket.destroy();
    await until(
      async () => ((await post(port, 1000)) === 200 ? true : undefined),
      () => 'the room of the client that has left',
    );
    expect(await post(port, 1000)).toBe(200);
    await server.close({ timeout: 0 });
    await allClosedBelow(SPOOLED);
  });

  it('may be larger than the bound when they are alone', async () => {
    const { port } = await serve((request) => Response.text(String(request.body.size)), { maxMemoryForBodies: 0, maxDiskForBodies: 0 });
    expect(await post(port, 500)).toBe(200);
    expect(await post(port, 500, true)).toBe(200);
  });

  it('that need more than is left are refused on their way, and make room', async () => {
    const { port, slow } = await withUpload();
    const other = await talk(port);
    other.send(`POST /other HTTP/1.1\r\nHost: a\r\nContent-Length: ${100 * KiB}\r\n\r\n`);
    other.send(Buffer.alloc(90 * KiB));
    await until(
      async () => ((await isWelcome(port, 90)) ? undefined : true),
      () => 'a second upload that takes the rest',
    );
    slow.send(Buffer.alloc(49 * KiB));
    expect(await slow.answers(1)).toMatchObject([{ status: 503, headers: { 'retry-after': '1' } }]);
    expect(await post(port, 200)).toBe(200);
    other.send(Buffer.alloc(10 * KiB));
    expect(await other.answers(1)).toMatchObject([{ status: 200 }]);
  });
});
