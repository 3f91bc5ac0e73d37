/** RFC 9113 §6.1, §6.2, §6.3, §6.4, §6.6, §6.10: the frames of streams. */
import { describe, expect, it } from 'vitest';
import { block, data, END_HEADERS, END_STREAM, frame, headers, number, PADDED, PRIORITY_FLAG, request } from '../support/http2-frames.ts';
import { breaksConnection, breaksNothing, breaksStream, goesOn, speak } from '../support/http2-verdicts.ts';

const POST = headers(1, request('POST'), 0);
const HEAD = block(request());

/** A payload with padding. */
function padded(payload: Uint8Array | string, count: number): Buffer {
  return Buffer.concat([Buffer.from([count]), Buffer.from(payload as string), Buffer.alloc(count)]);
}

/** What the old scheme of priorities put in front of a header block, or into PRIORITY: exclusive or not, a parent, a weight. */
function parent(id: number, isExclusive = false, weight = 15): Buffer {
  return Buffer.concat([number(id + (isExclusive ? 0x80_00_00_00 : 0)), Buffer.from([weight])]);
}

describe('DATA (§6.1)', () => {
  it('is a body, in one frame, several, with padding and without, and empty', async () => {
    const client = await breaksNothing(
      POST,
      data(1, 'one '),
      data(1, ''),
      frame('DATA', PADDED, 1, padded('two ', 7)),
      frame('DATA', PADDED, 1, padded('three', 0)),
      frame('DATA', PADDED, 1, padded('', 255)),
      data(1, '', END_STREAM),
    );
    expect(await client.answer(1)).toMatchObject({ body: 'POST / one two three' });
  });

  it('ends the connection on stream 0', async () => {
    await breaksConnection('PROTOCOL_ERROR', 0, data(0, 'test'));
  });

  it.each<[string, Buffer]>([
    ['as long as its payload', Buffer.from([5, 1, 2, 3, 4])],
    ['longer than its payload', Buffer.from([255])],
  ])('ends the connection when its padding is %s', async (_, payload) => {
    await breaksConnection('PROTOCOL_ERROR', 1, POST, frame('DATA', PADDED, 1, payload));
  });

  it('may be all padding', async () => {
    const client = await breaksNothing(POST, frame('DATA', PADDED | END_STREAM, 1, padded('', 100)));
    expect(await client.answer(1)).toMatchObject({ body: 'POST / ' });
  });
});

describe('HEADERS (§6.2)', () => {
  it('may have padding, and a priority, and both', async () => {
    const client = await breaksNothing(
      frame('HEADERS', END_HEADERS | END_STREAM | PADDED, 1, padded(HEAD, 9)),
      frame('HEADERS', END_HEADERS | END_STREAM | PRIORITY_FLAG, 3, Buffer.concat([parent(1, true), HEAD])),
      frame('HEADERS', END_HEADERS | END_STREAM | PADDED | PRIORITY_FLAG, 5, padded(Buffer.concat([parent(0), HEAD]), 9)),
    );
    for (const id of [1, 3, 5]) expect(await client.answer(id)).toMatchObject({ status: 200, body: 'GET / ' });
  });

  it('ends the connection on stream 0', async () => {
    await breaksConnection('PROTOCOL_ERROR', 0, frame('HEADERS', END_HEADERS | END_STREAM, 0, HEAD));
  });

  it('ends the connection when its padding is longer than its payload', async () => {
    const payload = Buffer.concat([Buffer.from([HEAD.length + 1]), HEAD]);
    await breaksConnection('PROTOCOL_ERROR', 0, frame('HEADERS', END_HEADERS | END_STREAM | PADDED, 1, payload));
  });

  it('may depend on a stream that is idle, or closed', async () => {
    const client = await breaksNothing(frame('HEADERS', END_HEADERS | END_STREAM | PRIORITY_FLAG, 1, Buffer.concat([parent(99), HEAD])));
    expect(await client.answer(1)).toMatchObject({ status: 200 });
  });

  it('has its stream reset when that depends on itself (RFC 7540 §5.3.1)', async () => {
    await breaksStream(
      'PROTOCOL_ERROR',
      1,
      frame('HEADERS', END_HEADERS | END_STREAM | PRIORITY_FLAG, 1, Buffer.concat([parent(1), HEAD])),
    );
  });
});

describe('PRIORITY (§6.3)', () => {
  it.each<[string, number, Buffer]>([
    ['of the lowest weight', 3, parent(0, false, 0)],
    ['of the highest weight', 3, parent(0, false, 255)],
    ['that depends on another stream', 3, parent(1)],
    ['that depends on another stream alone', 3, parent(1, true)],
    ['on an idle stream', 77, parent(0)],
    ['on an idle stream with an even number', 78, parent(0)],
  ])('changes nothing: %s', async (_, id, payload) => {
    await breaksNothing(frame('PRIORITY', 0, id, payload));
  });

  it('ends the connection on stream 0', async () => {
    await breaksConnection('PROTOCOL_ERROR', 0, frame('PRIORITY', 0, 0, parent(1)));
  });

  it('has its stream reset when it has another size than five', async () => {
    await breaksStream('FRAME_SIZE_ERROR', 1, POST, frame('PRIORITY', 0, 1, '1234'));
    await breaksStream('FRAME_SIZE_ERROR', 1, POST, frame('PRIORITY', 0, 1, '123456'));
  });

  it('has its stream reset when that depends on itself (RFC 7540 §5.3.1)', async () => {
    await breaksStream('PROTOCOL_ERROR', 1, POST, frame('PRIORITY', 0, 1, parent(1)));
  });

  it('ends the connection when it is malformed and its stream is idle: there is nothing to reset', async () => {
    await breaksConnection('FRAME_SIZE_ERROR', 0, frame('PRIORITY', 0, 1, '1234'));
    await breaksConnection('PROTOCOL_ERROR', 0, frame('PRIORITY', 0, 1, parent(1)));
    await breaksConnection('PROTOCOL_ERROR', 3, headers(3), frame('PRIORITY', 0, 2, parent(2)));
  });
});

describe('RST_STREAM (§6.4)', () => {
  it('ends a stream, and nothing more comes on it', async () => {
    const client = await breaksNothing(POST, frame('RST_STREAM', 0, 1, number(8)));
    expect(client.received(1)).toMatchObject({ status: 0, code: undefined });
  });

  it('may have a code that nobody knows (§7)', async () => {
    await breaksNothing(POST, frame('RST_STREAM', 0, 1, number(0xff)));
  });

  it('ends the connection on stream 0', async () => {
    await breaksConnection('PROTOCOL_ERROR', 0, frame('RST_STREAM', 0, 0, number(8)));
  });

  it('ends the connection on a stream that is idle', async () => {
    await breaksConnection('PROTOCOL_ERROR', 1, headers(1), frame('RST_STREAM', 0, 3, number(8)));
  });

  it.each(['', '123', '12345'])('ends the connection when its size is not four: %j', async (payload) => {
    await breaksConnection('FRAME_SIZE_ERROR', 1, POST, frame('RST_STREAM', 0, 1, payload));
  });
});

describe('PUSH_PROMISE (§6.6, §8.4)', () => {
  it.each([0, 1, 2])('ends the connection on any stream: %i', async (id) => {
    const promise = frame('PUSH_PROMISE', END_HEADERS, id, Buffer.concat([number(2), HEAD]));
    await breaksConnection('PROTOCOL_ERROR', 1, headers(1), promise);
  });
});

describe('CONTINUATION (§6.10)', () => {
  it('may follow HEADERS, once and more often', async () => {
    const client = await breaksNothing(
      frame('HEADERS', END_STREAM, 1, HEAD.subarray(0, 2)),
      ...Array.from({ length: 8 }, (_, i) => frame('CONTINUATION', 0, 1, HEAD.subarray(2 + i, 3 + i))),
      frame('CONTINUATION', END_HEADERS, 1, HEAD.subarray(10)),
    );
    expect(await client.answer(1)).toMatchObject({ status: 200 });
  });

  it('may follow trailers', async () => {
    const trailers = block([['x-sum', '1']]);
    const client = await breaksNothing(
      POST,
      data(1, 'body'),
      frame('HEADERS', END_STREAM, 1, trailers.subarray(0, 3)),
      frame('CONTINUATION', END_HEADERS, 1, trailers.subarray(3)),
    );
    expect(await client.answer(1)).toMatchObject({ body: 'POST / body' });
  });

  it.each<[string, number, Uint8Array[]]>([
    ['on stream 0', 0, [frame('HEADERS', END_STREAM, 1, HEAD), frame('CONTINUATION', END_HEADERS, 0)]],
    ['behind HEADERS that were whole', 1, [POST, frame('CONTINUATION', END_HEADERS, 1, HEAD)]],
    [
      'behind CONTINUATION that was the last',
      1,
      [
        frame('HEADERS', 0, 1, HEAD.subarray(0, 2)),
        frame('CONTINUATION', END_HEADERS, 1, HEAD.subarray(2)),
        frame('CONTINUATION', END_HEADERS, 1, HEAD),
      ],
    ],
    ['behind DATA', 1, [POST, data(1, 'x'), frame('CONTINUATION', END_HEADERS, 1, HEAD)]],
  ])('ends the connection %s', async (_, lastId, frames) => {
    await breaksConnection('PROTOCOL_ERROR', lastId, ...frames);
  });
});

it('a stream that is reset in its body leaves the connection as it was', async () => {
  const client = await speak();
  for (let id = 1; id < 41; id += 2) client.send(headers(id, request('POST'), 0), data(id, 'half'), frame('RST_STREAM', 0, id, number(8)));
  await goesOn(client);
});
