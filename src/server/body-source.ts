/**
 * The bodies that are produced while they are sent: files and streams, opened when their turn has come.
 *
 * @module
 */
import { close, fstat, open, read, type Stats } from 'node:fs';
import { FileContent, OPEN_FILE, type StreamContent } from '../http/response-body.ts';

/** What is read from a file and written to a socket at a time. */
const PIECE = 64 * 1024;

/** A body that can be sent now. */
export interface BodySource {
  readonly pieces: AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>;
  /** Bytes; undefined when nobody knows. */
  readonly size: number | undefined;
}

/** Opens a body. @throws What the file system says, or a TypeError for a stream that was sent before. */
export async function openSource(content: FileContent | StreamContent): Promise<BodySource> {
  if (!(content instanceof FileContent)) return { pieces: content.take(), size: content.size };
  const descriptor = await openFile(content.path, OPEN_FILE);
  try {
    const stats = await statFile(descriptor);
    if (!stats.isFile()) throw new Error(`Cannot send "${content.path}": it is no longer a regular file`);
    return { pieces: piecesOf(descriptor, stats.size), size: stats.size };
  } catch (error) {
    close(descriptor, () => {});
    throw error;
  }
}

function openFile(path: string, flags: number): Promise<number> {
  return new Promise((resolve, reject) => open(path, flags, (error, descriptor) => (error ? reject(error) : resolve(descriptor))));
}

function statFile(descriptor: number): Promise<Stats> {
  return new Promise((resolve, reject) => fstat(descriptor, (error, stats) => (error ? reject(error) : resolve(stats))));
}

/** The pieces of an open file. The descriptor is closed at the end, also when reading stops midway or never starts. */
function piecesOf(descriptor: number, size: number): AsyncIterableIterator<Buffer> {
  let at = 0;
  let isOpen = true;
  let isReading = false;
  const stop = (): void => {
    if (isOpen && !isReading) close(descriptor, () => {}); // never under a read: the number could name another file by then
    isOpen = false;
  };
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      if (at === size || !isOpen) {
        stop();
        return { done: true, value: undefined };
      }
      const piece = Buffer.allocUnsafe(Math.min(PIECE, size - at));
      isReading = true;
      const count = await new Promise<number>((resolve, reject) => {
        read(descriptor, piece, 0, piece.length, at, (error, bytes) => {
          isReading = false;
          if (!isOpen) close(descriptor, () => {});
          if (error) reject(error);
          else resolve(bytes);
        });
      });
      at = count === 0 ? size : at + count; // a file that was cut gives too little: whoever sends it sees that
      return { done: false, value: piece.subarray(0, count) };
    },
    async return() {
      stop();
      return { done: true, value: undefined };
    },
  };
}
