/** RFC 9113 §5.2, §6.9: windows, those of the client and ours. */
import { describe, expect, it } from 'vitest';
import { Response } from '../../src/index.ts';
import { connectHttp2, type Http2Client } from '../support/http2-client.ts';
import { data, END_STREAM, type Frame, frame, HELLO, headers, number, PADDED, request, settings } from '../support/http2-frames.ts';
import { breaksConnection, breaksNothing, breaksStream, isBroken, speak } from '../support/http2-verdicts.ts';
import { serve } from '../support/serve.ts';

const INITIAL_WINDOW_SIZE = 4;
const MOST = 2 ** 31 - 1;
const FIRST_WINDOW = 65_535;
const FRAME_HEAD = 9;

const window = (id: number, count: number): Buffer => frame('WINDOW_UPDATE', 0, id, number(count));

/** A client whose streams begin with a window of this size. */
function withWindow(size: number): Promise<Http2Client> {
  return speak({}, Buffer.concat([HELLO, settings([INITIAL_WINDOW_SIZE, size])]));
}

/** The sizes of the DATA frames of a stream. */
function sizes(client: Http2Client, id = 1): number[] {
  return client.frames.filter((one) => one.type === 'DATA' && one.id === id).map(({ payload }) => payload.length);
}

const sum = (all: readonly number[]): number => all.reduce((total, size) => total + size, 0);
const isData = ({ type }: Frame): boolean => type === 'DATA';

describe('WINDOW_UPDATE (§6.9)', () => {
  it('of 0 ends the connection when it is of the connection', async () => {
    await breaksConnection('PROTOCOL_ERROR', 0, window(0, 0));
  });

  it('of 0 resets its stream', async () => {
    await breaksStream('PROTOCOL_ERROR', 1, headers(1, request('POST'), 0), window(1, 0));
  });

  it.each(['', '123', '12345'])('ends the connection when its size is not four: %j', async (payload) => {
    await breaksConnection('FRAME_SIZE_ERROR', 0, frame('WINDOW_UPDATE', 0, 0, payload));
    await breaksConnection('FRAME_SIZE_ERROR', 1, headers(1, request('POST'), 0), frame('WINDOW_UPDATE', 0, 1, payload));
  });

  it('has its reserved bit ignored', async () => {
    await breaksNothing(window(0, 0x80_00_00_01));
    await breaksConnection('PROTOCOL_ERROR', 0, window(0, 0x80_00_00_00)); // that is 0
  });
});

describe('the windows of the client (§6.9.1)', () => {
  it('bound what is sent on a stream', async () => {
    const client = await withWindow(1);
    client.send(headers(1));
    await client.frame(isData, 'a byte');
    await client.ping();
    expect(sizes(client)).toEqual([1]);
    client.send(window(1, 100));
    expect(await client.answer(1)).toMatchObject({ body: 'GET / ' });
    expect(sizes(client)).toEqual([1, 5]);
  });

  it('bound what is sent on all streams', async () => {
    const client = await withWindow(MOST);
    client.send(headers(1, request('GET', '/large')), headers(3, request('GET', '/large')));
    await client.until(() => sum([...sizes(client), ...sizes(client, 3)]) === FIRST_WINDOW, 'the first window');
    await client.ping();
    expect(sum([...sizes(client), ...sizes(client, 3)])).toBe(FIRST_WINDOW);
    client.send(window(0, 10));
    await client.until(() => sum([...sizes(client), ...sizes(client, 3)]) === FIRST_WINDOW + 10, 'ten bytes more');
    client.send(window(0, 200_000));
    expect((await client.answer(1)).body.length + (await client.answer(3)).body.length).toBe(200_000);
  });

  it('hold back no head, and no end without a body', async () => {
    const client = await withWindow(0);
    client.send(headers(1, request('GET', '/large')), headers(3, request('HEAD', '/')));
    expect(await client.answer(3)).toMatchObject({ status: 200, body: '' });
    await client.ping();
    expect(client.received(1)).toMatchObject({ status: 200, body: '' });
  });

  it('end the connection when its own exceeds 2^31-1', async () => {
    await breaksConnection('FLOW_CONTROL_ERROR', 0, window(0, MOST), window(0, MOST));
    await breaksConnection('FLOW_CONTROL_ERROR', 0, window(0, MOST - FIRST_WINDOW + 1));
    await breaksNothing(window(0, MOST - FIRST_WINDOW));
  });

  it('reset the stream when its own exceeds 2^31-1', async () => {
    const open = headers(1, request('POST'), 0);
    await breaksStream('FLOW_CONTROL_ERROR', 1, open, window(1, MOST), window(1, MOST));
    await breaksStream('FLOW_CONTROL_ERROR', 1, open, window(1, MOST - FIRST_WINDOW + 1));
    await breaksNothing(open, window(1, MOST - FIRST_WINDOW));
  });
});

describe('SETTINGS_INITIAL_WINDOW_SIZE (§6.9.2)', () => {
  it('changes the windows of streams that are open', async () => {
    const client = await withWindow(0);
    client.send(headers(1));
    await client.ping();
    expect(sizes(client)).toEqual([]);
    client.send(settings([INITIAL_WINDOW_SIZE, 1]));
    expect((await client.frame(isData, 'a byte')).payload).toHaveLength(1);
  });

  it('may make windows negative, and nothing is sent until they are positive again', async () => {
    const client = await withWindow(3);
    client.send(headers(1));
    await client.until(() => sum(sizes(client)) === 3, 'three bytes');
    client.send(settings([INITIAL_WINDOW_SIZE, 2]), window(1, 1));
    await client.ping();
    expect(sizes(client)).toEqual([3]); // -1 and 1 are 0
    client.send(window(1, 1));
    await client.until(() => sizes(client).length === 2, 'one byte more');
    expect(sizes(client)).toEqual([3, 1]);
  });

  it('does not change the window of the connection', async () => {
    const client = await withWindow(0);
    client.send(settings([INITIAL_WINDOW_SIZE, MOST]), headers(1, request('GET', '/large')));
    await client.until(() => sum(sizes(client)) === FIRST_WINDOW, 'the first window');
    await client.ping();
    expect(sum(sizes(client))).toBe(FIRST_WINDOW);
  });

  it('ends the connection when a window of a stream exceeds 2^31-1 by it', async () => {
    const client = await withWindow(0);
    client.send(headers(1), window(1, MOST), settings([INITIAL_WINDOW_SIZE, 1]));
    await isBroken(client, 'FLOW_CONTROL_ERROR', 1);
  });
});

describe('our windows', () => {
  it('of a stream is what the RFC starts with, and one byte more resets it', async () => {
    const { port } = await serve(() => new Promise<never>(() => {}), { h2c: true, streamBody: () => true, handlerTimeout: 60_000 });
    const client = await connectHttp2(port);
    client.send(headers(1, request('POST'), 0));
    for (let left = FIRST_WINDOW; left > 0; left -= 16_384) client.send(data(1, Buffer.alloc(Math.min(16_384, left))));
    await client.ping();
    expect(client.received(1).code).toBeUndefined();
    client.send(data(1, 'x'));
    expect(await client.resetOf(1)).toBe('FLOW_CONTROL_ERROR');
    await client.ping();
  });

  it('of the connection is given back as data comes: streams that nobody reads hold up no other', async () => {
    const { port } = await serve((incoming) => (incoming.path === '/read' ? Response.text('read') : new Promise<never>(() => {})), {
      h2c: true,
      streamBody: ({ path }) => path === '/held',
      handlerTimeout: 60_000,
    });
    const client = await connectHttp2(port);
    for (let id = 1; id <= 41; id += 2) {
      client.send(headers(id, request('POST', '/held'), 0));
      for (let left = FIRST_WINDOW; left > 0; left -= 16_384) client.send(data(id, Buffer.alloc(Math.min(16_384, left)))); // 1.3 MB in all
    }
    client.send(headers(43, request('POST', '/read'), 0), data(43, 'x', END_STREAM));
    expect(await client.answer(43)).toMatchObject({ body: 'read' });
    expect(client.frames.some(({ type }) => type === 'RST_STREAM' || type === 'GOAWAY')).toBe(false);
  });

  it('are given back for padding', async () => {
    const client = await speak();
    client.send(headers(1, request('POST'), 0));
    const padding = frame('DATA', PADDED, 1, Buffer.concat([Buffer.from([255]), Buffer.from('x'), Buffer.alloc(255)]));
    await pour(
      client,
      Array.from({ length: 1024 }, () => padding),
    );
    expect((await client.answer(1)).body).toBe(`POST / ${'x'.repeat(1024)}`);
  });

  it('grow for a client that fills them, so that a large upload is not slow', async () => {
    const { port } = await serve((incoming) => Response.text(String(incoming.body.size)), { h2c: true });
    const client = await connectHttp2(port);
    client.send(headers(1, request('POST'), 0));
    await pour(
      client,
      Array.from({ length: 128 }, () => data(1, Buffer.alloc(16_384))),
    );
    expect(await client.answer(1)).toMatchObject({ status: 200, body: String(128 * 16_384) });
    expect(Math.max(...windows(client))).toBeGreaterThan(FIRST_WINDOW);
    expect(await client.ask(3)).toMatchObject({ status: 200 });
  });
});

/** What the server has given back on stream 1. */
function windows(client: Http2Client): number[] {
  return client.frames.filter(({ type, id }) => type === 'WINDOW_UPDATE' && id === 1).map(({ payload }) => payload.readUInt32BE(0));
}

/** Sends DATA frames of stream 1 as its window lets them through, and the end. */
async function pour(client: Http2Client, frames: readonly Buffer[]): Promise<void> {
  let sent = 0;
  for (const bytes of frames) {
    const size = bytes.length - FRAME_HEAD;
    await client.until(() => FIRST_WINDOW + sum(windows(client)) >= sent + size, 'window');
    client.send(bytes);
    sent += size;
  }
  client.send(data(1, '', END_STREAM));
}
