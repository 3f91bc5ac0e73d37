import { describe, expect, it } from 'vitest';
import { data, END_HEADERS, frame, headers, number, request, settings } from '../support/http2-frames.ts';
import { Machine } from './machine.ts';

const CALM = 11;

/** How many of a thing a client may send before it is asked to calm down; infinite when it never is. */
function limitOf(send: (machine: Machine, i: number) => void, most = 5000): number {
  const machine = new Machine();
  for (let i = 0; i < most; i++) {
    send(machine, i);
    if (machine.session.error) {
      expect(machine.session.error.code).toBe(CALM);
      return i;
    }
    machine.sent();
  }
  return Number.POSITIVE_INFINITY;
}

describe('a client is asked to calm down (RFC 9113 §10.5)', () => {
  it('that starts streams and resets them (CVE-2023-44487)', () => {
    expect(limitOf((machine, i) => machine.receive(headers(2 * i + 1), frame('RST_STREAM', 0, 2 * i + 1, number(8))))).toBeLessThan(1000);
  });

  it('that makes us reset them (CVE-2025-8671)', () => {
    expect(limitOf((machine, i) => machine.receive(headers(2 * i + 1), frame('WINDOW_UPDATE', 0, 2 * i + 1, number(0))))).toBeLessThan(
      1000,
    );
    expect(limitOf((machine, i) => machine.receive(headers(2 * i + 1, [...request(), ['connection', 'close']])))).toBeLessThan(1000);
  });

  it('that starts more streams than it may, again and again', () => {
    expect(limitOf((machine, i) => machine.receive(headers(2 * i + 1)))).toBeLessThan(1000);
  });

  it.each<[string, Buffer]>([
    ['PING', frame('PING', 0, 0, '12345678')],
    ['SETTINGS', settings()],
    ['acknowledgements', frame('SETTINGS', 1, 0)],
    ['PRIORITY', frame('PRIORITY', 0, 1, Buffer.alloc(5))],
    ['PRIORITY_UPDATE', frame('PRIORITY_UPDATE', 0, 0, number(1))],
    ['windows of 1', frame('WINDOW_UPDATE', 0, 0, number(1))],
    ['unknown frames', frame(0x77, 0, 0)],
  ])('that floods us with %s', (_, bytes) => {
    expect(limitOf((machine) => machine.receive(bytes))).toBeLessThan(2000);
  });

  it('that sends empty DATA (CVE-2019-9518)', () => {
    const machine = new Machine();
    machine.receive(headers(1, request('POST'), 0));
    for (let i = 0; i < 2000; i++) machine.receive(data(1, ''));
    expect(machine.session.error?.code).toBe(CALM);
  });

  it('that never ends a header block (CVE-2024-27983)', () => {
    const machine = new Machine();
    machine.receive(frame('HEADERS', 0, 1, ''));
    for (let i = 0; i < 100 && !machine.session.error; i++) machine.receive(frame('CONTINUATION', 0, 1, Buffer.alloc(8 * 1024)));
    expect(machine.session.error?.code).toBe(CALM);
  });

  it('that takes one byte at a time', () => {
    const machine = new Machine();
    machine.receive(settings([4, 0]), headers(1));
    machine.answer(1, Buffer.alloc(10_000));
    for (let i = 0; i < 5000 && !machine.session.error; i++) {
      machine.receive(frame('WINDOW_UPDATE', 0, 1, number(1)));
      machine.sent();
    }
    expect(machine.session.error?.code).toBe(CALM);
  });
});

describe('a client is served', () => {
  it('that leaves a page with a hundred requests on their way', () => {
    const machine = new Machine();
    for (let id = 1; id < 200; id += 2) machine.receive(headers(id));
    for (let id = 1; id < 200; id += 2) machine.receive(frame('RST_STREAM', 0, id, number(8)));
    expect(machine.session.error).toBeUndefined();
    expect(machine.session.count).toBe(0);
  });

  it('that gives a window back for each frame of a body', () => {
    const machine = new Machine();
    for (let i = 0; i < 3000; i++) {
      const id = 2 * i + 1;
      machine.receive(headers(id));
      machine.answer(id, 'hello');
      machine.receive(frame('WINDOW_UPDATE', 0, 0, number(5)), frame('WINDOW_UPDATE', 0, id, number(5)));
      machine.sent();
    }
    expect(machine.session.error).toBeUndefined();
  });

  it('that pings ten times a second, for an hour', () => {
    const machine = new Machine();
    for (let i = 0; i < 36_000; i++) {
      machine.now += 100;
      machine.receive(frame('PING', 0, 0, '12345678'));
      machine.sent();
    }
    expect(machine.session.error).toBeUndefined();
  });

  it('that resets ten streams a second, for a minute', () => {
    const machine = new Machine();
    for (let i = 0; i < 600; i++) {
      machine.now += 100;
      machine.receive(headers(2 * i + 1), frame('RST_STREAM', 0, 2 * i + 1, number(8)));
      machine.sent();
    }
    expect(machine.session.error).toBeUndefined();
  });
});

describe('a stream that was reset', () => {
  it('counts until its exchange is released: its handler may be at work', () => {
    const machine = new Machine(2);
    machine.isSwift = false;
    for (const id of [1, 3]) machine.receive(headers(id), frame('RST_STREAM', 0, id, number(8)));
    machine.receive(headers(5));
    expect(machine.sent().at(-1)).toMatchObject({ type: 'RST_STREAM', id: 5, code: 'REFUSED_STREAM' });
    machine.session.release(machine.stream(1));
    machine.receive(headers(7));
    expect(machine.events.at(-1)).toMatchObject({ head: 'GET /', id: 7 });
  });

  it('has no more bytes sent', () => {
    const machine = new Machine();
    machine.receive(headers(1));
    machine.answer(1, Buffer.alloc(100_000));
    machine.sent();
    machine.receive(frame('RST_STREAM', 0, 1, number(8)), frame('WINDOW_UPDATE', 0, 0, number(1e6)));
    expect(machine.sent()).toEqual([]);
    expect(machine.session.write(machine.stream(1), Buffer.alloc(1), true)).toBe(true);
    expect(machine.sent()).toEqual([]);
  });

  it('holds as little of a header block as of any other', () => {
    const machine = new Machine();
    machine.receive(frame('HEADERS', END_HEADERS, 1, ''));
    expect(machine.sent()).toMatchObject([{ type: 'RST_STREAM', code: 'PROTOCOL_ERROR' }]);
  });
});
