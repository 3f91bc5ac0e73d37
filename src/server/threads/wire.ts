/**
 * What a process's main thread and a handler thread say to each other.
 *
 * Items travel in arrays, all that one turn of a loop has to say in one message: to send a message costs microseconds, to have one more item in
 * it a fraction of one. An item is a tuple whose first member says what it is; tuples of plain values are what structured clone copies fastest.
 *
 * Beside the messages there is a small shared memory for each thread, by which the main thread sees what the other does without asking:
 * how many calls of the handler it has entered and left, and which one it is in. A request that waits in a thread's inbox can be claimed there
 * by either side: by the thread that begins with it, or by the main thread that takes it back when the one before does not return.
 *
 * @module
 */
import type { MessagePort } from 'node:worker_threads';
import type { FileParts } from '../../http/file/file-content.ts';
import type { FileVersion } from '../../http/file/open-file.ts';
import type { HttpVersion } from '../../http/request.ts';
import type { ServerStatus } from '../../process/server-status.ts';
import type { Address } from '../host.ts';
import type { HitAnswer, HitQuestion } from '../questions/hit-asker.ts';

/** Where a request's client is: address, port, whether by TLS, host as a trusted proxy says, when it was read (absolute ms). */
export type WirePeer = readonly [string | undefined, number | undefined, boolean, string | undefined, number];

/** A body: none, its bytes, a descriptor with its size, or `true` with the announced size (-1: none) when it is streamed. */
export type WireBody = undefined | Uint8Array | readonly [descriptor: number, size: number] | readonly [isLive: true, size: number];

/** A field list: its pairs flat, or the number under which they came before. */
export type WireList = readonly string[] | number;

/** Why a body does not come whole; with a status when that is the client's fault. */
export type WireFailure = readonly [message: string, status: number | undefined, code: string | undefined];

/** To a thread. */
export type ToThread =
  | readonly ['request', id: number, method: string, target: string, version: HttpVersion, lines: string, peer: WirePeer, body: WireBody]
  | readonly ['abort', id: number, reason: string]
  /** The response is out, or the client gone: what the request holds can be let go of. */
  | readonly ['over', id: number]
  | readonly ['data', id: number, bytes: Uint8Array]
  | readonly ['end', id: number]
  | readonly ['failed', id: number, failure: WireFailure]
  /** So many bytes of a stream have been taken. */
  | readonly ['taken', id: number, count: number]
  /** Nobody reads the rest of a stream. */
  | readonly ['dropped', id: number]
  | readonly ['opened', id: number, head: Uint8Array]
  | readonly ['listening', address: Address, url: string]
  /** What was counted for the questions with this number. */
  | readonly ['hits', id: number, answers: readonly HitAnswer[]]
  /** What the server does: the answer to the question with this number. */
  | readonly ['status', id: number, status: ServerStatus | undefined]
  /** The server begins to stop; later, for each connection that was taken over, that it is to end. */
  | readonly ['stopping']
  | readonly ['goodbye', id: number]
  /** Give a sign of life: `Board.answerProbe`. */
  | readonly ['probe']
  | readonly ['closed'];

/** A file, whole or in parts; open already when there is a descriptor, which then is the main thread's to close. */
export interface WireFile {
  readonly path: string;
  readonly fileSize: number;
  readonly version: FileVersion | undefined;
  readonly parts: FileParts | undefined;
  readonly descriptor: number | undefined;
}

/** Of a response's body: nothing, text, bytes, a file, a stream, or a connection to take over. */
export type WireContent =
  | readonly ['none']
  | readonly ['text', string]
  | readonly ['bytes', Uint8Array]
  | readonly ['file', WireFile]
  | readonly ['stream', size: number | undefined]
  | readonly ['upgrade'];

/** From a thread. */
export type FromThread =
  /** The script has called `startServer`. */
  | readonly ['ready']
  | readonly ['answer', id: number, status: number, list: WireList, content: WireContent, holds: boolean]
  /** An interim response; its fields flat. */
  | readonly ['interim', id: number, status: number, fields: readonly string[]]
  | readonly ['data', id: number, bytes: Uint8Array | string]
  | readonly ['end', id: number]
  | readonly ['failed', id: number]
  /** So many bytes of a streamed request body, or of an upgraded connection, have been taken. */
  | readonly ['taken', id: number, count: number]
  /** Nobody reads the rest of a stream. */
  | readonly ['dropped', id: number]
  /** The request's body is not read any more. */
  | readonly ['released', id: number]
  /** Hits to be counted for the whole server. */
  | readonly ['hits', id: number, questions: readonly HitQuestion[]]
  | readonly ['status', id: number]
  /** A handler has started a process group, or it has ended. */
  | readonly ['group', id: number, isRunning: boolean]
  | readonly ['close', timeout: number | undefined];

/** What a thread is started with, under the key `filrouge` of its `workerData`. */
export interface ThreadData {
  readonly port: MessagePort;
  readonly shared: SharedArrayBuffer;
}

/** Bytes of a stream that may be on their way: more is not sent until some have been taken. */
export const WINDOW: number = 256 * 1024;
/** A buffer up to this is copied with the message; to hand over a larger one's memory is cheaper. */
export const SMALL: number = 4096;

/** A request waits in the thread's inbox, the thread has begun with it, or it was taken back. */
const WAITING = 1;
const BEGUN = 2;
const RECALLED = 3;

/** Requests in an inbox at most; a power of two. */
export const INBOX = 256;
const ENTERED = 0;
const LEFT = 1;
const CURRENT = 2;
const PROBES = 3;
const CLAIMS = 4;

/** The shared memory of one thread. */
export class Board {
  readonly buffer: SharedArrayBuffer;
  readonly #cells: Int32Array;

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(4 * (CLAIMS + INBOX))) {
    this.buffer = buffer;
    this.#cells = new Int32Array(buffer);
  }

  /** Calls of the handler that were begun, or passed over because the request was taken back. */
  get entered(): number {
    return Atomics.load(this.#cells, ENTERED);
  }

  /** Of these, how many have returned: a promise counts as soon as it is there. */
  get left(): number {
    return Atomics.load(this.#cells, LEFT);
  }

  /** Changes whenever a handler is called or returns. */
  get moves(): number {
    return (this.entered + this.left) | 0;
  }

  /** The request whose handler was called last. */
  get current(): number {
    return Atomics.load(this.#cells, CURRENT);
  }

  /** Probes that the thread has come to: what it does between handlers does not hold it. */
  get probes(): number {
    return Atomics.load(this.#cells, PROBES);
  }

  /** The thread has come to a probe. */
  answerProbe(): void {
    Atomics.add(this.#cells, PROBES, 1);
  }

  /** The main thread puts a request into the inbox. */
  offer(id: number): void {
    Atomics.store(this.#cells, CLAIMS + (id % INBOX), WAITING);
  }

  /** The main thread takes a request back. @returns Whether the thread has not begun with it, and never will. */
  recall(id: number): boolean {
    return Atomics.compareExchange(this.#cells, CLAIMS + (id % INBOX), WAITING, RECALLED) === WAITING;
  }

  /** The thread begins with a request. @returns Whether it may. */
  enter(id: number): boolean {
    const isMine = Atomics.compareExchange(this.#cells, CLAIMS + (id % INBOX), WAITING, BEGUN) === WAITING;
    if (isMine) Atomics.store(this.#cells, CURRENT, id);
    Atomics.add(this.#cells, ENTERED, 1);
    if (!isMine) Atomics.add(this.#cells, LEFT, 1);
    return isMine;
  }

  /** The handler has returned. */
  leave(): void {
    Atomics.add(this.#cells, LEFT, 1);
  }
}

/** Bytes whose memory can be handed over: a copy, unless they fill a memory of their own. */
export function ownedBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes); // a Buffer may be a slice of a pool that others share
}
