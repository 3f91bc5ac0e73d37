/** RFC 9113 §5.1: what may come on a stream, and when. */
import { describe, expect, it } from 'vitest';
import type { Http2Client } from '../support/http2-client.ts';
import { block, data, END_HEADERS, END_STREAM, frame, HELLO, headers, number, request, settings } from '../support/http2-frames.ts';
import { breaksConnection, breaksNothing, breaksStream, goesOn, isBroken, OTHER, speak } from '../support/http2-verdicts.ts';

const CANCEL = number(8);
const NO_PRIORITY = Buffer.alloc(5);
const continuation = frame('CONTINUATION', END_HEADERS, 1, block([['x-a', 'b']]));

/** A client on whose stream 1 the response cannot end: there is no window for it. */
async function halfClosed(): Promise<Http2Client> {
  const client = await speak({}, Buffer.concat([HELLO, settings([4, 0]), headers(1)]));
  await client.frame(({ type }) => type === 'HEADERS', 'the head of the response');
  return client;
}

/** A client whose stream 1 has come to its end. */
async function closed(): Promise<Http2Client> {
  const client = await speak();
  await client.ask(1);
  return client;
}

describe('an idle stream', () => {
  it.each<[string, Uint8Array]>([
    ['DATA', data(1, 'test', END_STREAM)],
    ['RST_STREAM', frame('RST_STREAM', 0, 1, CANCEL)],
    ['WINDOW_UPDATE', frame('WINDOW_UPDATE', 0, 1, number(100))],
    ['CONTINUATION', frame('CONTINUATION', END_HEADERS, 1, block(request()))],
  ])('ends the connection when %s comes on it', async (_, bytes) => {
    await breaksConnection('PROTOCOL_ERROR', 0, bytes);
  });

  it('takes PRIORITY', async () => {
    const client = await breaksNothing(frame('PRIORITY', 0, 1, NO_PRIORITY));
    client.send(headers(OTHER + 2)); // and it has not begun with it
    expect(await client.answer(OTHER + 2)).toMatchObject({ status: 200 });
  });
});

describe('a stream that the client has ended, and that has not been answered', () => {
  it.each<[string, Uint8Array]>([
    ['DATA', data(1, 'test', END_STREAM)],
    ['HEADERS', headers(1)],
    ['HEADERS that do not end it', headers(1, request(), 0)],
  ])('is reset when %s comes on it', async (_, bytes) => {
    const client = await halfClosed();
    client.send(bytes, settings([4, 65_535]));
    expect(await client.resetOf(1)).toBe('STREAM_CLOSED');
    await goesOn(client);
  });

  it('ends the connection when CONTINUATION comes on it: no block is open', async () => {
    const client = await halfClosed();
    client.send(continuation);
    await isBroken(client, 'PROTOCOL_ERROR', 1);
  });

  it.each<[string, Uint8Array[]]>([
    ['WINDOW_UPDATE', [frame('WINDOW_UPDATE', 0, 1, number(100))]],
    ['PRIORITY', [frame('PRIORITY', 0, 1, NO_PRIORITY), frame('WINDOW_UPDATE', 0, 1, number(100))]],
  ])('takes %s', async (_, frames) => {
    const client = await halfClosed();
    client.send(...frames);
    expect(await client.answer(1)).toMatchObject({ body: 'GET / ', code: undefined });
  });

  it('takes RST_STREAM', async () => {
    const client = await halfClosed();
    client.send(frame('RST_STREAM', 0, 1, CANCEL), settings([4, 65_535]));
    await goesOn(client);
    expect(client.received(1)).toMatchObject({ body: '', code: undefined });
  });
});

describe('a stream that the client has reset', () => {
  const reset = [headers(1, request('POST'), 0), frame('RST_STREAM', 0, 1, CANCEL)];

  it.each<[string, Uint8Array]>([
    ['DATA', data(1, 'test', END_STREAM)],
    ['HEADERS', headers(1)],
  ])('is an error of the stream when %s comes on it', async (_, bytes) => {
    await breaksStream('STREAM_CLOSED', 1, ...reset, bytes);
  });

  it('ends the connection when CONTINUATION comes on it', async () => {
    await breaksConnection('PROTOCOL_ERROR', 1, ...reset, continuation);
  });

  it('takes PRIORITY, and what may have crossed an end of ours', async () => {
    await breaksNothing(
      ...reset,
      frame('PRIORITY', 0, 1, NO_PRIORITY),
      frame('WINDOW_UPDATE', 0, 1, number(1)),
      frame('RST_STREAM', 0, 1, CANCEL),
    );
  });
});

describe('a stream that both sides have ended', () => {
  it.each<[string, Uint8Array]>([
    ['DATA', data(1, 'test', END_STREAM)],
    ['HEADERS', headers(1)],
  ])('ends the connection when %s comes on it', async (_, bytes) => {
    const client = await closed();
    client.send(bytes);
    await isBroken(client, 'STREAM_CLOSED', 1);
  });

  it('ends the connection when CONTINUATION comes on it', async () => {
    const client = await closed();
    client.send(continuation);
    await isBroken(client, 'PROTOCOL_ERROR', 1);
  });

  it('takes PRIORITY, and what may have crossed the end: WINDOW_UPDATE and RST_STREAM', async () => {
    const client = await closed();
    client.send(frame('PRIORITY', 0, 1, NO_PRIORITY), frame('WINDOW_UPDATE', 0, 1, number(1)), frame('RST_STREAM', 0, 1, CANCEL));
    await goesOn(client);
  });
});

describe('a stream that we have reset', () => {
  it('has what was on its way ignored, and its header blocks decoded', async () => {
    const client = await speak();
    client.send(headers(1, request('GET', ''), 0));
    expect(await client.resetOf(1)).toBe('PROTOCOL_ERROR');
    client.send(
      data(1, 'late'),
      headers(1, [['x-late', 'field']]),
      frame('WINDOW_UPDATE', 0, 1, number(1)),
      frame('RST_STREAM', 0, 1, CANCEL),
    );
    await goesOn(client);
    expect(client.frames.filter(({ type }) => type === 'RST_STREAM')).toHaveLength(1);
  });

  it('has what came late counted on the window of the connection, and given back', async () => {
    const client = await speak();
    client.send(headers(1, request('GET', ''), 0));
    await client.resetOf(1);
    for (let i = 0; i < 64; i++) client.send(data(1, Buffer.alloc(16_384))); // 1 MiB: all of it
    await client.frame(({ type, id, payload }) => type === 'WINDOW_UPDATE' && id === 0 && payload.readUInt32BE(0) >= 500_000, 'a window');
    client.send(headers(3, request('POST'), 0), data(3, 'still served', END_STREAM));
    expect(await client.answer(3)).toMatchObject({ body: 'POST / still served' });
  });
});

describe('the number of a stream (§5.1.1)', () => {
  it('ends the connection when it is even', async () => {
    await breaksConnection('PROTOCOL_ERROR', 0, headers(2));
  });

  it('ends the connection when it is 0', async () => {
    await breaksConnection('PROTOCOL_ERROR', 0, headers(0));
  });

  it('ends the connection when it is below that of a stream which has begun, and was left out', async () => {
    await breaksConnection('PROTOCOL_ERROR', 5, headers(5), headers(3));
  });

  it('may leave others out, which are closed by that', async () => {
    const client = await breaksNothing(headers(1), headers(7), headers(101));
    expect(await client.answer(101)).toMatchObject({ status: 200 });
    client.send(data(5, 'x'));
    await isBroken(client, 'PROTOCOL_ERROR', OTHER);
  });

  it('may be the last there is', async () => {
    const client = await speak();
    expect(await client.ask(2 ** 31 - 1)).toMatchObject({ status: 200 });
    await client.ping();
  });
});

describe('how many streams are open (§5.1.2)', () => {
  it('is announced, and one more is refused, so that the client may try again', async () => {
    const client = await speak({}, Buffer.concat([HELLO, settings([4, 0])]));
    const [first] = client.frames.length > 0 ? client.frames : [await client.frame(({ type }) => type === 'SETTINGS', 'our settings')];
    const announced = first?.payload.subarray(first.payload.indexOf(Buffer.from([0, 3]))).readUInt32BE(2) as number;
    expect(announced).toBeGreaterThanOrEqual(100);
    for (let i = 0; i <= announced; i++) client.send(headers(2 * i + 1));
    expect(await client.resetOf(2 * announced + 1)).toBe('REFUSED_STREAM');
    client.send(settings([4, 65_535]));
    await client.answer(1);
    await goesOn(client);
  });

  it('does not count those that are closed', async () => {
    const client = await speak();
    for (let i = 0; i < 300; i++) {
      client.send(headers(2 * i + 1));
      if (i % 50 === 49) for (let k = i - 49; k <= i; k++) expect(await client.answer(2 * k + 1)).toMatchObject({ status: 200 });
    }
    expect(client.frames.some(({ type }) => type === 'RST_STREAM')).toBe(false);
  });
});

describe('an error of the connection (§5.4.1)', () => {
  it('names the last stream that may have been acted upon, and closes the connection', async () => {
    const client = await speak();
    await client.ask(1);
    await client.ask(7);
    client.send(frame('PING', 0, 0, '1'));
    await isBroken(client, 'FRAME_SIZE_ERROR', 7);
  });

  it('is not answered when it comes behind another', async () => {
    const client = await speak();
    client.send(frame('PING', 0, 0, '1'), frame('SETTINGS', 0, 1), headers(1));
    await client.ending();
    expect(client.frames.filter(({ type }) => type === 'GOAWAY')).toHaveLength(1);
    expect(client.received(1).status).toBe(0);
  });
});

describe('an error of a stream (§5.4.2)', () => {
  it('leaves those that are open as they are', async () => {
    const client = await speak({}, Buffer.concat([HELLO, settings([4, 0])]));
    client.send(headers(1), headers(3, request('GET', '')), settings([4, 65_535]));
    expect(await client.resetOf(3)).toBe('PROTOCOL_ERROR');
    expect(await client.answer(1)).toMatchObject({ body: 'GET / ', code: undefined });
  });

  it('is not answered with a reset when it is itself a reset', async () => {
    const client = await breaksNothing(
      headers(1, request('POST'), 0),
      frame('RST_STREAM', 0, 1, CANCEL),
      frame('RST_STREAM', 0, 1, CANCEL),
    );
    await client.ping();
  });
});
