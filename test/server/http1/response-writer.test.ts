import type { Socket } from 'node:net';
import { Writable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CheckedPieces } from '../../../src/http/body/body-source.ts';
import { ResponseWriter } from '../../../src/server/http1/response-writer.ts';

/** Stands for a socket: takes one write at a time, and only when it is told to. */
class Line extends Writable {
  /** What has been taken, a string for each write that reached the system. */
  readonly writes: string[] = [];
  bytesWritten = 0;
  #isOpen: boolean;
  #pending: (() => void) | undefined;

  constructor(isOpen = true, highWaterMark = 16) {
    super({ highWaterMark });
    this.#isOpen = isOpen;
  }

  override _writev(chunks: { chunk: Buffer }[], callback: () => void): void {
    this.#keep(Buffer.concat(chunks.map(({ chunk }) => chunk)), callback);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.#keep(chunk, callback);
  }

  /** The client reads: whatever waits is taken, and from now on all else. */
  open(): void {
    this.#isOpen = true;
    this.#pending?.();
  }

  #keep(bytes: Buffer, callback: () => void): void {
    this.bytesWritten += bytes.length;
    const take = (): void => {
      this.#pending = undefined;
      this.writes.push(bytes.toString('latin1'));
      callback();
    };
    if (this.#isOpen) take();
    else this.#pending = take;
  }
}

function writerOn(line: Line, timeout = 1000): ResponseWriter {
  const writer = new ResponseWriter(line as unknown as Socket, timeout);
  line.on('drain', () => writer.onDrain());
  return writer;
}

/** Lets everything run that can run. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the writer of responses', () => {
  it('gathers heads and small bodies and sends them in one write', () => {
    const line = new Line();
    const writer = writerOn(line);
    writer.gather('one ');
    writer.gatherBytes(Buffer.from([0xe9]));
    writer.gather(' two');
    expect(line.writes).toEqual([]);
    writer.flush();
    writer.flush();
    expect(line.writes).toEqual(['one é two']);
  });

  it('is full when the client takes nothing, and not after it has', async () => {
    const line = new Line(false);
    const writer = writerOn(line);
    writer.gather('x'.repeat(100));
    writer.flush();
    expect(writer.isFull).toBe(true);
    line.open();
    await settle();
    expect(writer.isFull).toBe(false);
  });

  it('asks for the next piece when the client has taken the last', async () => {
    const line = new Line(false);
    const writer = writerOn(line);
    let asked = 0;
    const source = (function* () {
      for (; asked < 3; ) yield Buffer.alloc(100, String(asked++));
    })();
    const sending = writer.sendPieces(new CheckedPieces(source, 300), false);
    await settle();
    expect(asked).toBe(1);
    line.open();
    expect(await sending).toBe(true);
    expect([asked, line.writes.join('').length]).toEqual([3, 300]);
  });

  it('frames any pieces as chunks that give the body again (RFC 9112 §7.1)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 200 })), async (pieces) => {
        const line = new Line();
        const writer = writerOn(line);
        expect(await writer.sendPieces(new CheckedPieces(pieces, undefined), true)).toBe(true);
        writer.flush();
        expect(unchunked(line.writes.join(''))).toBe(Buffer.concat(pieces).toString('latin1'));
      }),
      { numRuns: 100 },
    );
  });

  it.each([
    ['too little', ['abc'], '3 of the 5 bytes announced'],
    ['too much', ['abc', 'def'], 'more than the 5 bytes announced'],
  ])('rejects a body that gives %s, and lets the client have what there was', async (_, pieces, message) => {
    const line = new Line();
    const writer = writerOn(line);
    const sending = writer.sendPieces(new CheckedPieces(pieces, 5), false);
    await expect(sending).rejects.toThrow(message);
    expect(line.writes.join('')).toBe('abc');
  });

  it('drops a body whose client is gone, without an error', async () => {
    const line = new Line(false);
    const writer = writerOn(line);
    let isDropped = false;
    const source = {
      async *[Symbol.asyncIterator]() {
        for (;;) yield Buffer.alloc(100);
      },
      destroy: () => void (isDropped = true),
    };
    const sending = writer.sendPieces(new CheckedPieces(source, undefined), false);
    await settle();
    line.destroy();
    writer.close();
    expect([await sending, isDropped]).toEqual([false, true]);
  });

  it('finds the client stuck when it takes nothing for the time allowed, and not while it takes something', async () => {
    const line = new Line(false);
    const writer = writerOn(line, 1000);
    expect(writer.isStuck(0)).toBe(false);
    writer.gather('x'.repeat(100));
    writer.flush();
    expect([writer.isStuck(10), writer.isStuck(1010), writer.isStuck(1011)]).toEqual([false, false, true]);
    line.open();
    await settle();
    expect(writer.isStuck(5000)).toBe(false);
  });
});

function unchunked(text: string): string {
  let body = '';
  for (let at = 0; ; ) {
    const lineEnd = text.indexOf('\r\n', at);
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    if (size === 0) return text.slice(lineEnd) === '\r\n\r\n' ? body : 'The last chunk is malformed';
    body += text.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + 2 + size + 2;
  }
}
