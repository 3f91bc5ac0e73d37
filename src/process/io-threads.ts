/**
 * The I/O threads of a process: `filrouge/blocking` has them, and the server starts them before it listens, hands them on to its handler threads, and ends
 * them when it has drained. Neither knows the other; they meet here.
 *
 * @module
 */
import { WaitBoard } from './wait-board.ts';

/** An I/O thread, as the server sees it. */
export interface IoThread {
  /** Under which name handler threads find it. */
  readonly key: string;
  /** Starts it. @throws The error of a module that does not load. */
  start(): Promise<void>;
  /** Lets another thread of the process call it. @returns The port for `IoLinks`, to be transferred. */
  attach(board: SharedArrayBuffer): object;
  /** Has its modules close what they hold, and ends it. */
  close(): Promise<void>;
}

/** What a handler thread is started with, under the key `filrougeIo` of its `workerData`. */
export interface IoLinks {
  /** Of its `WaitBoard`. */
  readonly board: SharedArrayBuffer;
  /** A MessagePort for each I/O thread, by its key. */
  readonly ports: Readonly<Record<string, object>>;
}

/** What handlers are called for in this thread. */
export interface Calling {
  /** The request whose handler is being called. */
  readonly request: () => { onEnd(callback: () => void): void } | undefined;
  /** Its number in this thread; -1 when no handler is being called, or requests have none. */
  readonly id: () => number;
}

let endings: (() => void)[] | undefined;
const threads = new Set<IoThread>();
const callings = new Set<Calling>();
let servers = 0;
let board: WaitBoard | undefined;
let report: ((why: string) => void) | undefined;

/** @internal Registered by `filrouge/blocking`. */
export function registerIoThread(thread: IoThread): void {
  threads.add(thread);
}

/** @internal The board of this thread. @param own When it has been given one. */
export function ownBoard(own?: SharedArrayBuffer): WaitBoard {
  board ??= new WaitBoard(own);
  return board;
}

/** @internal The request whose handler is being called in this thread, and its number. */
export function calling(): { readonly request: ReturnType<Calling['request']>; readonly id: number } {
  for (const one of callings) {
    const request = one.request();
    if (request) return { request, id: one.id() };
  }
  return { request: undefined, id: -1 };
}

/** @internal Calls a function when the handler that is being called has answered. */
export function whenAnswered(callback: () => void): void {
  endings ??= [];
  endings.push(callback);
}

/**
 * What is to be done when a handler that has just returned has answered; undefined when that is nothing. To be asked behind each handler: the response may be
 * sent much later, when the next handler of this thread already waits for what this one holds.
 */
export function takeEndings(): (() => void) | undefined {
  if (endings === undefined) return undefined;
  const callbacks = endings;
  endings = undefined;
  return () => {
    for (const callback of callbacks) callback();
  };
}

/** Registered by whatever calls handlers in this thread. @returns Takes it back. */
export function callsFor(calls: Calling): () => void {
  callings.add(calls);
  return () => callings.delete(calls);
}

/** @internal Reports the death of an I/O thread. @returns Whether anybody has taken the report. */
export function reportIoThread(why: string): boolean {
  report?.(why);
  return report !== undefined;
}

/** A server starts: so do the I/O threads that its script has named. @param log Writes of those that die later. */
export async function startIoThreads(log: (why: string) => void): Promise<void> {
  servers++;
  report = log;
  try {
    await Promise.all(Array.from(threads, (thread) => thread.start()));
  } catch (error) {
    await closeIoThreads();
    throw error;
  }
}

/** What a handler thread needs to reach the I/O threads; undefined when there are none. */
export function linksFor(waits: WaitBoard): IoLinks | undefined {
  if (threads.size === 0) return undefined;
  return { board: waits.buffer, ports: Object.fromEntries(Array.from(threads, (thread) => [thread.key, thread.attach(waits.buffer)])) };
}

/** A server has drained: with the last one of the process its I/O threads end. */
export async function closeIoThreads(): Promise<void> {
  if (--servers > 0) return;
  await Promise.all(Array.from(threads, (thread) => thread.close()));
}
