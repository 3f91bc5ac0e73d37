import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/http/request/head-limits.ts';
import { data, END_HEADERS, END_STREAM, type Fields, frame, headers, number, PADDED, request, settings } from '../support/http2-frames.ts';
import { Machine } from './machine.ts';

/** What becomes of a request with these fields: a head, a refusal, or the code of its reset. */
function fateOf(fields: Fields, flags = END_STREAM): unknown {
  const machine = new Machine();
  machine.receive(headers(1, fields, flags));
  const [event] = machine.events;
  if (event) return event;
  const reset = machine.sent().find(({ type }) => type === 'RST_STREAM');
  return machine.session.error ? `connection ${machine.session.error.code}` : reset?.code;
}

/** The code of the error that ends the connection. */
function errorOf(...frames: Uint8Array[]): number | undefined {
  const machine = new Machine();
  machine.receive(...frames);
  return machine.session.error?.code;
}

const HEAD: Fields = request();

describe('a malformed request is reset (RFC 9113 §8.1.1)', () => {
  it.each<[string, Fields]>([
    ['without :method', HEAD.slice(1)],
    ['without :scheme', HEAD.filter(([name]) => name !== ':scheme')],
    ['without :path', HEAD.filter(([name]) => name !== ':path')],
    ['with an empty :path', request('GET', '')],
    ['with a :path that is none', request('GET', 'http://a/')],
    ['with * for another method than OPTIONS', request('GET', '*')],
    ['with :path twice', [...HEAD, [':path', '/b']]],
    ['with a pseudo-header field behind another field', [...HEAD.slice(0, 3), ['a', 'b'], [':authority', 'c']]],
    ['with a pseudo-header field of responses', [[':status', '200'], ...HEAD]],
    ['with one that is unknown', [[':other', 'x'], ...HEAD]],
    ['with a capital letter in a name', [...HEAD, ['X-Up', 'a']]],
    ['with a name that is no token', [...HEAD, ['a b', 'c']]],
    ['with an empty name', [...HEAD, ['', 'c']]],
    ['with a line feed in a value', [...HEAD, ['a', 'b\nc: d']]],
    ['with a carriage return in a pseudo-header field', request('GET', '/\r')],
    ['with NUL in a value', [...HEAD, ['a', '\0']]],
    ['with space around a value', [...HEAD, ['a', ' b']]],
    ['with connection', [...HEAD, ['connection', 'close']]],
    ['with transfer-encoding', [...HEAD, ['transfer-encoding', 'chunked']]],
    ['with upgrade', [...HEAD, ['upgrade', 'websocket']]],
    ['with te other than trailers', [...HEAD, ['te', 'gzip']]],
    ['with a length that is no number', [...HEAD, ['content-length', '1, 1']]],
    ['with two lengths', [...HEAD, ['content-length', '0'], ['content-length', '0']]],
    ['with a length and no body', [...HEAD, ['content-length', '5']]],
    ['with CONNECT and :path', request('CONNECT', '/')],
    ['with :protocol and another method than CONNECT', [[':protocol', 'websocket'], ...HEAD]],
  ])('%s', (_, fields) => {
    expect(fateOf(fields)).toBe('PROTOCOL_ERROR');
  });

  it('when its body is longer or shorter than announced', () => {
    const machine = new Machine();
    const announced = request('POST', '/', ['content-length', '3']);
    machine.receive(headers(1, announced, 0), data(1, 'ab', END_STREAM), headers(3, announced, 0), data(3, 'abcd'));
    machine.receive(headers(5, request('POST', '/', ['content-length', '0']), 0), data(5, 'a'));
    expect(machine.events.filter((event) => 'reset' in event)).toEqual([
      { reset: 1, id: 1 },
      { reset: 1, id: 3 },
      { reset: 1, id: 5 },
    ]);
  });

  it('when its trailers hold a pseudo-header field, or do not end it', () => {
    const machine = new Machine();
    machine.receive(headers(1, request('POST'), 0), headers(1, [[':path', '/']]));
    machine.receive(headers(3, request('POST'), 0), headers(3, [['a', 'b']], 0));
    expect(machine.events.filter((event) => 'reset' in event)).toHaveLength(2);
  });

  it('and no other stream is', () => {
    const machine = new Machine();
    machine.receive(headers(1), headers(3, [...HEAD, ['connection', 'close']]), headers(5));
    expect(machine.events.map((event) => 'head' in event && event.id)).toEqual([1, 5]);
  });
});

describe('a request is refused with an answer', () => {
  const long = 'x'.repeat(DEFAULT_LIMITS.maxHeaderSize);
  it.each<[string, Fields, number]>([
    ['whose method is not served', request('TRACE'), 405],
    [
      'whose method is CONNECT',
      [
        [':method', 'CONNECT'],
        [':authority', 'a:1'],
      ],
      501,
    ],
    ['for another protocol', [[':protocol', 'other'], ...request('CONNECT')], 501],
    ['whose target is too long', request('GET', `/${long}`), 414],
    ['whose target holds what no target has', request('GET', '/\xe9'), 400],
    ['of another scheme', HEAD.map(([name, value]) => [name, name === ':scheme' ? 'ftp' : value]), 400],
    ['without a host', HEAD.filter(([name]) => name !== ':authority'), 400],
    ['with an empty :authority', [...HEAD.slice(0, 3), [':authority', '']], 400],
    ['with an empty Host', [...HEAD.slice(0, 3), ['host', '']], 400],
    ['with two hosts, though both repeat :authority', [...HEAD, ['host', 'localhost'], ['host', 'localhost']], 400],
    ['with two hosts', [...HEAD, ['host', 'other']], 400],
    ['with a host that is none', [...HEAD.slice(0, 3), [':authority', 'a b']], 400],
    ['whose fields are too large', [...HEAD, ['a', long]], 431],
    ['whose fields are too many', [...HEAD, ...Array.from({ length: 100 }, (_, i): [string, string] => [`a${i}`, ''])], 431],
    ['whose list is far too large', [...HEAD, ['a', long], ['b', long], ['c', long]], 431],
    ['with another expectation', [...HEAD, ['expect', 'more']], 417],
    ['with a length beyond any body', [...request('POST'), ['content-length', '99999999999999999999']], 413],
  ])('%s', (_, fields, status) => {
    expect(fateOf(fields, 0)).toMatchObject({ refused: status });
  });

  it('and one whose Host repeats :authority is not (RFC 9113 §8.3.1)', () => {
    expect(fateOf([...HEAD, ['host', 'localhost']])).toMatchObject({ head: 'GET /' });
  });

  it('and one for a websocket is not (RFC 8441 §4)', () => {
    const machine = new Machine();
    machine.receive(headers(1, [[':protocol', 'websocket'], ...request('CONNECT', '/chat')], 0));
    expect(machine.heads[0]).toMatchObject({ method: 'CONNECT', target: '/chat', protocol: 'websocket' });
  });
});

describe('an error of the connection ends it', () => {
  const PROTOCOL = 1;
  const SIZE = 6;
  it.each<[string, Uint8Array[], number]>([
    ['DATA on the connection', [data(0, 'a')], PROTOCOL],
    ['DATA on a stream that has not begun', [data(1, 'a')], PROTOCOL],
    ['HEADERS on the connection', [headers(0)], PROTOCOL],
    ['HEADERS on an even stream (§5.1.1)', [headers(2)], PROTOCOL],
    ['HEADERS on a lower stream (§5.1.1)', [headers(5), headers(3)], PROTOCOL],
    ['a header block that is none (§4.3)', [frame('HEADERS', END_HEADERS, 1, Buffer.from([0x80]))], 9],
    ['another frame inside a header block', [frame('HEADERS', 0, 1, ''), frame('PING', 0, 0, '12345678')], PROTOCOL],
    ['CONTINUATION of another stream', [frame('HEADERS', 0, 1, ''), frame('CONTINUATION', END_HEADERS, 3, '')], PROTOCOL],
    ['CONTINUATION of nothing', [frame('CONTINUATION', END_HEADERS, 1, '')], PROTOCOL],
    ['RST_STREAM on a stream that has not begun', [frame('RST_STREAM', 0, 1, number(0))], PROTOCOL],
    ['RST_STREAM of another size', [headers(1), frame('RST_STREAM', 0, 1, '')], SIZE],
    ['SETTINGS on a stream', [frame('SETTINGS', 0, 1, '')], PROTOCOL],
    ['SETTINGS of another size', [frame('SETTINGS', 0, 0, 'abc')], SIZE],
    ['an acknowledgement with settings', [frame('SETTINGS', 1, 0, '123456')], SIZE],
    ['ENABLE_PUSH of 2', [settings([2, 2])], PROTOCOL],
    ['a window above 2^31-1', [settings([4, 2 ** 31])], 3],
    ['a frame size below 16384', [settings([5, 16_383])], PROTOCOL],
    ['a frame size above 2^24-1', [settings([5, 2 ** 24])], PROTOCOL],
    ['PUSH_PROMISE (§8.4)', [frame('PUSH_PROMISE', END_HEADERS, 1, number(2))], PROTOCOL],
    ['PING on a stream', [frame('PING', 0, 1, '12345678')], PROTOCOL],
    ['PING of another size', [frame('PING', 0, 0, '1')], SIZE],
    ['GOAWAY on a stream', [frame('GOAWAY', 0, 1, Buffer.alloc(8))], PROTOCOL],
    ['WINDOW_UPDATE of 0 on the connection', [frame('WINDOW_UPDATE', 0, 0, number(0))], PROTOCOL],
    ['WINDOW_UPDATE of another size', [frame('WINDOW_UPDATE', 0, 0, '')], SIZE],
    ['WINDOW_UPDATE on a stream that has not begun', [frame('WINDOW_UPDATE', 0, 1, number(1))], PROTOCOL],
    ['PRIORITY on the connection', [frame('PRIORITY', 0, 0, Buffer.alloc(5))], PROTOCOL],
    ['padding that is longer than its frame', [headers(1, request('POST'), 0), frame('DATA', PADDED, 1, Buffer.from([5, 1]))], PROTOCOL],
    ['padding where its length is missing', [headers(1, request('POST'), 0), frame('DATA', PADDED, 1, '')], SIZE],
    ['PRIORITY_UPDATE on a stream (RFC 9218 §7.1)', [frame('PRIORITY_UPDATE', 0, 1, number(1))], PROTOCOL],
    ['a frame that is too large (§4.2)', [frame('PING', 0, 0, Buffer.alloc(16_385))], SIZE],
  ])('%s', (_, frames, code) => {
    expect(errorOf(...frames)).toBe(code);
  });

  it('and all its streams, and nothing more is read', () => {
    const machine = new Machine();
    machine.receive(headers(1), headers(3), frame('PUSH_PROMISE', 0, 1, number(2)), headers(5));
    machine.receive(headers(7));
    expect(machine.events.slice(2)).toEqual([
      { reset: 1, id: 1 },
      { reset: 1, id: 3 },
    ]);
    expect(machine.sent().at(-1)).toMatchObject({ type: 'GOAWAY', code: 'PROTOCOL_ERROR' });
    expect(machine.session.isOver).toBe(true);
    expect(machine.session.count).toBe(0);
  });
});

describe('a frame on a closed stream (RFC 9113 §5.1)', () => {
  it('is ignored when we have reset it: it may have been on its way', () => {
    const machine = new Machine();
    machine.receive(headers(1, request('POST'), 0));
    machine.session.reset(machine.stream(1), 8);
    machine.session.release(machine.stream(1));
    machine.receive(
      data(1, 'late'),
      headers(1, [['a', 'b']]),
      frame('WINDOW_UPDATE', 0, 1, number(1)),
      frame('RST_STREAM', 0, 1, number(8)),
    );
    expect(machine.session.error).toBeUndefined();
    expect(machine.events).toHaveLength(1);
  });

  it('is not answered with another reset, even if it breaks a rule itself', () => {
    const machine = new Machine(1);
    machine.receive(headers(1), headers(3)); // the second is refused
    const faults = (id: number): Buffer[] => [
      frame('WINDOW_UPDATE', 0, id, number(0)),
      frame('PRIORITY', 0, id, Buffer.from([0, 0, 0, id, 0])),
    ];
    machine.receive(...faults(3), ...faults(1), ...faults(1));
    const resets = machine.sent().filter(({ type }) => type === 'RST_STREAM');
    expect(resets.map(({ id, code }) => [id, code])).toEqual([
      [3, 'REFUSED_STREAM'],
      [1, 'PROTOCOL_ERROR'],
    ]);
  });

  it('is an error of the stream when the client has reset it', () => {
    const machine = new Machine();
    machine.receive(headers(1, request('POST'), 0), frame('RST_STREAM', 0, 1, number(8)), data(1, 'late'));
    expect(machine.sent().at(-1)).toMatchObject({ type: 'RST_STREAM', code: 'STREAM_CLOSED' });
  });

  it('is an error of the stream when the client has ended it and its answer is not out', () => {
    const machine = new Machine();
    machine.receive(headers(1), data(1, 'late'));
    expect(machine.sent().at(-1)).toMatchObject({ type: 'RST_STREAM', code: 'STREAM_CLOSED' });
  });

  it('is an error of the connection when both have ended it', () => {
    const machine = new Machine();
    machine.receive(headers(1));
    machine.answer(1, 'a');
    machine.receive(data(1, 'late'));
    expect(machine.session.error?.code).toBe(5);
  });
});
