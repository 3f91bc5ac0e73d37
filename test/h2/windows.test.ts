import { describe, expect, it } from 'vitest';
import { HeaderList } from '../../src/http/header-list.ts';
import { data, END_STREAM, frame, headers, number, request, settings } from '../support/http2-frames.ts';
import { Machine } from './machine.ts';

const KIB = 1024;
const WINDOW = 65_535;

/** Bytes of body among what is sent. */
function bytesOf(frames: readonly { type: unknown; payload: Buffer }[]): number {
  return frames.reduce((sum, { type, payload }) => (type === 'DATA' ? sum + payload.length : sum), 0);
}

function update(id: number, increment: number): Buffer {
  return frame('WINDOW_UPDATE', 0, id, number(increment));
}

describe('the window of a client (RFC 9113 §5.2)', () => {
  it('holds a body back until it is larger', () => {
    const machine = new Machine();
    machine.receive(headers(1));
    expect(machine.answer(1, Buffer.alloc(100 * KIB))).toBe(false);
    expect(bytesOf(machine.sent())).toBe(WINDOW);
    expect(machine.session.hasOutput).toBe(false);
    machine.receive(update(0, 1e6));
    expect(bytesOf(machine.sent())).toBe(0);
    machine.receive(update(1, 1e6));
    const rest = machine.sent();
    expect(bytesOf(rest)).toBe(100 * KIB - WINDOW);
    expect(rest.at(-1)?.flags).toBe(END_STREAM);
    expect(machine.events.at(-1)).toEqual({ room: 1 });
    expect(machine.session.count).toBe(0);
  });

  it('of one stream holds up no other', () => {
    const machine = new Machine();
    machine.receive(update(0, 1e6), headers(1), headers(3));
    machine.answer(1, Buffer.alloc(100 * KIB));
    machine.answer(3, 'small');
    expect(
      machine
        .sent()
        .findLast(({ id }) => id === 3)
        ?.payload.toString(),
    ).toBe('small');
  });

  it('may be set, also while a body waits, and may become negative (RFC 9113 §6.9.2)', () => {
    const machine = new Machine();
    machine.receive(update(0, 1e6), settings([4, 10]), headers(1));
    machine.answer(1, Buffer.alloc(30));
    expect(bytesOf(machine.sent())).toBe(10);
    machine.receive(settings([4, 0]));
    machine.receive(update(1, 15));
    expect(bytesOf(machine.sent())).toBe(5);
    machine.receive(settings([4, 100]));
    expect(bytesOf(machine.sent())).toBe(15);
  });

  it('that would exceed 2^31-1 ends its stream, or the connection (RFC 9113 §6.9.1)', () => {
    const machine = new Machine();
    machine.receive(headers(1), update(1, 2 ** 31 - 1));
    expect(machine.events.at(-1)).toEqual({ reset: 3, id: 1 });
    machine.receive(update(0, 2 ** 31 - 1));
    expect(machine.session.error?.code).toBe(3);
  });

  it('lets an end through that has no bytes', () => {
    const machine = new Machine();
    machine.receive(settings([4, 0]), headers(1));
    const stream = machine.stream(1);
    machine.session.respond(stream, 200, HeaderList.EMPTY.wire, '', -1, false);
    expect(machine.session.write(stream, Buffer.alloc(0), true)).toBe(true);
    expect(machine.sent().at(-1)?.flags).toBe(END_STREAM);
  });

  it('gives frames of at most 16 KiB, and no more than there is room for', () => {
    const machine = new Machine();
    machine.receive(update(0, 1e6), update(0, 1e6), settings([4, 1e6]), headers(1));
    machine.answer(1, Buffer.alloc(200 * KIB));
    const first = machine.sent(64 * KIB);
    expect(Math.max(...first.map(({ payload }) => payload.length))).toBe(16 * KIB);
    expect(bytesOf(first)).toBeLessThanOrEqual(80 * KIB);
    expect(bytesOf(first) + bytesOf(machine.sent())).toBe(200 * KIB);
  });
});

describe('our window', () => {
  it('is given back as a body is dealt with, and not before', () => {
    const machine = new Machine();
    machine.isSwift = false;
    machine.receive(headers(1, request('POST'), 0));
    for (let i = 0; i < 3; i++) machine.receive(data(1, Buffer.alloc(16 * KIB)));
    expect(machine.sent().filter(({ id }) => id === 1)).toEqual([]);
    machine.session.consumed(machine.stream(1), 48 * KIB);
    const given = machine.sent().find(({ type, id }) => type === 'WINDOW_UPDATE' && id === 1);
    expect(given?.payload.readUInt32BE(0)).toBeGreaterThanOrEqual(48 * KIB);
  });

  it('ends the stream of a client that sends more (RFC 9113 §6.9.1)', () => {
    const machine = new Machine();
    machine.isSwift = false;
    machine.receive(headers(1, request('POST'), 0));
    for (let i = 0; i < 5; i++) machine.receive(data(1, Buffer.alloc(16 * KIB)));
    expect(machine.events.at(-1)).toEqual({ reset: 3, id: 1 });
    expect(machine.sent().at(-1)).toMatchObject({ type: 'RST_STREAM', code: 'FLOW_CONTROL_ERROR' });
  });

  it('of the connection is given back as data comes, whatever becomes of it', () => {
    const machine = new Machine();
    machine.isSwift = false;
    for (let id = 1; id < 40; id += 2) {
      machine.receive(headers(id, request('POST'), 0));
      for (let i = 0; i < 3; i++) machine.receive(data(id, Buffer.alloc(16 * KIB)));
    }
    const given = machine.sent().filter(({ type, id }) => type === 'WINDOW_UPDATE' && id === 0);
    expect(given.length).toBeGreaterThan(0);
    expect(machine.session.error).toBeUndefined();
  });

  it('grows for a body that is dealt with at once, within bounds', () => {
    const machine = new Machine();
    machine.receive(headers(1, request('POST'), 0));
    let most = 0;
    let allowed = WINDOW;
    for (let i = 0; i < 2000; i++) {
      machine.receive(data(1, Buffer.alloc(16 * KIB)));
      allowed -= 16 * KIB;
      for (const { type, id, payload } of machine.sent()) if (type === 'WINDOW_UPDATE' && id === 1) allowed += payload.readUInt32BE(0);
      most = Math.max(most, allowed);
    }
    expect(most).toBeGreaterThan(512 * KIB);
    expect(most).toBeLessThanOrEqual(1024 * KIB);
  });

  it('of all streams together has a bound', () => {
    const machine = new Machine();
    const allowed = new Map<number, number>();
    for (let id = 1; id < 100; id += 2) {
      machine.receive(headers(id, request('POST'), 0));
      allowed.set(id, WINDOW);
    }
    for (let i = 0; i < 200; i++) {
      for (const id of allowed.keys()) machine.receive(data(id, Buffer.alloc(16 * KIB)));
      for (const id of allowed.keys()) allowed.set(id, (allowed.get(id) as number) - 16 * KIB);
      for (const { type, id, payload } of machine.sent()) {
        if (type === 'WINDOW_UPDATE' && id !== 0) allowed.set(id, (allowed.get(id) as number) + payload.readUInt32BE(0));
      }
    }
    const sum = [...allowed.values()].reduce((total, one) => total + one, 0);
    expect(sum).toBeLessThanOrEqual(50 * WINDOW + 6 * KIB * KIB);
  });
});
