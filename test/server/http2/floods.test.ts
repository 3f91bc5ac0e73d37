/** Clients that send what costs a server something and brings nothing (RFC 9113 §10.5), a hundred thousand times. */
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type Request, Response } from '../../../src/index.ts';
import { createCollector } from '../../support/garbage.ts';
import { connectHttp2, type Http2Client } from '../../support/http2-client.ts';
import { ACK, block, data, END_HEADERS, END_STREAM, frame, headers, number, request, settings } from '../../support/http2-frames.ts';
import { deferred, serve } from '../../support/serve.ts';
import { standsStill, until } from '../../support/until.ts';

const COUNT = 100_000;
/** Frames of one write. */
const AT_ONCE = 500;
/** Streams of a connection that may be open (src/server/http2/exchanges.ts). */
const MAX_STREAMS = 128;
const MAX_GROWTH = 20 * 1024 * 1024;
const CANCEL = 8;
/** Made once, so that what is measured is not the handler's. */
const LARGE = 'x'.repeat(100_000);
const PIECE = 'x'.repeat(16_384);

const collect = createCollector();

/** Bytes of the heap that are in use. */
function heap(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

/** A handler that takes until the test ends, but for `/other`; and how many of its kind are at work. */
function busyHandler(): {
  answer: (request: Request) => Response | Promise<Response>;
  most: () => number;
  atWork: () => number;
  free: () => void;
} {
  const gate = deferred<void>();
  let atWork = 0;
  let most = 0;
  return {
    answer: (incoming) => (incoming.path === '/other' ? Response.text('other') : wait()),
    most: () => most,
    atWork: () => atWork,
    free: () => gate.resolve(),
  };

  async function wait(): Promise<Response> {
    most = Math.max(most, ++atWork);
    await gate.promise;
    atWork--;
    return Response.text('late');
  }
}

/** Sends frames as the connection takes them, until they are all sent or the server has ended it. @returns How many were sent. */
async function flood(client: Http2Client, make: (i: number) => Uint8Array, count: number, look: () => void): Promise<number> {
  let sent = 0;
  while (sent < count && !client.isEnded) {
    const end = Math.min(count, sent + AT_ONCE);
    const pieces: Uint8Array[] = [];
    for (; sent < end; sent++) pieces.push(make(sent));
    const isTaken = client.socket.write(Buffer.concat(pieces));
    if (isTaken) await pause(0);
    else await Promise.race([new Promise((resolve) => client.socket.once('drain', resolve)), client.ending(30_000)]);
    if (sent % (20 * AT_ONCE) === 0) look();
  }
  return sent;
}

const PING = frame('PING', 0, 0, '12345678');
const POST = headers(1, request('POST'), 0);
const HEADER_PIECE = frame('HEADERS', END_STREAM, 1, block(request()));
const NO_WINDOW = settings([4, 0]);

describe('a client that sends a hundred thousand', () => {
  it.each<[string, Uint8Array, (i: number) => Uint8Array]>([
    ['resets (CVE-2023-44487)', NO_WINDOW, (i) => Buffer.concat([headers(2 * i + 1), frame('RST_STREAM', 0, 2 * i + 1, number(CANCEL))])],
    [
      'requests that we have to reset (CVE-2025-8671)',
      NO_WINDOW,
      (i) => Buffer.concat([headers(2 * i + 1), frame('WINDOW_UPDATE', 0, 2 * i + 1, number(0))]),
    ],
    ['requests that are malformed', NO_WINDOW, (i) => headers(2 * i + 1, request('GET', ''))],
    ['requests whose responses it does not read', NO_WINDOW, (i) => headers(2 * i + 1, request('GET', '/large'))],
    ['CONTINUATION frames (CVE-2024-27316)', HEADER_PIECE, () => frame('CONTINUATION', 0, 1, Buffer.alloc(64))],
    ['CONTINUATION frames that are empty', HEADER_PIECE, () => frame('CONTINUATION', 0, 1)],
    ['SETTINGS (CVE-2019-9515)', PING, () => settings()],
    ['SETTINGS that change every window', POST, (i) => settings([4, i])],
    ['acknowledgements', PING, () => frame('SETTINGS', ACK, 0)],
    ['PINGs (CVE-2019-9512)', PING, () => PING],
    ['answers to PINGs that nobody sent', PING, () => frame('PING', ACK, 0, '12345678')],
    ['DATA frames that are empty (CVE-2019-9518)', POST, () => data(1, '')],
    ['DATA frames that are all padding', POST, () => frame('DATA', 8, 1, Buffer.from([0]))],
    ['DATA frames on a stream that we have reset', headers(1, request('POST', ''), 0), () => data(1, '')],
    ['PRIORITY frames (CVE-2019-9513)', PING, (i) => frame('PRIORITY', 0, 2 * i + 1, Buffer.alloc(5))],
    ['PRIORITY_UPDATE frames for streams that never begin', PING, (i) => frame('PRIORITY_UPDATE', 0, 0, number(2 * i + 1))],
    ['windows of 1 for the connection', PING, () => frame('WINDOW_UPDATE', 0, 0, number(1))],
    [
      'windows of 1 for a stream whose response waits',
      Buffer.concat([NO_WINDOW, headers(1, request('GET', '/large'))]),
      () => frame('WINDOW_UPDATE', 0, 1, number(1)),
    ],
    ['frames of no known type', PING, () => frame(0x77, 0, 0)],
  ])(
    '%s is asked to calm down and costs others nothing',
    async (_, before, make) => {
      const busy = busyHandler();
      const { port } = await serve((incoming) => (incoming.path === '/large' ? Response.text(LARGE) : busy.answer(incoming)), {
        h2c: true,
        handlerTimeout: 60_000,
      });
      const other = await connectHttp2(port);
      await other.ask(1, '/other');
      const offender = await connectHttp2(port);
      offender.send(before);
      const start = heap();
      let growth = 0;
      const look = (): void => void (growth = Math.max(growth, heap() - start));

      const isFlooding = flood(offender, make, COUNT, look);
      for (let id = 3; id < 43; id += 2) expect(await other.ask(id, '/other')).toMatchObject({ status: 200, body: 'other' });
      await isFlooding;
      look();
      expect((await offender.ending()).code).toBe('ENHANCE_YOUR_CALM');
      expect(growth).toBeLessThan(MAX_GROWTH);
      expect(busy.most()).toBeLessThanOrEqual(MAX_STREAMS);
      expect(await other.ask(43, '/other')).toMatchObject({ status: 200 });
      busy.free();
    },
    30_000,
  );
});

describe('a client that resets', () => {
  it.each<[string, (id: number) => Uint8Array]>([
    ['what it has asked for', (id) => frame('RST_STREAM', 0, id, number(CANCEL))],
    ['by having us do it: a window of 0', (id) => frame('WINDOW_UPDATE', 0, id, number(0))],
    [
      'by having us do it: a window that is too large',
      (id) => Buffer.concat([1, 2].map(() => frame('WINDOW_UPDATE', 0, id, number(2 ** 31 - 1)))),
    ],
    ['by having us do it: DATA behind the end', (id) => data(id, 'x')],
    ['by having us do it: HEADERS behind the end', (id) => headers(id)],
    ['by having us do it: a stream that depends on itself', (id) => frame('PRIORITY', 0, id, Buffer.concat([number(id), Buffer.alloc(1)]))],
  ])('%s never has more handlers at work than streams are allowed', async (_, reset) => {
    const busy = busyHandler();
    const { port } = await serve(busy.answer, { h2c: true, handlerTimeout: 60_000 });
    const other = await connectHttp2(port);
    const client = await connectHttp2(port);
    for (let i = 0; i < 400; i++) client.send(headers(2 * i + 1), reset(2 * i + 1)); // fewer than what ends the connection
    await client.ping();
    await other.ask(1, '/other'); // what was asked for earlier has been seen
    expect(busy.most()).toBeLessThanOrEqual(MAX_STREAMS);
    busy.free();
    await until(
      () => busy.atWork() === 0 || undefined,
      () => 'all handlers to end',
    );
    expect(await client.ask(9001, '/other')).toMatchObject({ status: 200 });
  });
});

describe('a client whose header blocks unfold', () => {
  it('is refused, in bounded memory', async () => {
    const { port } = await serve(() => Response.text('x'), { h2c: true });
    const client = await connectHttp2(port);
    const entry = Buffer.concat([Buffer.from([0x40, 1, 0x61, 0x7f, 0x81, 0x1e]), Buffer.alloc(0x7f + 0xf01, 'v')]); // a field of 3968 octets, inserted
    client.send(frame('HEADERS', END_HEADERS | END_STREAM, 1, Buffer.concat([block(request()), entry])));
    expect(await client.answer(1)).toMatchObject({ status: 200 });
    const bomb = Buffer.concat([block(request()), Buffer.alloc(16_000, 0xbe)]); // 63 MB of fields
    const start = heap();
    for (let i = 1; i <= 200; i++) client.send(frame('HEADERS', END_HEADERS | END_STREAM, 2 * i + 1, bomb));
    for (let i = 1; i <= 200; i++) expect((await client.answer(2 * i + 1)).status).toBe(431);
    expect(heap() - start).toBeLessThan(MAX_GROWTH);
  });
});

describe('a client that does not read', () => {
  it('has no more read of it, costs no more than what is on its way, and is cut', async () => {
    const left = deferred<void>();
    let pieces = 0;
    async function* endless(): AsyncGenerator<string> {
      for (; ; pieces++) yield PIECE;
    }
    const { port } = await serve(
      (incoming) => {
        if (incoming.path === '/other') return Response.text('other');
        incoming.signal.addEventListener('abort', () => left.resolve());
        return Response.text('').withBody(endless());
      },
      { h2c: true, writeTimeout: 1000 },
    );
    const other = await connectHttp2(port);
    const client = await connectHttp2(port);
    const most = 2 ** 31 - 1;
    client.send(settings([4, most]), frame('WINDOW_UPDATE', 0, 0, number(most - 65_535)));
    await client.ping();
    client.socket.pause();
    const start = heap();
    for (let i = 0; i < 32; i++) client.send(headers(2 * i + 1, request('GET', '/large')));
    await standsStill(() => pieces); // its socket is full
    let isSent = false;
    client.socket.write(Buffer.alloc(2_000_000 * PING.length, PING), () => void (isSent = true)); // far more than the kernel and we take
    for (let id = 21; id < 41; id += 2) expect(await other.ask(id, '/other')).toMatchObject({ body: 'other' });
    expect(heap() - start).toBeLessThan(MAX_GROWTH);
    expect(isSent).toBe(false);
    await left.promise;
    client.socket.resume();
    await client.ending();
    expect(client.frames.filter(({ type, flags }) => type === 'PING' && flags === ACK)).toHaveLength(1);
  });

  it('has nothing kept of requests that waited because of that, once it has broken them off', async () => {
    const large = Buffer.alloc(20 * 1024 * 1024);
    const { port } = await serve(() => new Response(large), { h2c: true, threads: 0 });
    const client = await connectHttp2(port);
    client.send(settings([4, 0]), headers(1));
    await client.ping();
    collect();
    const start = process.memoryUsage().arrayBuffers;
    const quarter = Buffer.alloc(PIECE.length - 1);
    for (let id = 3; id < 803; id += 2) {
      client.send(headers(id, request('POST'), 0), data(id, quarter), data(id, quarter), data(id, quarter), data(id, quarter, END_STREAM));
      client.send(frame('RST_STREAM', 0, id, number(CANCEL)));
      if (id % 20 === 3) await client.ping();
    }
    await client.ping();
    await until(
      () => {
        collect(); // the memory of buffers is freed in the background
        return process.memoryUsage().arrayBuffers - start < 5 * 1024 * 1024 ? true : undefined;
      },
      () => 'the bodies to be gone',
    );
  });

  it('has one handler at a time called on each of many connections, once all together have too much waiting', async () => {
    let called = 0;
    const { port } = await serve(
      async () => {
        called++;
        return Response.text('x'.repeat(512 * 1024));
      },
      { h2c: true, threads: 0 },
    );
    const clients = [];
    for (let i = 0; i < 10; i++) {
      const client = await connectHttp2(port);
      client.send(settings([4, 0]), ...Array.from({ length: 50 }, (_, stream) => headers(2 * stream + 1)));
      await client.ping();
      clients.push(client);
    }
    expect(called).toBeLessThan(300); // of 500: those that were called before so much waited, and then one on each connection
    const last = clients.at(-1);
    last?.send(settings([4, 600_000]), frame('WINDOW_UPDATE', 0, 0, number(40_000_000)));
    const before = called;
    await until(
      () => (called >= before + 40 ? true : undefined),
      () => 'the others of a connection that reads',
    );
  });
});
