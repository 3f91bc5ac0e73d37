/**
 * An open file in pieces, read synchronously: memory for one piece is held, however large the file is.
 *
 * Each piece is a buffer of its own, since the previous one may still be in use. Those of `passingPieces`
 * are not, and take little more than half the time.
 *
 * @module
 */
import { readSync } from 'node:fs';
import { giveReadBuffer, nudgeCollector, takeReadBuffer } from '../../process/large-buffers.ts';

/** Bytes read from a file at a time: as much as libuv reads from a socket. */
export const PIECE: number = 64 * 1024;

/** Reads a range of a file into one buffer. @throws The file system's error, or one of our own when the file ends before `end`. */
export function readRange(descriptor: number, start: number, end: number): Buffer {
  const bytes = Buffer.allocUnsafe(end - start);
  for (let filled = 0; filled < bytes.length; ) filled += readSome(descriptor, bytes, filled, start + filled);
  return bytes;
}

/**
 * Reads a range of a file in pieces of at most 64 KiB.
 *
 * @param descriptorOf Called before each read; throws when the file has been closed meanwhile.
 * @throws Errors of `descriptorOf` and the file system, or one of our own when the file ends before `end`.
 */
export function* piecesOfFile(descriptorOf: () => number, start: number, end: number): Generator<Buffer> {
  for (let at = start; at < end; ) {
    const piece = Buffer.allocUnsafe(Math.min(PIECE, end - at));
    const count = readSome(descriptorOf(), piece, 0, at);
    nudgeCollector(piece);
    at += count;
    yield count === piece.length ? piece : piece.subarray(0, count);
  }
}

/**
 * As `piecesOfFile`, for whoever is done with each piece when it asks for the next: all lie in one buffer, of 256 KiB where one is free.
 *
 * @throws As `piecesOfFile`.
 */
export function* passingPieces(descriptorOf: () => number, start: number, end: number): Generator<Buffer> {
  const large = end - start > PIECE ? takeReadBuffer() : undefined;
  const buffer = large ?? Buffer.allocUnsafe(Math.min(PIECE, end - start));
  try {
    for (let at = start; at < end; ) {
      const count = readSome(descriptorOf(), buffer.subarray(0, end - at), 0, at);
      at += count;
      yield buffer.subarray(0, count);
    }
  } finally {
    if (large) giveReadBuffer(large);
  }
}

/** A large body in memory in pieces of at most 64 KiB, each a copy. @param copy Called for each piece; throws when the body has gone meanwhile. */
export function* piecesOf(copy: (start: number, end: number) => Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < size; at += PIECE) {
    const piece = copy(at, Math.min(at + PIECE, size));
    nudgeCollector(piece);
    yield piece;
  }
}

function readSome(descriptor: number, bytes: Buffer, offset: number, position: number): number {
  const count = readSync(descriptor, bytes, offset, bytes.length - offset, position);
  if (count === 0) throw new Error('Cannot read temporary file: it ended early');
  return count;
}
