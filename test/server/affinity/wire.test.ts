import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type FromNeighbour, ItemReader, sendItems, type ToNeighbour } from '../../../src/server/affinity/wire.ts';

/** What a message is as bytes. */
function bytesOf(...items: readonly (ToNeighbour | FromNeighbour)[]): Buffer {
  const written: Buffer[] = [];
  sendItems({ write: (bytes: Buffer) => written.push(bytes) } as unknown as Socket, items);
  return Buffer.concat(written);
}

/** Feeds pieces. @returns What came out, message by message. */
function read(pieces: Iterable<Buffer>): (readonly unknown[])[] {
  const reader = new ItemReader();
  return [...pieces].flatMap((piece) => reader.push(piece, false));
}

/** The same from a memory that all pieces come in, one after the other, and in which something else comes behind them. */
function readLent(pieces: Iterable<Buffer>): (readonly unknown[])[] {
  const reader = new ItemReader();
  const shared = Buffer.alloc(64 * 1024);
  const messages = [...pieces].flatMap((piece) => reader.push(shared.subarray(0, piece.copy(shared)), true));
  shared.fill(0xee);
  return messages;
}

const PEER = ['127.0.0.1', 4711, false, undefined, 1.5, 8000, undefined, undefined] as const;
const PASS = ['pass', 1, 'key é', 7, 'GET', '/a', '1.1', [-1, 'a:\u00ff', [0, 1, 2, 3]], PEER, undefined] as const;
const DATA = ['data', 1, Uint8Array.from([0, 1, 2, 255])] as const;

describe('messages between workers', () => {
  it('come out as they went in, undefined and bytes too', () => {
    const [items] = read([bytesOf(PASS, DATA, ['moved', 3, 9])]);
    expect(items).toEqual([PASS, ['data', 1, expect.anything()], ['moved', 3, 9]]);
    const [, data] = items as unknown as readonly [unknown, typeof DATA];
    expect([...data[2]]).toEqual([0, 1, 2, 255]);
  });

  it('come out as they went in where they are sent as text: undefined, floats, and characters of any kind', () => {
    const wide = ['answer', 2, 200, ['3', 'a', '\u00e9'], ['text', '"\\\u2028\ud800 é 😀'], false, true, '/a/{é}'] as const;
    const none = ['answer', 4, 304, 3, ['none'], true, false, -1] as const;
    for (const items of [[PASS], [wide, none, ['over', 5]], [['moved', 3, 9], PASS]] as const) {
      const bytes = bytesOf(...items);
      expect(bytes.subarray(4, 6).toString()).toBe('[[');
      expect(read([bytes])).toStrictEqual([items]);
    }
  });

  it('are sent as values when there are bytes in them, or a long text', () => {
    const long = ['answer', 2, 200, 1, ['text', 'é'.repeat(100_000)], false, false, 0] as const;
    const body = [...PASS.slice(0, 9), Uint8Array.of(1, 2)] as unknown as ToNeighbour;
    for (const item of [long, body]) {
      expect(bytesOf(item)[4]).toBe(0xff);
      expect(read([bytesOf(PASS, item)])).toEqual([[PASS, item]]);
    }
  });

  it('are refused when they are no list', () => {
    const message = Buffer.from('....[1');
    message.writeUInt32LE(2, 0);
    expect(() => read([message])).toThrow(SyntaxError);
  });

  it('come out the same at every split, and byte by byte', () => {
    const all = Buffer.concat([bytesOf(PASS), bytesOf(DATA), bytesOf(['moved', 3, 9])]);
    const whole = read([all]);
    expect(whole).toHaveLength(3);
    for (let at = 1; at < all.length; at++) expect(read([all.subarray(0, at), all.subarray(at)])).toEqual(whole);
    expect(read(Array.from(all, (byte) => Buffer.from([byte])))).toEqual(whole);
  });

  it('come out the same from a memory in which the next come, at every split', () => {
    const all = Buffer.concat([bytesOf(DATA), bytesOf(PASS), bytesOf(DATA, DATA), bytesOf(['moved', 3, 9])]);
    const whole = read([all]);
    expect(whole).toHaveLength(4);
    expect(readLent([all])).toEqual(whole);
    for (let at = 1; at < all.length; at++) expect(readLent([all.subarray(0, at), all.subarray(at)])).toEqual(whole);
    expect(readLent(Array.from(all, (byte) => Buffer.from([byte])))).toEqual(whole);
  });

  it('leave in several when there is much in one turn, in their order, none larger than may come', () => {
    const written: Buffer[] = [];
    const piece = Buffer.alloc(1024 * 1024);
    const items = Array.from({ length: 20 }, (_, i) => ['data', i, piece.subarray()] as const);
    sendItems({ write: (bytes: Buffer) => written.push(bytes) } as unknown as Socket, items);
    expect(written.length).toBeGreaterThan(2);
    for (const { length } of written) expect(length).toBeLessThan(10 * 1024 * 1024);
    expect(read(written).flatMap((message) => message.map((item) => (item as (typeof items)[0])[1]))).toEqual(items.map(([, i]) => i));
  });

  it('leave in several when a stream gives much at once, cut between characters', () => {
    const written: Buffer[] = [];
    const socket = { write: (bytes: Buffer) => written.push(bytes) } as unknown as Socket;
    const bytes = Buffer.from('0123456789'.repeat(2 * 1024 * 1024));
    const text = `a${'\u{1f600}'.repeat(3 * 1024 * 1024)}`;
    sendItems(socket, [
      ['data', 1, bytes],
      ['data', 2, text],
      ['end', 1],
    ]);
    for (const { length } of written) expect(length).toBeLessThan(20 * 1024 * 1024);
    const items = read(written).flat() as unknown as (readonly ['data', number, Uint8Array | string])[];
    const of = (id: number): (Uint8Array | string)[] =>
      items.filter(([kind, of]) => kind === 'data' && of === id).map(([, , piece]) => piece);
    expect(Buffer.concat(of(1) as Uint8Array[]).equals(bytes)).toBe(true);
    expect(of(2).length).toBeGreaterThan(1);
    expect(of(2).every((piece) => (piece as string).isWellFormed())).toBe(true);
    expect(of(2).join('') === text).toBe(true);
    expect(items.at(-1)).toEqual(['end', 1]);
  });

  it('are refused when they claim to be larger than any of ours', () => {
    expect(() => read([Buffer.from([255, 255, 255, 255, 0])])).toThrow(RangeError);
  });
});
