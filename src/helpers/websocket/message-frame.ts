/**
 * Messages as frames, from a server: whole, and without a mask (RFC 6455 §5.1, §5.2).
 *
 * `ws` would write the head and the payload of each apart, and encode a text anew for each connection that it goes to.
 *
 * @module
 */
import type { Duplex } from 'node:stream';
import type { StraightWriter } from '../../http/takeover.ts';

const FINAL_TEXT = 0x81;
const FINAL_BINARY = 0x82;
/** Longest payloads whose length stands in 7 bits, and in 16. */
const SHORT = 125;
const MEDIUM = 0xffff;

const EMPTY = Buffer.alloc(0);

/** The last text and its frame, until the end of the turn: what is sent to everybody is sent in one loop. */
let lastText: string | undefined;
let lastFrame: Buffer = EMPTY;
let isForgetting = false;

/**
 * Writes a message in one frame. A text that goes to several sockets in a turn is encoded once; bytes are never copied.
 *
 * @param data Bytes must not be changed until they have been sent.
 */
export function writeMessage(socket: Duplex, data: string | Uint8Array, straight?: StraightWriter): void {
  if (typeof data === 'string') {
    const frame = data === lastText ? lastFrame : frameOf(data);
    if (straight?.write(frame) !== true) socket.write(frame);
    return;
  }
  const head = Buffer.allocUnsafe(headSize(data.length));
  writeHead(head, FINAL_BINARY, data.length);
  if (data.length === 0) {
    socket.write(head);
    return;
  }
  socket.cork();
  socket.write(head);
  socket.write(data);
  socket.uncork();
}

function frameOf(text: string): Buffer {
  const size = Buffer.byteLength(text);
  const head = headSize(size);
  const frame = Buffer.allocUnsafe(head + size);
  writeHead(frame, FINAL_TEXT, size);
  frame.write(text, head, size, 'utf8');
  lastText = text;
  lastFrame = frame;
  if (!isForgetting) {
    isForgetting = true;
    setImmediate(forget);
  }
  return frame;
}

function forget(): void {
  isForgetting = false;
  lastText = undefined;
  lastFrame = EMPTY;
}

function headSize(size: number): number {
  if (size <= SHORT) return 2;
  return size <= MEDIUM ? 4 : 10;
}

function writeHead(frame: Buffer, first: number, size: number): void {
  frame[0] = first;
  if (size <= SHORT) {
    frame[1] = size;
    return;
  }
  if (size <= MEDIUM) {
    frame[1] = SHORT + 1;
    frame.writeUInt16BE(size, 2);
    return;
  }
  frame[1] = SHORT + 2;
  frame.writeUInt16BE(0, 2);
  frame.writeUIntBE(size, 4, 6);
}
