import { randomBytes } from 'node:crypto';
import type { ClientHttp2Stream } from 'node:http2';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { OpenFile } from '../../../src/http/file/open-file.ts';
import { Response, serveDir } from '../../../src/index.ts';
import { READ_SIZE } from '../../../src/process/large-buffers.ts';
import { allClosedBelow, folderWith } from '../../helpers/serve-dir/folder.ts';
import { headOf, type Served2, serveHttp2 } from '../../support/http2.ts';
import { standsStill } from '../../support/until.ts';

const SMALL = 64 * 1024;
/** Many pieces, and the last is a short one. */
const SIZE = 2 * 1024 * 1024 + 12_345;

/** Serves two files of random bytes. @returns Their bytes, and how many each read has asked for. */
async function serveFiles(): Promise<Served2 & { folder: string; a: Buffer; b: Buffer; reads: () => number[] }> {
  const [a, b] = [randomBytes(SIZE), randomBytes(SIZE)];
  const folder = folderWith({ 'a.bin': a, 'b.bin': b });
  const read = vi.spyOn(OpenFile.prototype, 'read');
  onTestFinished(() => read.mockRestore());
  const served = await serveHttp2((request) => serveDir(request, folder) ?? Response.empty(404));
  return { ...served, folder, a, b, reads: () => read.mock.calls.map(([, most]) => most) };
}

/** Begins a response that nobody reads. */
async function begun(client: Served2['client'], path: string): Promise<ClientHttp2Stream> {
  const stream = client.request({ ':path': path });
  stream.on('error', () => {});
  await headOf(stream);
  return stream;
}

describe('a large file over HTTP/2', () => {
  it('is read in large pieces', async () => {
    const { client, a, reads } = await serveFiles();
    expect((await buffer(client.request({ ':path': '/a.bin' }))).equals(a)).toBe(true);
    expect(reads().slice(0, Math.floor(SIZE / READ_SIZE))).toEqual(Array(Math.floor(SIZE / READ_SIZE)).fill(READ_SIZE));
  });

  it('comes with each byte right beside others, whose pieces lie in the same memory in turn', async () => {
    const { client, a, b } = await serveFiles();
    const asked = Array.from({ length: 24 }, (_, i) => (i % 2 === 0 ? '/a.bin' : '/b.bin'));
    const answers = await Promise.all(asked.map((path) => buffer(client.request({ ':path': path }))));
    expect(answers.map((body, i) => body.equals(i % 2 === 0 ? a : b))).toEqual(asked.map(() => true));
  });

  it('may be a range', async () => {
    const { client, a } = await serveFiles();
    const stream = client.request({ ':path': '/a.bin', range: 'bytes=100000-1700000' });
    expect((await buffer(stream)).equals(a.subarray(100_000, 1_700_001))).toBe(true);
  });

  it('is read one piece ahead of a client that does not read, in small pieces where the large ones are all taken', async () => {
    const { client, reads } = await serveFiles();
    const streams = await Promise.all(Array.from({ length: 50 }, () => begun(client, '/a.bin')));
    await standsStill(() => reads().length);
    expect(reads().filter((most) => most > SMALL).length).toBeLessThanOrEqual(32); // 8 MiB
    expect(reads().length).toBeLessThanOrEqual(50 + 32);
    for (const stream of streams) stream.close(8);
  });

  it('is closed, and what it took is given back, when its client gives it up', async () => {
    const { client, folder, a, reads } = await serveFiles();
    for (let round = 0; round < 3; round++) {
      const streams = await Promise.all(Array.from({ length: 40 }, () => begun(client, '/a.bin')));
      for (const stream of streams) stream.close(8);
      await allClosedBelow(folder);
    }
    const earlier = reads().length;
    expect((await buffer(client.request({ ':path': '/a.bin' }))).equals(a)).toBe(true);
    expect(reads()[earlier]).toBe(READ_SIZE); // there are large pieces again
  });
});
