/** RFC 9113 §6.5, §6.7, §6.8, §7: SETTINGS, PING, GOAWAY and the codes of errors. */
import { describe, expect, it } from 'vitest';
import { ACK, data, END_STREAM, frame, HELLO, headers, number, request, settings } from '../support/http2-frames.ts';
import { breaksConnection, breaksNothing, goesOn, speak } from '../support/http2-verdicts.ts';

const HEADER_TABLE_SIZE = 1;
const ENABLE_PUSH = 2;
const MAX_CONCURRENT_STREAMS = 3;
const INITIAL_WINDOW_SIZE = 4;
const MAX_FRAME_SIZE = 5;
const MAX_HEADER_LIST_SIZE = 6;
const ENABLE_CONNECT_PROTOCOL = 8;
const NO_RFC7540_PRIORITIES = 9;

describe('SETTINGS (§6.5)', () => {
  it('are acknowledged, once for each frame (§6.5.3)', async () => {
    const client = await speak();
    client.send(settings([ENABLE_PUSH, 0]), settings(), settings([MAX_CONCURRENT_STREAMS, 7]));
    await client.ping();
    expect(client.frames.filter(({ type, flags }) => type === 'SETTINGS' && flags === ACK)).toHaveLength(4); // one for the preface
  });

  it('that are acknowledged are not acknowledged again', async () => {
    const client = await breaksNothing(frame('SETTINGS', ACK, 0));
    expect(client.frames.filter(({ type, flags }) => type === 'SETTINGS' && flags === ACK)).toHaveLength(1);
  });

  it.each<[string, Uint8Array, 'PROTOCOL_ERROR' | 'FRAME_SIZE_ERROR' | 'FLOW_CONTROL_ERROR']>([
    ['on a stream', frame('SETTINGS', 0, 1), 'PROTOCOL_ERROR'],
    ['that acknowledge, and hold a setting', frame('SETTINGS', ACK, 0, '123456'), 'FRAME_SIZE_ERROR'],
    ['whose size is no multiple of six', frame('SETTINGS', 0, 0, '123'), 'FRAME_SIZE_ERROR'],
    ['ENABLE_PUSH other than 0 or 1', settings([ENABLE_PUSH, 2]), 'PROTOCOL_ERROR'],
    ['INITIAL_WINDOW_SIZE above 2^31-1', settings([INITIAL_WINDOW_SIZE, 2 ** 31]), 'FLOW_CONTROL_ERROR'],
    ['MAX_FRAME_SIZE below 2^14', settings([MAX_FRAME_SIZE, 2 ** 14 - 1]), 'PROTOCOL_ERROR'],
    ['MAX_FRAME_SIZE above 2^24-1', settings([MAX_FRAME_SIZE, 2 ** 24]), 'PROTOCOL_ERROR'],
    ['ENABLE_CONNECT_PROTOCOL other than 0 or 1 (RFC 8441 §3)', settings([ENABLE_CONNECT_PROTOCOL, 2]), 'PROTOCOL_ERROR'],
    ['NO_RFC7540_PRIORITIES other than 0 or 1 (RFC 9218 §2.1)', settings([NO_RFC7540_PRIORITIES, 2]), 'PROTOCOL_ERROR'],
  ])('end the connection: %s', async (_, bytes, code) => {
    await breaksConnection(code, 0, bytes);
  });

  it.each<[string, [number, number][]]>([
    [
      'HEADER_TABLE_SIZE of 0, and of the largest number',
      [
        [HEADER_TABLE_SIZE, 0],
        [HEADER_TABLE_SIZE, 2 ** 32 - 1],
      ],
    ],
    [
      'ENABLE_PUSH of 0 and 1',
      [
        [ENABLE_PUSH, 0],
        [ENABLE_PUSH, 1],
      ],
    ],
    ['MAX_CONCURRENT_STREAMS of 0, which concerns pushes', [[MAX_CONCURRENT_STREAMS, 0]]],
    ['INITIAL_WINDOW_SIZE of 2^31-1', [[INITIAL_WINDOW_SIZE, 2 ** 31 - 1]]],
    [
      'MAX_FRAME_SIZE of 2^14 and 2^24-1',
      [
        [MAX_FRAME_SIZE, 2 ** 14],
        [MAX_FRAME_SIZE, 2 ** 24 - 1],
      ],
    ],
    ['MAX_HEADER_LIST_SIZE of 0, which is advice', [[MAX_HEADER_LIST_SIZE, 0]]],
    ['one that nobody knows', [[0xaaaa, 2 ** 32 - 1]]],
  ])('are taken: %s', async (_, pairs) => {
    await breaksNothing(settings(...pairs));
  });

  it('are read in the order in which they stand', async () => {
    const client = await speak();
    client.send(settings([INITIAL_WINDOW_SIZE, 100], [INITIAL_WINDOW_SIZE, 1]), headers(1));
    const first = await client.frame(({ type }) => type === 'DATA', 'a byte of the response');
    expect(first.payload).toHaveLength(1);
  });

  it('of ours are what a server may send: streams, list, CONNECT, priorities; no push', async () => {
    const client = await speak();
    const { payload } = await client.frame(({ type }) => type === 'SETTINGS', 'our settings');
    const ids = Array.from({ length: payload.length / 6 }, (_, i) => payload.readUInt16BE(6 * i));
    expect(ids).toEqual([MAX_CONCURRENT_STREAMS, MAX_HEADER_LIST_SIZE, ENABLE_CONNECT_PROTOCOL, NO_RFC7540_PRIORITIES]);
  });
});

describe('PING (§6.7)', () => {
  it('is answered with what it holds', async () => {
    const client = await breaksNothing(frame('PING', 0, 0, '\0\x01abcde\x7f'));
    const answers = client.frames.filter(({ type }) => type === 'PING');
    expect(answers).toMatchObject([{ flags: ACK, id: 0, payload: Buffer.from('\0\x01abcde\x7f') }]);
  });

  it('is not answered when it is an answer', async () => {
    const client = await breaksNothing(frame('PING', ACK, 0, '12345678'));
    expect(client.frames.some(({ type }) => type === 'PING')).toBe(false);
  });

  it('is answered while streams wait for window', async () => {
    const client = await speak({}, Buffer.concat([HELLO, settings([INITIAL_WINDOW_SIZE, 0])]));
    client.send(headers(1, request('GET', '/large')));
    await client.ping();
  });

  it('ends the connection on a stream', async () => {
    await breaksConnection('PROTOCOL_ERROR', 1, headers(1), frame('PING', 0, 1, '12345678'));
  });

  it.each(['', '1234567', '123456789'])('ends the connection when its size is not eight: %j', async (payload) => {
    await breaksConnection('FRAME_SIZE_ERROR', 0, frame('PING', 0, 0, payload));
  });
});

describe('GOAWAY (§6.8)', () => {
  const leave = (code: number, more = ''): Buffer => frame('GOAWAY', 0, 0, Buffer.concat([number(0), number(code), Buffer.from(more)]));

  it.each([0, 0xff])('of a client with nothing open ends the connection, whatever its code: %i (§7)', async (code) => {
    const client = await speak();
    client.send(leave(code, 'because'));
    expect(await client.ending()).toMatchObject({ isReset: false });
  });

  it('of a client lets its streams finish', async () => {
    const client = await speak();
    client.send(headers(1, request('POST'), 0), leave(0), data(1, 'the rest', END_STREAM));
    expect(await client.answer(1)).toMatchObject({ body: 'POST / the rest' });
    await client.ending();
  });

  it('ends the connection on a stream', async () => {
    await breaksConnection('PROTOCOL_ERROR', 0, frame('GOAWAY', 0, 1, Buffer.alloc(8)));
  });

  it('of ours comes with every error of the connection, and says why in words', async () => {
    const client = await speak();
    client.send(frame('PING', 0, 0, '1'));
    await client.ending();
    expect(client.frames.at(-1)?.payload.subarray(8).toString()).toMatch(/size/);
  });
});

it('codes that nobody knows change nothing (§7)', async () => {
  const client = await speak();
  client.send(headers(1, request('POST'), 0), frame('RST_STREAM', 0, 1, number(0x7f_ff_ff_ff)));
  await goesOn(client);
});
