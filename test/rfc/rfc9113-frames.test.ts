/** RFC 9113 §4: the form of frames, their size, and header blocks in them. */
import { describe, expect, it } from 'vitest';
import {
  block,
  data,
  END_HEADERS,
  END_STREAM,
  frame,
  HELLO,
  headers,
  number,
  PADDED,
  PRIORITY_FLAG,
  request,
  settings,
} from '../support/http2-frames.ts';
import { breaksConnection, breaksNothing, goesOn, speak } from '../support/http2-verdicts.ts';

const UNKNOWN = 0xfa;
/** What a frame of our server holds at most: we announce no other size. */
const MAX_PAYLOAD = 16_384;

describe('a frame (§4.1)', () => {
  it.each([0, 1])('of an unknown type is ignored, on stream %i', async (id) => {
    await breaksNothing(frame(UNKNOWN, 0xff, id, 'whatever'));
  });

  it('of an unknown type is ignored on a stream that is open, and on one that is closed', async () => {
    const client = await breaksNothing(headers(1, request('POST'), 0), frame(UNKNOWN, 0, 1, 'x'), data(1, 'body', END_STREAM));
    expect(await client.answer(1)).toMatchObject({ body: 'POST / body' });
    client.send(frame(UNKNOWN, 0, 1, 'x'));
    await client.ping();
  });

  it('has flags that mean nothing to its type ignored', async () => {
    const client = await breaksNothing(
      frame('PING', 0xfe, 0, 'flags...'),
      frame('SETTINGS', 0xfe, 0),
      headers(1, request(), END_STREAM | 0xd2),
    );
    await client.frame(({ type, payload }) => type === 'PING' && payload.toString() === 'flags...', 'the answer to the ping');
    expect(await client.answer(1)).toMatchObject({ status: 200 });
  });

  it('has the reserved bit of its stream ignored', async () => {
    const ping = frame('PING', 0, 0x80_00_00_00, 'reserved');
    const client = await breaksNothing(ping, headers(0x80_00_00_01));
    expect(await client.answer(1)).toMatchObject({ status: 200 });
  });

  it('may come in as many pieces as it has bytes', async () => {
    const client = await speak();
    for (const byte of Buffer.concat([headers(1, request('POST'), 0), data(1, 'abc', END_STREAM)])) client.send(Buffer.from([byte]));
    expect(await client.answer(1)).toMatchObject({ body: 'POST / abc' });
  });
});

describe('the size of a frame (§4.2)', () => {
  it('may be 2^14', async () => {
    const client = await breaksNothing(headers(1, request('POST'), 0), data(1, 'x'.repeat(MAX_PAYLOAD), END_STREAM));
    expect((await client.answer(1)).body).toHaveLength('POST / '.length + MAX_PAYLOAD);
  });

  it.each<[string, Uint8Array[], number]>([
    ['DATA', [headers(1, request('POST'), 0), data(1, Buffer.alloc(MAX_PAYLOAD + 1))], 1],
    ['HEADERS', [frame('HEADERS', END_HEADERS | END_STREAM, 1, Buffer.alloc(MAX_PAYLOAD + 1))], 0],
    ['SETTINGS', [frame('SETTINGS', 0, 0, Buffer.alloc(6 * 2731))], 0],
    ['an unknown type', [frame(UNKNOWN, 0, 0, Buffer.alloc(MAX_PAYLOAD + 1))], 0],
  ])('ends the connection above 2^14: %s', async (_, frames, lastId) => {
    await breaksConnection('FRAME_SIZE_ERROR', lastId, ...frames);
  });

  it('is never above 2^14 in what we send, though the client takes more', async () => {
    const client = await speak(
      {},
      Buffer.concat([HELLO, settings([5, 2 ** 20], [4, 2 ** 20]), frame('WINDOW_UPDATE', 0, 0, number(2 ** 20))]),
    );
    expect((await client.ask(1, '/large')).body).toHaveLength(100_000);
    expect(Math.max(...client.frames.map(({ payload }) => payload.length))).toBe(MAX_PAYLOAD);
  });

  it.each<[string, Uint8Array[], number]>([
    ['PING', [frame('PING', 0, 0, '1234567')], 0],
    ['RST_STREAM', [headers(1, request('POST'), 0), frame('RST_STREAM', 0, 1, '123')], 1],
    ['SETTINGS', [frame('SETTINGS', 0, 0, '12345')], 0],
    ['WINDOW_UPDATE', [frame('WINDOW_UPDATE', 0, 0, '12345')], 0],
    ['GOAWAY', [frame('GOAWAY', 0, 0, '1234567')], 0],
    ['HEADERS with a priority', [frame('HEADERS', END_HEADERS | PRIORITY_FLAG, 1, '1234')], 0],
    ['HEADERS with padding', [frame('HEADERS', END_HEADERS | PADDED, 1)], 0],
    ['DATA with padding', [headers(1, request('POST'), 0), frame('DATA', PADDED, 1)], 1],
    ['PRIORITY_UPDATE', [frame('PRIORITY_UPDATE', 0, 0, '123')], 0],
  ])('ends the connection when it is too small for its type, or another than its type has: %s', async (_, frames, lastId) => {
    await breaksConnection('FRAME_SIZE_ERROR', lastId, ...frames);
  });
});

describe('a header block (§4.3)', () => {
  const bytes = block(request('GET', '/in-pieces'));

  it('may come in pieces, empty ones included', async () => {
    const client = await breaksNothing(
      frame('HEADERS', END_STREAM, 1, bytes.subarray(0, 1)),
      frame('CONTINUATION', 0, 1, bytes.subarray(1, 4)),
      frame('CONTINUATION', 0, 1),
      frame('CONTINUATION', END_HEADERS, 1, bytes.subarray(4)),
    );
    expect(await client.answer(1)).toMatchObject({ body: 'GET /in-pieces ' });
  });

  it('may come in pieces behind a first one that is empty', async () => {
    const client = await breaksNothing(frame('HEADERS', END_STREAM, 1), frame('CONTINUATION', END_HEADERS, 1, bytes));
    expect(await client.answer(1)).toMatchObject({ body: 'GET /in-pieces ' });
  });

  it.each<[string, Uint8Array]>([
    ['an index that is not there', Buffer.from([0xff, 0x80, 0x01])],
    ['an end within a field', bytes.subarray(0, -1)],
    ['a string that is no Huffman code', Buffer.from([0x82, 0x87, 0x84, 0x41, 0x81, 0x00])],
  ])('that cannot be decoded ends the connection: %s', async (_, broken) => {
    await breaksConnection('COMPRESSION_ERROR', 0, frame('HEADERS', END_HEADERS | END_STREAM, 1, broken));
  });

  it('that cannot be decoded ends the connection as trailers, too', async () => {
    const trailers = frame('HEADERS', END_HEADERS | END_STREAM, 1, Buffer.from([0x80]));
    await breaksConnection('COMPRESSION_ERROR', 1, headers(1, request('POST'), 0), trailers);
  });

  it.each<[string, Uint8Array]>([
    ['PRIORITY of its stream', frame('PRIORITY', 0, 1, Buffer.alloc(5))],
    ['DATA of its stream', data(1, 'x')],
    ['HEADERS of another stream', headers(3)],
    ['CONTINUATION of another stream', frame('CONTINUATION', END_HEADERS, 3, bytes)],
    ['HEADERS of its own stream', headers(1)],
    ['an unknown type', frame(UNKNOWN, 0, 1)],
    ['PING', frame('PING', 0, 0, '12345678')],
    ['SETTINGS', settings()],
    ['WINDOW_UPDATE', frame('WINDOW_UPDATE', 0, 0, number(1))],
    ['RST_STREAM', frame('RST_STREAM', 0, 1, number(8))],
    ['GOAWAY', frame('GOAWAY', 0, 0, Buffer.alloc(8))],
  ])('ends the connection when another frame comes inside it: %s', async (_, intruder) => {
    await breaksConnection('PROTOCOL_ERROR', 0, frame('HEADERS', END_STREAM, 1, bytes), intruder);
  });

  it('of a stream that is refused or reset changes the table all the same', async () => {
    const client = await speak();
    const insert = Buffer.from([0x40, 3, ...Buffer.from('x-a'), 1, 0x31]); // x-a: 1, inserted
    const malformed = Buffer.concat([block(request('GET', '')), insert]);
    client.send(frame('HEADERS', END_HEADERS | END_STREAM, 1, malformed));
    expect(await client.resetOf(1)).toBe('PROTOCOL_ERROR');
    client.send(frame('HEADERS', END_HEADERS | END_STREAM, 3, Buffer.concat([block(request()), Buffer.from([0xbe])])));
    expect(await client.answer(3)).toMatchObject({ status: 200 });
    await goesOn(client);
  });
});
