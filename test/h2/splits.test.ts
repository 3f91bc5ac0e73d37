import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { data, END_HEADERS, END_STREAM, frame, HELLO, headers, number, PADDED, request, settings } from '../support/http2-frames.ts';
import { type Event, Machine } from './machine.ts';

/** A conversation with a bit of everything. */
const BYTES: Buffer = Buffer.concat([
  HELLO,
  headers(1, request('GET', '/one', ['accept', '*/*'])),
  headers(3, request('POST', '/two', ['content-length', '6']), 0),
  data(3, 'abc'),
  frame('PING', 0, 0, '12345678'),
  frame('DATA', PADDED, 3, Buffer.from([2, 0x64, 0x65, 0x66, 0, 0])),
  headers(3, [['checksum', 'x']]),
  headers(5, [...request(), ['connection', 'close']]),
  frame('RST_STREAM', 0, 1, number(8)),
  settings([4, 1000]),
]);

/** What comes of some pieces: all events, with neighbouring data put together. */
function eventsOf(pieces: readonly Uint8Array[]): Event[] {
  const machine = new Machine(100, false);
  for (const piece of pieces) machine.receive(piece);
  expect(machine.session.error).toBeUndefined();
  return machine.events;
}

describe('the events of a connection do not depend on how its bytes were cut', () => {
  const whole = eventsOf([BYTES]);

  it('at any place', () => {
    for (let at = 1; at < BYTES.length; at++) expect(eventsOf([BYTES.subarray(0, at), BYTES.subarray(at)])).toEqual(whole);
  });

  it('into single bytes', () => {
    expect(eventsOf([...BYTES].map((byte) => Buffer.of(byte)))).toEqual(whole);
  });
});

describe('whatever comes', () => {
  const anyFrame = fc
    .tuple(
      fc.oneof(fc.integer({ min: 0, max: 16 }), fc.integer({ min: 0, max: 255 })),
      fc.integer({ min: 0, max: 255 }),
      fc.oneof(fc.integer({ min: 0, max: 7 }), fc.integer({ min: 0, max: 2 ** 31 - 1 })),
      fc.oneof(fc.uint8Array({ maxLength: 64 }), fc.constantFrom(number(0), number(1), Buffer.alloc(8), Buffer.alloc(5))),
    )
    .map(([type, flags, id, payload]) => frame(type, flags, id, payload));
  const goodFrame = fc.oneof(
    fc.integer({ min: 0, max: 4 }).map((i) => headers(2 * i + 1, request('POST'), 0)),
    fc.integer({ min: 0, max: 4 }).map((i) => headers(2 * i + 1)),
    fc.integer({ min: 0, max: 4 }).map((i) => data(2 * i + 1, 'abc', END_STREAM)),
    fc.integer({ min: 0, max: 4 }).map((i) => frame('HEADERS', END_HEADERS, 2 * i + 1, Buffer.from([0x82, 0x84, 0x86]))),
  );

  it('there are events or an error of the connection, never anything else', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ arbitrary: goodFrame, weight: 3 }, { arbitrary: anyFrame, weight: 1 }), { maxLength: 40 }),
        (frames) => {
          const machine = new Machine();
          for (const one of frames) machine.receive(one);
          const { session } = machine;
          if (session.error) expect(machine.sent().at(-1)?.type).toBe('GOAWAY');
          for (const stream of session.streams) expect(stream.receiveWindow).toBeGreaterThanOrEqual(0);
          expect(session.count).toBeLessThanOrEqual(100);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('of raw bytes there is no other outcome', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const machine = new Machine();
        machine.receive(bytes);
        expect(machine.session.error?.code ?? 0).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 2000 },
    );
  });
});
