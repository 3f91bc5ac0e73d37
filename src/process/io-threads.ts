/**
 * The I/O threads of a process: `filrouge/blocking` has them, and the server starts them before it listens, hands them on to its handler threads, and ends
 * them when it has drained. Neither knows the other; they meet here.
 *
 * @module
 */
import type { Durations } from './durations.ts';
import { handlersAreHere, whenHandlersAreHere } from './place/handler-place.ts';
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

/** A request, as far as it matters here. */
export interface Asking {
  /** Calls a function when the response has been sent or the client is gone. */
  onEnd(callback: () => void): void;
}

/** An `AsyncLocalStorage`, which this layer does not import. */
export interface RequestScope {
  run<R extends Asking, T>(request: R, handler: (request: R) => T, given: R): T;
  getStore(): Asking | undefined;
}

/** What handlers are called for in this thread. */
export interface Calling {
  /** Whether a handler is being called: what runs now is a part of it. */
  readonly isBusy: () => boolean;
  /** The number of its request in this thread; -1 when requests have none. */
  readonly id: () => number;
}

/** Whose handlers have not answered yet, and what is to be done when they have. Empty in a program without `filrouge/blocking`. */
const endings = new Map<Asking, (() => void)[] | undefined>();
/** For which request something runs, also behind an `await`. There when both are: `filrouge/blocking`, and handlers in this thread. */
let scope: RequestScope | undefined;
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

/** What this thread has called, by name. */
export function ownCalls(): Record<string, Durations> {
  return board?.calls.read() ?? {};
}

/** @internal Registered by `filrouge/blocking`: from now on it asks for which request it is called. */
export function followRequests(by: RequestScope): void {
  whenHandlersAreHere(() => {
    scope = by;
  });
}

/** Registered by whatever calls handlers in this thread. @returns Takes it back. */
export function callsFor(calls: Calling): () => void {
  handlersAreHere();
  callings.add(calls);
  return () => callings.delete(calls);
}

/** Whether somebody asks for which request something is called: handlers then have to be called by `callFor`. */
export function isAsked(): boolean {
  return scope !== undefined;
}

/** Calls a handler. What it calls, also behind an `await`, is known to belong to its request. */
export function callFor<R extends Asking, T>(request: R, handler: (request: R) => T): T {
  if (scope === undefined) return handler(request);
  endings.set(request, undefined);
  return scope.run(request, handler, request);
}

/** Whether somebody has to say when a handler has answered. */
export function isFollowed(): boolean {
  return endings.size > 0;
}

/**
 * A handler has answered: does what is to be done then. The response may be sent much later, when the next handler of this thread already waits for what this
 * one holds.
 */
export function handlerAnswered(request: Asking): void {
  const callbacks = endings.get(request);
  endings.delete(request);
  for (const callback of callbacks ?? []) callback();
}

/** @internal Calls a function when the handler of a request, as `calling` gives it, has answered. */
export function whenAnswered(request: Asking, callback: () => void): void {
  const callbacks = endings.get(request) ?? [];
  callbacks.push(callback);
  endings.set(request, callbacks);
}

/** @internal For which request something runs, until its handler has answered; and the number of the one whose handler is being called. */
export function calling(): { readonly request: Asking | undefined; readonly id: number } {
  const request = scope?.getStore();
  return { request: request && endings.has(request) ? request : undefined, id: idOfCalled() };
}

function idOfCalled(): number {
  for (const { isBusy, id } of callings) if (isBusy()) return id();
  return -1;
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
