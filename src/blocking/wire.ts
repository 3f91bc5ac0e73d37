/**
 * The messages between a thread that calls and an I/O thread.
 *
 *     caller                                             I/O thread
 *       function, before the first call of each
 *       call | method | next ─────────────────────────▶   each with a number; the caller waits
 *               ◀──────── value | error | handle | stream | done    the answer with this number, then the caller's board is woken
 *       abort ────────────────────────────────────────▶   the caller waits no more: nothing comes for this number, or is dropped by the caller
 *       drop ─────────────────────────────────────────▶   a handle or a stream is not used any more
 *
 * Short calls and answers lie in a memory between the two instead (mailbox.ts); RING then wakes the I/O thread.
 *
 * Each caller has a port of its own, straight to the I/O thread: no other thread has a part in a call. When the port closes, the caller is gone, and all that
 * it had there is dropped.
 *
 * @module
 */
import type { MessagePort } from 'node:worker_threads';

/** To an I/O thread, from a caller. */
export type ToIo =
  /** Gives a function of a module a number: names would cost microseconds in each call. */
  | readonly ['function', number: number, url: string, name: string]
  | readonly ['call', id: number, number: number, args: readonly unknown[], fields?: CallFields]
  /** Calls a method of a handle. */
  | readonly ['method', id: number, held: number, name: string, args: readonly unknown[], fields?: CallFields]
  /** Asks a stream for its next item. */
  | readonly ['next', id: number, held: number]
  | readonly ['abort', id: number, reason: string]
  | readonly ['drop', held: number];

/** What goes with a call for those who watch it at the other end. */
export type CallFields = readonly (readonly [name: string, value: string])[];

/** Instead of one of these: something lies in a mailbox. */
export const RING = 0;

/** From an I/O thread, to a caller. */
export type FromIo =
  | readonly ['value', id: number, value: unknown]
  | readonly ['error', id: number, error: WireError]
  | readonly ['handle', id: number, held: number]
  | readonly ['stream', id: number, held: number, head: unknown]
  /** A stream has ended. */
  | readonly ['done', id: number];

/** From the main thread to the I/O threads it has started. */
export type ToIoThread =
  /** Another thread is going to call. */
  readonly ['link', port: MessagePort, board: SharedArrayBuffer, mailbox: SharedArrayBuffer] | readonly ['close'];

/** From an I/O thread to the main thread. */
export type FromIoThread = readonly ['loaded'] | readonly ['failed', error: WireError] | readonly ['closed'];

/** From the main thread to another thread that calls: the port to an I/O thread, which replaces the one before; or why there is none. */
export type LinkNews = LinkParts | { readonly why: string };

/** What a link is made of. */
export interface LinkParts {
  readonly port: MessagePort;
  /** Of the `LifeCells` of the thread. */
  readonly life: SharedArrayBuffer;
  readonly mailbox: SharedArrayBuffer;
}

/** What an I/O thread is started with, under the key `filrougeIoThread` of its `workerData`. */
export interface IoThreadData {
  /** The modules, by their URL. */
  readonly modules: readonly string[];
  /** Of its `LifeCells`. */
  readonly life: SharedArrayBuffer;
}

/** What stands for an error. */
export interface WireError {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  /** Its own fields that can be cloned: `code` and whatever else. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly cause: WireError | undefined;
  /** Of an AggregateError. */
  readonly errors: readonly WireError[] | undefined;
  /** What was thrown, when it was not an error. */
  readonly thrown: unknown;
}

/** A buffer up to this is copied with the message; to hand over a larger one's memory is cheaper. */
const SMALL = 4096;

/**
 * The bytes of a value in a memory of their own: a view of a larger memory, as small Buffers are, would travel with all of it, and the owner goes on using its
 * own.
 *
 * @returns Undefined when it is nothing but bytes.
 */
export function ownedBytes(value: unknown): Uint8Array<ArrayBuffer> | undefined {
  return value instanceof Uint8Array ? new Uint8Array(value) : undefined;
}

/** What is to be handed over with a message of these bytes. */
export function handedOver(bytes: Uint8Array<ArrayBuffer>): ArrayBuffer[] {
  return bytes.length > SMALL ? [bytes.buffer] : [];
}

/** What is to be handed over with these arguments. */
export function transferOf(args: readonly unknown[]): ArrayBuffer[] | undefined {
  let transfer: ArrayBuffer[] | undefined;
  for (const arg of args) if (arg instanceof Uint8Array) (transfer ??= []).push(...handedOver(arg as Uint8Array<ArrayBuffer>));
  return transfer;
}

/** Bytes among the arguments, in memories of their own. */
export function sendable(args: readonly unknown[]): readonly unknown[] {
  return args.some((arg) => arg instanceof Uint8Array) ? args.map((arg) => ownedBytes(arg) ?? arg) : args;
}

/** What `createFetch` has resolved; travels in the URL of the module. */
export interface FetchSettings {
  /** Where undici lies: its URL. */
  readonly undici: string;
  readonly connections: number;
  readonly timeout: number;
  readonly maxSize: number;
}

/** What a call of the returned function says. */
export interface FetchInit {
  /** Default `GET`. DELETE, GET, HEAD, OPTIONS, POST and PUT in any case, as with `fetch`; others as they are. */
  readonly method?: string | undefined;
  /** By their names, or as pairs, such as `Headers` or a Map. */
  readonly headers?: Readonly<Record<string, string>> | Iterable<readonly [name: string, value: string]> | undefined;
  readonly body?: string | Uint8Array | undefined;
}

/** The same, checked; it can travel. */
export interface CheckedInit extends FetchInit {
  readonly headers?: Readonly<Record<string, string>> | readonly (readonly [name: string, value: string])[] | undefined;
}

/**
 * An answer of another server as one text, which travels in a fraction of the time that an object and a memory take. The first line has the status, the
 * length of the fields, and `t` when the body is its own text, since it is ASCII. The fields follow, name, value, name, value…, one in each line; and
 * the body, a character for each byte, unless it comes as a stream.
 */
export type FetchText = string;

export function fetchText(status: number, fields: string, body: string, isText: boolean): FetchText {
  return `${status} ${fields.length} ${isText ? 't' : 'b'}\n${fields}${body}`;
}

/** What is in such a text. */
export interface FetchHead {
  readonly status: number;
  readonly fields: string;
  readonly body: string;
  readonly isText: boolean;
}

export function fetchHead(text: FetchText): FetchHead {
  const end = text.indexOf('\n');
  const lengthAt = text.indexOf(' ') + 1;
  const bodyAt = end + 1 + Number(text.slice(lengthAt, end - 2));
  const isText = text.charAt(end - 1) === 't';
  return { status: Number(text.slice(0, lengthAt - 1)), fields: text.slice(end + 1, bodyAt), body: text.slice(bodyAt), isText };
}
