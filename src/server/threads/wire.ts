/**
 * The messages between a process's main thread and a handler thread.
 *
 * Items travel in arrays, those of one turn of a loop in one message: sending a message costs microseconds, one more item in it a fraction of
 * one. An item is a tuple whose first member says what it is; tuples of plain values are what structured clone copies fastest.
 *
 * Both directions keep their order. So what belongs to one request comes in this order, marked with its number:
 *
 *     main thread                                        handler thread
 *       request ───────────────────────────────────────▶   enters it on the board, or passes it over when it was recalled
 *       data* then end | failed ───────────────────────▶   a streamed body, from when the thread has sent `taken` 0
 *               ◀───────────────────────────── taken*      as much as its handler has read
 *               ◀───────────────────────────── dropped     its handler reads no more
 *               ◀───────────────────────────── interim*    only before the answer
 *               ◀───────────────────────────── failing*    the request is to be recorded
 *               ◀───────────────────────────── answer      once, also when it comes too late
 *       taken* ────────────────────────────────────────▶   a streamed response: 0 asks for the first piece
 *               ◀──────────────── data* then end | failed
 *       dropped ───────────────────────────────────────▶   the client reads no more
 *       sent ──────────────────────────────────────────▶   how the response went out: when the answer asks, or there was none in time
 *       over ──────────────────────────────────────────▶   the response is out, or the client gone; only when the answer `holds`
 *               ◀───────────────────────────── released    the body on disk is not read any more: its descriptor may be closed
 *
 * An upgrade is an answer too; behind it come `opened`, then `data`, `taken`, `end` and `failed` both ways, and `goodbye` when the server stops.
 *
 * `abort` may come at any time after `request`, also behind the answer: a number that is not known any more is passed over. Numbers come again only
 * when nothing of the request before is left on the main thread's side. Of other requests everything may come in between.
 *
 * When a thread is stopped, nothing more comes from it and nothing is owed to it: the main thread loses all that it had under way.
 *
 * @module
 */

import type { X509Certificate } from 'node:crypto';
import type { MessagePort, Transferable } from 'node:worker_threads';
import type { Heartbeat } from '../../http/body/paced-pieces.ts';
import type { FileParts } from '../../http/file/file-content.ts';
import type { FileVersion } from '../../http/file/open-file.ts';
import type { HttpVersion } from '../../http/request.ts';
import type { RecallReason } from '../../process/wait-board.ts';
import type { Connection } from '../../process/watching/connection-channels.ts';
import type { Sent } from '../../process/watching/sent.ts';
import type { Address } from '../host.ts';
import type { HitAnswer, HitQuestion } from '../questions/hit-asker.ts';
import type { ServerAnswer, ServerQuestion } from '../questions/server-questions.ts';
import type { WireLines } from './known-lines.ts';

/**
 * Where a request's client is: address, port, whether by TLS, host as a trusted proxy reports it, when it was read (absolute ms), our port, its
 * certificate, and the connection for those who watch.
 */
export type WirePeer = readonly [
  remoteAddress: string | undefined,
  remotePort: number | undefined,
  secure: boolean,
  host: string | undefined,
  readAt: number,
  port: number | undefined,
  connection: Connection | undefined,
  clientCertificate: X509Certificate | undefined,
];

/** A body: none, its bytes, a descriptor with its size, or `true` with the announced size (-1: none) when it is streamed. */
export type WireBody = undefined | Uint8Array | readonly [descriptor: number, size: number] | readonly [isLive: true, size: number];

/** A field list: its pairs flat, or the number under which they came before. */
export type WireList = readonly string[] | number;

/** The pattern that has matched: as text the first time, then the number under which it came; -1: none has. */
export type WireRoute = string | number;

/** Why a body does not come whole; with a status when that is the client's fault. */
export type WireFailure = readonly [message: string, status: number | undefined, code: string | undefined];

/** To a thread. */
export type ToThread =
  | readonly ['request', id: number, method: string, target: string, version: HttpVersion, lines: WireLines, peer: WirePeer, body: WireBody]
  | readonly ['abort', id: number, reason: string, name: string]
  /** How the response went out. */
  | readonly ['sent', id: number, sent: Sent]
  /** The response is out, or the client gone: what the request holds can be released. */
  | readonly ['over', id: number]
  | readonly ['data', id: number, bytes: Uint8Array]
  | readonly ['end', id: number]
  | readonly ['failed', id: number, failure: WireFailure]
  /** This many bytes of a stream have been taken. */
  | readonly ['taken', id: number, count: number]
  /** Nobody reads the rest of a stream. */
  | readonly ['dropped', id: number]
  | readonly ['opened', id: number, head: Uint8Array]
  /** A connection is not taken over: its client is gone, or has not asked for it. */
  | readonly ['unopened', id: number]
  | readonly ['listening', address: Address, url: string]
  /** What was counted for the questions with this number. */
  | readonly ['hits', id: number, answers: readonly HitAnswer[]]
  /** The answer to the question with this number. */
  | readonly ['told', id: number, answer: ServerAnswer]
  /** The server begins to stop; later, that it drains; and for each connection that was taken over, or body without an end, that it is to end. */
  | readonly ['stopping']
  | readonly ['draining']
  | readonly ['goodbye', id: number]
  | readonly ['channel', ChannelWord]
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
  | readonly ['stream', size: number | undefined, heartbeat: Heartbeat | undefined, isEndless: boolean]
  | readonly ['upgrade'];

/** From a thread. */
export type FromThread =
  /** The script has called `startServer`. */
  | readonly ['ready']
  /** A route has matched for the first time: from now on it goes by its number, that of its place among those that were told. */
  | readonly ['route', route: string]
  | readonly [
      'answer',
      id: number,
      status: number,
      list: WireList,
      content: WireContent,
      holds: boolean,
      asksSent: boolean,
      route: WireRoute,
    ]
  /** An interim response; its fields flat. */
  | readonly ['interim', id: number, status: number, fields: readonly string[]]
  /** It has failed, as `record` wants it to be told: before the answer, or behind it while a response is sent. */
  | readonly ['failing', id: number, why: string, requestId: string]
  | readonly ['data', id: number, bytes: Uint8Array | string]
  | readonly ['end', id: number]
  | readonly ['failed', id: number]
  /** This many bytes of a streamed request body, or of an upgraded connection, have been taken. */
  | readonly ['taken', id: number, count: number]
  /** Nobody reads the rest of a stream. */
  | readonly ['dropped', id: number]
  /** The request's body is not read any more. */
  | readonly ['released', id: number]
  /** Hits to be counted for the whole server. */
  | readonly ['hits', id: number, questions: readonly HitQuestion[]]
  /** The script asks something of the whole server. */
  | readonly ['question', id: number, question: ServerQuestion]
  /** A handler has started a process group, or it has ended. */
  | readonly ['group', id: number, isRunning: boolean]
  | readonly ['channel', ChannelWord]
  | readonly ['close', timeout: number | undefined];

/** What the two hubs of channels say to each other, either way: see `process/channels/hub.ts`. */
export type ChannelWord =
  | readonly ['message', name: string, payload: Uint8Array]
  /** To the main thread: a channel is wanted, or not any more. */
  | readonly ['want', name: string, isOn: boolean]
  /** To the thread: messages were lost. */
  | readonly ['missed', name: string, count: number]
  /** Messages that cost so much have been taken. */
  | readonly ['taken', size: number];

/** What the parts of a request in a thread need of that thread. */
export interface ThreadLink {
  post(item: ToThread): void;
  /** Nothing more comes for the request with this number. */
  forget(id: number): void;
  /** Looks which route the request with this number has so far, where that can be seen. */
  learnRoute?(id: number): void;
  /** Ends the wait of a handler that is running. @returns Whether it was waiting for an I/O thread, and so will go on. */
  endWait(id: number, reason: RecallReason): boolean;
}

/** What a thread is started with, under the key `filrouge` of its `workerData`. */
export interface ThreadData {
  readonly port: MessagePort;
  readonly shared: SharedArrayBuffer;
  /** The name of the hub of channels at the root: see `process/channels/hub.ts`. */
  readonly root: string;
}

/** How a response went out, as another thread reads its clock: times are told from the same start. @param sign -1 for what has come. */
export function onWire(sent: Sent, sign: 1 | -1): Sent {
  const shift = sign * performance.timeOrigin;
  const { startedAt, firstByteAt, endedAt } = sent;
  return {
    ...sent,
    startedAt: startedAt + shift,
    firstByteAt: firstByteAt === undefined ? undefined : firstByteAt + shift,
    endedAt: endedAt + shift,
  };
}

/** Bytes of a stream that may be on their way: more is not sent until some have been taken. */
export const WINDOW: number = 256 * 1024;
/** A buffer up to this is copied with the message; to hand over a larger one's memory is cheaper. */
const SMALL = 4096;

/** A copy: a Buffer may be a slice of memory that others share, and all of that would be posted with it. */
export function ownedBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

/** Bytes to be posted: a copy. @param transfer Gets its memory, if that is to be handed over. */
export function handedOver(bytes: Uint8Array, transfer: Transferable[]): Uint8Array<ArrayBuffer> {
  const owned = ownedBytes(bytes);
  if (owned.length > SMALL) transfer.push(owned.buffer);
  return owned;
}
