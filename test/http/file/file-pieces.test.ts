import { randomBytes } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PIECE, passingPieces, piecesOfFile } from '../../../src/http/file/file-pieces.ts';
import { giveReadBuffer, READ_SIZE, takeReadBuffer } from '../../../src/process/large-buffers.ts';
import { folderWith } from '../../helpers/serve-dir/folder.ts';

const SIZE = 700_001;
const BYTES = randomBytes(SIZE);

/** A file of random bytes. @returns Its descriptor. */
function opened(): number {
  const descriptor = openSync(join(folderWith({ file: BYTES }), 'file'), 'r');
  onTestFinished(() => closeSync(descriptor));
  return descriptor;
}

describe('a file in pieces', () => {
  it('is whole, and each piece can be kept', () => {
    const descriptor = opened();
    const pieces = [...piecesOfFile(() => descriptor, 3, SIZE)];
    expect(Buffer.concat(pieces).equals(BYTES.subarray(3))).toBe(true);
  });

  it('is whole in pieces that pass, which lie in one buffer', () => {
    const descriptor = opened();
    const copies: Buffer[] = [];
    const memory = new Set<ArrayBufferLike>();
    for (const piece of passingPieces(() => descriptor, 3, SIZE)) {
      copies.push(Buffer.from(piece));
      memory.add(piece.buffer);
    }
    expect(Buffer.concat(copies).equals(BYTES.subarray(3))).toBe(true);
    expect(copies.map(({ length }) => length)).toEqual([READ_SIZE, READ_SIZE, SIZE - 3 - 2 * READ_SIZE]);
    expect(memory.size).toBe(1);
  });

  it('gives the large buffer back at its end, when it is left, and when it fails', () => {
    const descriptor = opened();
    const mine = takeReadBuffer() as Buffer;
    giveReadBuffer(mine); // the next that anybody takes
    Array.from(passingPieces(() => descriptor, 0, SIZE));
    for (const piece of passingPieces(() => descriptor, 0, SIZE)) {
      expect(piece.buffer).toBe(mine.buffer);
      break;
    }
    expect(() => Array.from(passingPieces(() => descriptor, 0, SIZE + 1))).toThrow('it ended early');
    expect(takeReadBuffer()).toBe(mine);
    giveReadBuffer(mine);
  });

  it('passes in small pieces where all large buffers are taken', () => {
    const descriptor = opened();
    const taken: Buffer[] = [];
    for (let buffer = takeReadBuffer(); buffer; buffer = takeReadBuffer()) taken.push(buffer);
    onTestFinished(() => taken.forEach(giveReadBuffer));
    const copies = Array.from(
      passingPieces(() => descriptor, 0, SIZE),
      (piece) => Buffer.from(piece),
    );
    expect(Buffer.concat(copies).equals(BYTES)).toBe(true);
    expect(copies[0]).toHaveLength(PIECE);
  });
});
