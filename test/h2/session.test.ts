import { describe, expect, it } from 'vitest';
import { HeaderList } from '../../src/http/header-list.ts';
import { data, END_STREAM, frame, HELLO, headers, number, PREFACE, request, settings } from '../support/http2-frames.ts';
import { Machine } from './machine.ts';

describe('a session', () => {
  it('begins with its settings, and acknowledges those of the client (RFC 9113 §3.4, §6.5.3)', () => {
    const machine = new Machine(100, false);
    expect(machine.sent().map(({ type, flags, id }) => [type, flags, id])).toEqual([
      ['SETTINGS', 0, 0],
      ['WINDOW_UPDATE', 0, 0],
    ]);
    machine.receive(HELLO);
    expect(machine.sent().map(({ type, flags }) => [type, flags])).toEqual([['SETTINGS', 1]]);
  });

  it('passes a request on with its fields as HTTP/1.1 would have had them (RFC 9113 §8.3.1, §8.2.3)', () => {
    const machine = new Machine();
    machine.receive(headers(1, request('GET', '/a?b', ['cookie', 'a=1'], ['accept', '*/*'], ['cookie', 'b=2'])));
    expect(machine.events).toEqual([{ head: 'GET /a?b', id: 1, isEnded: true }]);
    expect(machine.heads[0]?.lines.pairs()).toEqual([
      ['host', 'localhost'],
      ['accept', '*/*'],
      ['cookie', 'a=1; b=2'],
    ]);
  });

  it('knows the head of an equal request again', () => {
    const machine = new Machine();
    machine.receive(headers(1), headers(3), headers(5));
    expect(machine.heads[1]).toBe(machine.heads[2]);
  });

  it('passes a body on in the pieces in which it came', () => {
    const machine = new Machine();
    machine.receive(headers(1, request('POST', '/'), 0), data(1, 'one'), data(1, 'two', END_STREAM));
    expect(machine.events.slice(1)).toEqual([{ data: 'one', id: 1 }, { data: 'two', id: 1 }, { end: 1 }]);
  });

  it('answers with a head and a body, whose fields are in lower case', () => {
    const machine = new Machine();
    machine.receive(headers(1));
    expect(machine.answer(1, 'hello', { 'Content-Type': 'text/plain', 'Set-Cookie': ['a=1', 'b=2'] })).toBe(true);
    const [head, body] = machine.sent();
    expect(head?.fields).toEqual([
      [':status', '200'],
      ['content-type', 'text/plain'],
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
      ['date', 'Sat, 28 Nov 2026 12:00:00 GMT'],
      ['content-length', '5'],
    ]);
    expect([body?.type, body?.flags, body?.payload.toString()]).toEqual(['DATA', END_STREAM, 'hello']);
    expect(machine.session.count).toBe(0);
  });

  it('sends a text that is not ASCII as UTF-8', () => {
    const machine = new Machine();
    machine.receive(headers(1));
    machine.answer(1, 'né');
    expect(machine.sent().at(-1)?.payload.toString('utf8')).toBe('né');
  });

  it('ends the stream with the head when there is no body', () => {
    const machine = new Machine();
    machine.receive(headers(1));
    machine.answer(1, '');
    expect(machine.sent().map(({ type, flags }) => [type, flags])).toEqual([['HEADERS', 0x5]]);
  });

  it('sends interim responses before the response only (RFC 9113 §8.1)', () => {
    const machine = new Machine();
    machine.receive(headers(1));
    const early = HeaderList.of({ Link: '</a.css>; rel=preload' }).wire;
    machine.session.interim(machine.stream(1), 103, early);
    machine.answer(1, '');
    machine.session.interim(machine.stream(1), 103, early);
    expect(machine.sent().map(({ fields }) => fields?.[0])).toEqual([
      [':status', '103'],
      [':status', '200'],
    ]);
  });

  it('splits a head that is larger than a frame (RFC 9113 §4.3)', () => {
    const machine = new Machine();
    machine.receive(headers(1));
    machine.session.respond(machine.stream(1), 200, HeaderList.of({ x: '~'.repeat(40_000) }).wire, '', 0, true);
    expect(machine.session.take(1e6).length).toBeGreaterThan(40_000);
    expect(machine.session.error).toBeUndefined();
  });

  it('answers a ping with the same bytes (RFC 9113 §6.7)', () => {
    const machine = new Machine();
    machine.receive(frame('PING', 0, 0, '12345678'));
    expect(machine.sent().map(({ type, flags, payload }) => [type, flags, payload.toString()])).toEqual([['PING', 1, '12345678']]);
  });

  it('ignores what it does not know: frames, settings, flags (RFC 9113 §4.1, §5.5, §6.5.2)', () => {
    const machine = new Machine();
    machine.receive(frame(0xbe, 0xff, 0, 'what'), settings([0x77, 1]), headers(1, request(), END_STREAM | 0x40));
    expect(machine.events).toEqual([{ head: 'GET /', id: 1, isEnded: true }]);
  });

  it('stops reading when its owner does, and goes on where it was', () => {
    const machine = new Machine();
    machine.mayGoOn = false;
    machine.receive(headers(1));
    machine.receive(headers(3));
    expect(machine.events).toEqual([]);
    machine.mayGoOn = true;
    machine.session.goOn(machine.now);
    expect(machine.events.map((event) => 'head' in event && event.id)).toEqual([1, 3]);
  });

  it('tells the client that it leaves, serves what is open, and ignores what comes later (RFC 9113 §6.8)', () => {
    const machine = new Machine();
    machine.receive(headers(1));
    machine.session.goAway(false);
    machine.receive(headers(3));
    machine.session.goAway(true);
    machine.receive(headers(5));
    expect(machine.events).toHaveLength(2);
    const told = machine.sent().filter(({ type }) => type === 'GOAWAY');
    expect(told.map(({ payload, code }) => [payload.readUInt32BE(0), code])).toEqual([
      [2 ** 31 - 1, 'NO_ERROR'],
      [3, 'NO_ERROR'],
    ]);
    machine.answer(1, 'a');
    expect(machine.session.isOver).toBe(false);
    machine.answer(3, 'b');
    expect(machine.session.isOver).toBe(true);
  });

  it('serves what came before the client had heard that it leaves, however long that takes (RFC 9113 §6.8)', () => {
    const machine = new Machine();
    machine.session.goAway(false);
    const ping = machine.sent().find(({ type }) => type === 'PING');
    machine.receive(headers(1), frame('PING', 1, 0, ping?.payload), headers(3));
    expect(machine.events).toEqual([{ head: 'GET /', id: 1, isEnded: true }]);
    expect(machine.sent().map(({ type, payload }) => [type, payload.readUInt32BE(0)])).toEqual([['GOAWAY', 1]]);
    machine.answer(1, 'a');
    expect(machine.session.isOver).toBe(true);
  });

  it('is over when the client has left and has its answers', () => {
    const machine = new Machine();
    machine.receive(headers(1), frame('GOAWAY', 0, 0, Buffer.concat([number(0), number(0)])));
    expect(machine.session.isOver).toBe(false);
    machine.answer(1, 'a');
    expect(machine.session.isOver).toBe(true);
  });

  it('refuses another preface, and a first frame that is no SETTINGS (RFC 9113 §3.4)', () => {
    const other = new Machine(100, false);
    other.receive(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    expect(other.session.error?.code).toBe(1);
    const hasty = new Machine(100, false);
    hasty.receive(PREFACE, headers(1));
    expect(hasty.session.error?.code).toBe(1);
    expect(hasty.events).toEqual([]);
  });
});
