import type { Duplex } from 'node:stream';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { writeMessage } from '../../../src/helpers/websocket/message-frame.ts';
import { BINARY, parseFrames, TEXT } from '../../support/frames.ts';

/** A socket that keeps the very buffers that are written to it. */
function socketThatKeeps(): { socket: Duplex; pieces: Buffer[] } {
  const pieces: Buffer[] = [];
  const write = (piece: Buffer, _encoding: string, done: () => void): void => {
    pieces.push(piece);
    done();
  };
  return { socket: new Writable({ write }) as Duplex, pieces };
}

/** What is on the wire of a message. */
function wireOf(data: string | Uint8Array): Buffer {
  const { socket, pieces } = socketThatKeeps();
  writeMessage(socket, data);
  return Buffer.concat(pieces);
}

describe('a message', () => {
  it.each([0, 1, 125, 126, 0xffff, 0x10000])(
    'of %i bytes is one final frame without a mask, its length in the fewest bytes (RFC 6455 §5.2)',
    (size) => {
      const head = size < 126 ? [size] : size < 0x10000 ? [126, size >> 8, size & 0xff] : [127, 0, 0, 0, 0, 0, 1, 0, 0];
      expect(wireOf('x'.repeat(size))).toEqual(Buffer.concat([Buffer.of(0x80 | TEXT, ...head), Buffer.alloc(size, 'x')]));
      expect(wireOf(Buffer.alloc(size, 1))).toEqual(Buffer.concat([Buffer.of(0x80 | BINARY, ...head), Buffer.alloc(size, 1)]));
    },
  );

  it('of text is counted in bytes of UTF-8', () => {
    const text = 'é€😀'.repeat(20);
    expect(parseFrames(wireOf(text).toString('latin1'))).toMatchObject([{ opcode: TEXT, payload: Buffer.from(text) }]);
  });

  it('of text that goes to many sockets in a turn is framed once', () => {
    const sockets = Array.from({ length: 100 }, socketThatKeeps);
    for (const { socket } of sockets) writeMessage(socket, 'news');
    const frames = new Set(sockets.flatMap(({ pieces }) => pieces));
    expect(frames.size).toBe(1);
  });

  it('of another text between two is framed for itself', () => {
    const { socket, pieces } = socketThatKeeps();
    for (const text of ['one', 'two', 'one', '']) writeMessage(socket, text);
    expect(pieces.map((piece) => piece.subarray(2).toString())).toEqual(['one', 'two', 'one', '']);
  });

  it('is not kept when the turn is over', async () => {
    const { socket, pieces } = socketThatKeeps();
    writeMessage(socket, 'large');
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    writeMessage(socket, 'large');
    expect(pieces[0]).not.toBe(pieces[1]);
    expect(pieces[0]).toEqual(pieces[1]);
  });

  it('of bytes is not copied, and is what they are now', () => {
    const { socket, pieces } = socketThatKeeps();
    const bytes = Buffer.from('a');
    writeMessage(socket, bytes);
    bytes.write('b');
    writeMessage(socket, bytes);
    expect([pieces[1], pieces[3]].map((piece) => piece === bytes)).toEqual([true, true]);
  });
});
