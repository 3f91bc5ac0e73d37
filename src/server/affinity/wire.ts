/**
 * What workers say to each other about requests that are passed on: the messages of handler threads (`threads/wire.ts`), over a unix socket.
 *
 * The one who has accepted a request is to the other what a main thread is to its handler thread. Only its beginning is different:
 *
 *     accepting worker                            answering worker
 *       secret, as it is ──────────────────────▶   first of all, once for a connection; else it is closed
 *       pass ──────────────────────────────────▶
 *               ◀──────────────────────── moved    it does not answer for that key (any more): nothing has begun, ask who does
 *       data* then end | failed ───────────────▶   of a body that is larger or streamed, from when `taken` 0 has come
 *
 * From there on everything is as in threads. A message is a length of four bytes and an array of items: as JSON where that says all there is to say, which
 * takes a third of the time, else in the format of `node:v8`.
 *
 * @module
 */
import type { Socket } from 'node:net';
import { DefaultSerializer, deserialize } from 'node:v8';
import type { ErrorCode } from '../../http/errors/error-codes.ts';
import type { HttpVersion } from '../../http/request.ts';
import { pieceEnd } from '../connection/memory-pieces.ts';
import { writeDirectly } from '../socket/direct-write.ts';
import { readShared } from '../socket/shared-read.ts';
import type { WireLines } from '../threads/known-lines.ts';
import type { FromThread, ToThread, WirePeer } from '../threads/wire.ts';
import type { AffinityKey } from './table.ts';

/** Bytes of the secret that opens a connection. */
export const SECRET_SIZE = 32;
/** A body up to this goes with its request; a larger one when the other asks for it, bytes. */
export const INLINE_BODY: number = 16 * 1024;
/** No message of ours is larger, bytes: several of the largest pieces that a body is sent in fit into one. */
const MAX_MESSAGE: number = 256 * 1024 * 1024;
/** With this much in it a message is sent; no item carries more, bytes or characters. */
const ENOUGH: number = 4 * 1024 * 1024;
/** What a request or an answer may carry, about: a head, and a body that goes with it, bytes. */
const LARGE_ITEM: number = 32 * 1024;
const LENGTH_SIZE = 4;
/** What JSON of items begins with, `[`; the format of `node:v8` begins with 0xff. */
const LIST = 0x5b;
/** Longest text of a response that is sent as JSON, characters. */
const LONG_TEXT = 4096;

/** A body: none, its bytes, or that it follows: to be collected, or passed on as it comes; with its size, -1 when nobody knows. */
export type PassedBody = undefined | Uint8Array | readonly [isLive: boolean, size: number];

/** Where the client is. A certificate travels as its bytes. */
export type PassedPeer = readonly [
  ...(WirePeer extends readonly [...infer Most, unknown] ? Most : never),
  certificate: Uint8Array | undefined,
];

/** A request that is passed on. Its table is the one by which the sender has chosen whom to send it to. */
export type Pass = readonly [
  kind: 'pass',
  id: number,
  key: AffinityKey,
  version: number,
  method: string,
  target: string,
  httpVersion: HttpVersion,
  lines: WireLines,
  peer: PassedPeer,
  body: PassedBody,
];

/** To the worker that answers. */
export type ToNeighbour =
  | Pass
  /** Which route a request has so far: it takes long, and may have to be answered here. */
  | readonly ['where', id: number]
  | ToThread;

/** To the worker that has accepted. The version is the least of the table to look into next. */
export type FromNeighbour =
  | readonly ['moved', id: number, version: number]
  /** There is no room for its body. */
  | readonly ['refused', id: number, status: number, code: ErrorCode, message: string]
  /** The pattern that has matched last for a request that is not answered yet. */
  | readonly ['routed', id: number, route: string]
  | FromThread;

/**
 * Writes items: in one message, unless there is much in them. A turn of the loop may bring a window of each of thousands of bodies, and a handler's stream may
 * give any amount at once: what is too large for a message would cost all requests on the connection.
 */
export function sendItems(socket: Socket, items: readonly (ToNeighbour | FromNeighbour)[]): void {
  let message: (ToNeighbour | FromNeighbour)[] = [];
  let size = 0;
  for (const item of items) {
    for (const part of partsOf(item)) {
      if (size >= ENOUGH) {
        sendMessage(socket, message);
        message = [];
        size = 0;
      }
      message.push(part);
      size += sizeOf(part);
    }
  }
  sendMessage(socket, message);
}

/** An item, or several of less when it carries more than is sent at once. */
function partsOf(item: ToNeighbour | FromNeighbour): readonly (ToNeighbour | FromNeighbour)[] {
  if (item[0] !== 'data' || item[2].length <= ENOUGH) return [item];
  const [kind, id, whole] = item;
  const parts: FromNeighbour[] = [];
  for (let at = 0; at < whole.length; ) {
    const end = pieceEnd(whole, at, ENOUGH);
    parts.push([kind, id, typeof whole === 'string' ? whole.slice(at, end) : whole.subarray(at, end)]);
    at = end;
  }
  return parts;
}

/** Bytes of what an item carries, as far as that may be much; about, of text. */
function sizeOf(item: ToNeighbour | FromNeighbour): number {
  switch (item[0]) {
    case 'data':
      return item[2].length;
    case 'pass':
    case 'answer':
      return LARGE_ITEM;
    default:
      return 0;
  }
}

function sendMessage(socket: Socket, items: readonly (ToNeighbour | FromNeighbour)[]): void {
  const message = items.every(isPlain) ? asText(items) : serialized(items);
  message.writeUInt32LE(message.length - LENGTH_SIZE, 0);
  if (writeDirectly(socket, message, NOBODY) === undefined) socket.write(message);
}

/** Whether JSON says all that is in an item. Longer texts are faster written as they are. */
function isPlain(item: ToNeighbour | FromNeighbour): boolean {
  switch (item[0]) {
    case 'pass':
      return item[9] === undefined && item[8][7] === undefined; // else there are bytes in it
    case 'answer':
      return item[4][0] === 'none' || (item[4][0] === 'text' && item[4][1].length <= LONG_TEXT);
    case 'over':
    case 'moved':
    case 'where':
    case 'routed':
      return true;
    default:
      return false;
  }
}

function asText(items: readonly unknown[]): Buffer {
  const text = JSON.stringify(items); // what is undefined becomes null, see `withUndefined`
  const message = Buffer.allocUnsafe(LENGTH_SIZE + Buffer.byteLength(text));
  message.write(text, LENGTH_SIZE);
  return message;
}

/** JSON knows no undefined, and we no null: only a request that is passed on may have any. */
function withUndefined(items: unknown): unknown {
  if (!Array.isArray(items)) return items;
  for (const item of items) {
    if (!Array.isArray(item) || item[0] !== 'pass') continue;
    item[9] = undefined;
    const peer: unknown = item[8];
    if (Array.isArray(peer)) for (let i = 0; i < peer.length; i++) if (peer[i] === null) peer[i] = undefined;
  }
  return items;
}

function serialized(items: readonly unknown[]): Buffer {
  const serializer = new DefaultSerializer();
  serializer.writeRawBytes(NO_LENGTH);
  serializer.writeHeader();
  serializer.writeValue(items);
  return serializer.releaseBuffer();
}

/** Windows bound what waits, so nobody waits for it to leave. */
const NOBODY = { onTaken: (): void => {} };

const NO_LENGTH: Buffer = Buffer.alloc(LENGTH_SIZE);

function textOf(message: Buffer, end: number): unknown {
  return withUndefined(JSON.parse(message.toString('utf8', LENGTH_SIZE, end)));
}

/** May have views of the message. */
function valuesOf(message: Buffer, end: number): unknown {
  return deserialize(message.subarray(LENGTH_SIZE, end));
}

/** Takes messages apart as they come. */
export class ItemReader {
  #pieces: Buffer[] = [];
  #size = 0;

  /**
   * @param isLent Whether the bytes are somebody else's after the call: then what is kept of them is copied. Of most messages nothing is.
   * @returns The messages that are complete now.
   * @throws RangeError, TypeError, or what JSON and `node:v8` throw, when it cannot be one of ours.
   */
  push(bytes: Buffer, isLent: boolean): (readonly unknown[])[] {
    const messages: (readonly unknown[])[] = [];
    this.#pieces.push(bytes);
    this.#size += bytes.length;
    for (let needed = this.#needed(); this.#size >= needed; needed = this.#needed()) {
      const all = this.#whole();
      const isOurs = !isLent || all.buffer !== bytes.buffer;
      const items = all[LENGTH_SIZE] === LIST ? textOf(all, needed) : valuesOf(isOurs ? all : Buffer.from(all.subarray(0, needed)), needed);
      if (!Array.isArray(items)) throw new TypeError('Cannot read message: it is no list');
      messages.push(items);
      this.#size -= needed;
      this.#pieces = this.#size > 0 ? [all.subarray(needed)] : [];
    }
    const last = this.#pieces.at(-1);
    if (isLent && last?.buffer === bytes.buffer) this.#pieces[this.#pieces.length - 1] = Buffer.from(last);
    return messages;
  }

  /** All that has come and is in no message yet. */
  #whole(): Buffer {
    return this.#pieces.length === 1 ? (this.#pieces[0] as Buffer) : Buffer.concat(this.#pieces, this.#size);
  }

  /** Bytes of the message that comes, with its length; as long as that has not come, one more than there are. */
  #needed(): number {
    if (this.#size < LENGTH_SIZE) return this.#size + 1;
    if ((this.#pieces[0] as Buffer).length < LENGTH_SIZE) this.#pieces = [Buffer.concat(this.#pieces, this.#size)];
    const length = (this.#pieces[0] as Buffer).readUInt32LE(0);
    if (length > MAX_MESSAGE) throw new RangeError(`Cannot read message: it has ${length} bytes`);
    return length + LENGTH_SIZE;
  }
}

/** Calls a function with every message that comes. A connection on which something else comes is cut. @param early What has come already. */
export function readItems(socket: Socket, onItems: (items: readonly unknown[]) => void, early?: Buffer): void {
  const reader = new ItemReader();
  const onBytes = (bytes: Buffer, isLent: boolean): void => {
    let messages: (readonly unknown[])[];
    try {
      messages = reader.push(bytes, isLent);
    } catch {
      socket.destroy();
      return;
    }
    for (const items of messages) onItems(items);
  };
  const onRead = (count: number, shared: Buffer): boolean => {
    onBytes(shared.subarray(0, count), true);
    return true;
  };
  if (early && early.length > 0) onBytes(early, false);
  if (!readShared(socket, onRead)) socket.on('data', (bytes: Buffer) => onBytes(bytes, false));
}
