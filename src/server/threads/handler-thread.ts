/**
 * One handler thread as the main thread sees it: its inbox, what it has under way, its start and its end.
 *
 * @module
 */
import type { MessagePort, Transferable, Worker } from 'node:worker_threads';
import type { Durations } from '../../process/durations.ts';
import { type RecallReason, WaitBoard } from '../../process/wait-board.ts';
import { countForThread } from '../questions/hit-asker.ts';
import type { ServerQuestion } from '../questions/server-questions.ts';
import { Board } from './board.ts';
import type { Flight } from './flight.ts';
import { Flights, wirePeerOf } from './flights.ts';
import { SentLines } from './known-lines.ts';
import { ThreadChannels } from './thread-channels.ts';
import { type FromThread, handedOver, type ThreadData, type ThreadLink, type ToThread, type WireBody } from './wire.ts';

/** What a pool hears of its threads. */
export interface ThreadEvents {
  onReady(thread: HandlerThread): void;
  /** Something was answered: it may take more. */
  onAnswer(thread: HandlerThread): void;
  /** It has ended by itself. */
  onExit(thread: HandlerThread, why: string): void;
  /** The script has called `close()`. */
  onClose(timeout: number | undefined): void;
  /** The script asks something of the whole server. */
  onQuestion(thread: HandlerThread, id: number, question: ServerQuestion): Promise<void>;
}

/** What a thread runs in: a worker of node:worker_threads, or for tests something else. */
export interface Backing {
  readonly worker: Worker | undefined;
  /** @param isIdle It has nothing to do, and may end by itself. @returns Whether it has ended in time. */
  stop(isIdle: boolean): Promise<boolean>;
}

/** Starts a thread that speaks through `data.port` and waits for I/O threads on its board. `onExit` gets the reason why it has ended. */
export type StartBacking = (data: ThreadData, waits: WaitBoard, onExit: (why: string) => void) => Backing;

/** One that has been in the same handler at so many looks in a row is stalled. */
const LOOKS = 2;

/** A handler thread. */
export class HandlerThread implements ThreadLink {
  readonly board: Board = new Board();
  readonly backing: Backing;
  /** Requests that it still holds, by their number. */
  readonly flights: Flights = new Flights();
  isReady = false;
  /** It takes no more requests. */
  isGone = false;
  /** It has not come back from the handler it is in. */
  isStalled = false;
  /** Monotonic ms. */
  readonly startedAt: number = performance.now();
  /** Since when it has nothing to do, monotonic ms. */
  idleSince = 0;
  readonly #port: MessagePort;
  /** `board.left` when it was looked at last, and how often it was the same. */
  #leftBefore = 0;
  #sameFor = 0;
  readonly #events: ThreadEvents;
  /** Requests put into its inbox. */
  #posted = 0;
  readonly #waits: WaitBoard = new WaitBoard();
  /** Probes put into its inbox; since when the last of them is without an answer and no handler was begun or left, and what `board` said then. */
  #probes = 0;
  #silentSince = 0;
  #movesBefore = 0;
  #outbox: ToThread[] = [];
  #transfer: Transferable[] = [];
  readonly #lines: SentLines = new SentLines();
  /** Process groups that its handlers have started. */
  readonly #groups: Set<number> = new Set();
  readonly #channels: ThreadChannels = new ThreadChannels((word) => this.post(['channel', word]));

  constructor(ports: { readonly port1: MessagePort; readonly port2: MessagePort }, start: StartBacking, events: ThreadEvents) {
    this.#events = events;
    this.#port = ports.port1;
    this.#port.on('message', this.#onMessage);
    this.#port.unref(); // connections keep the process alive, not idle threads
    this.backing = start({ port: ports.port2, shared: this.board.buffer, root: this.#channels.root }, this.#waits, (why) => {
      if (!this.isGone) events.onExit(this, why);
    });
  }

  /** Requests in its inbox, or in its handler's hands without a promise yet. */
  get pending(): number {
    return (this.#posted - this.board.left) | 0;
  }

  /** Requests in its inbox that it has not come to; also those that were taken back, until it passes them over. */
  get waiting(): number {
    return (this.#posted - this.board.entered) | 0;
  }

  /** The request whose handler has been called and has not returned. */
  get running(): Flight | undefined {
    const { left, entered, current } = this.board;
    return entered === left ? undefined : this.flights.get(current);
  }

  /** Looks whether it has come back from a handler since the last look, and notes the one that it is in. */
  look(now: number): void {
    const { left } = this.board;
    this.#sameFor = left === this.#leftBefore && this.pending > 0 ? this.#sameFor + 1 : 0;
    this.#leftBefore = left;
    this.isStalled = this.#sameFor >= LOOKS;
    const { running } = this;
    if (running?.begunAt === 0) running.begunAt = now;
  }

  /** It has answered: it makes progress. */
  moved(): void {
    this.isStalled = false;
    this.#sameFor = 0;
  }

  /** What it waits for: a call into an I/O thread. */
  get waitsIn(): string | undefined {
    return this.#waits.waitsIn;
  }

  /** What it has called in I/O threads, by name. */
  get calls(): Record<string, Durations> {
    return this.#waits.calls.read();
  }

  endWait(id: number, reason: RecallReason): boolean {
    if (this.running?.id !== id) return false;
    const isWaiting = this.#waits.waitsIn !== undefined;
    this.#waits.recall(id, reason);
    return isWaiting;
  }

  /** How long it has given no sign of life, ms: it is in a handler, or in what a handler has left behind, such as the part after an `await`. */
  silence(now: number): number {
    return this.#isSilent ? now - this.#silentSince : 0;
  }

  get #isSilent(): boolean {
    return this.#probes !== this.board.probes && this.#movesBefore === this.board.moves;
  }

  /** Asks it for a sign of life, unless it owes one. */
  probe(now: number): void {
    if (this.#isSilent) return;
    this.#silentSince = now;
    this.#movesBefore = this.board.moves;
    if (this.#probes !== this.board.probes) return; // it is on its way there
    this.#probes = (this.#probes + 1) | 0;
    this.post(['probe']);
  }

  /** The one request that it still holds, when it is only one. */
  get onlyFlight(): Flight | undefined {
    const [first, second] = [...this.flights.values()].filter((flight) => !flight.isTunnelled);
    return second ? undefined : first;
  }

  /** Gives it a request. */
  send(flight: Flight): void {
    const id = this.flights.board(flight, this);
    this.#posted = (this.#posted + 1) | 0;
    flight.order = this.#posted;
    this.board.offer(flight.order);
    flight.begunAt = 0;
    const { request } = flight;
    this.post([
      'request',
      id,
      request.method,
      request.target,
      request.httpVersion,
      this.#lines.toWire(request.lines),
      wirePeerOf(request),
      this.#bodyOf(flight),
    ]);
  }

  /** Takes a request back. @returns Whether the thread has not begun with it. */
  recall(flight: Flight): boolean {
    if (!this.board.recall(flight.order)) return false;
    this.flights.delete(flight.id);
    flight.thread = undefined;
    flight.letGo?.();
    return true;
  }

  /** Looks which route a request has so far. */
  learnRoute(id: number): void {
    this.flights.routed(id, this.board.routeOf(id));
  }

  /** Its requests, each with the route that has matched so far, and noted whether it has begun. */
  looked(now: number): Iterable<Flight> {
    for (const flight of this.flights.values()) {
      this.learnRoute(flight.id);
      if (flight.begunAt === 0 && this.board.hasCome(flight.order)) flight.begunAt = now;
    }
    return this.flights.values();
  }

  /** Takes back all that wait behind the one it is in, oldest first. */
  recallWaiting(): Flight[] {
    return [...this.flights.values()].filter((flight) => this.recall(flight));
  }

  /** Sends it an item; all the items of one turn of the loop leave in one message. */
  post(item: ToThread): void {
    if (this.isGone) return;
    if (this.#outbox.length === 0) setImmediate(this.#flush);
    const data = item[0] === 'data' || item[0] === 'opened' ? item[2] : item[0] === 'request' ? item[7] : undefined;
    if (data instanceof Uint8Array && data.length > 0) {
      const owned = handedOver(data, this.#transfer);
      this.#outbox.push(
        item[0] === 'request'
          ? [item[0], item[1], item[2], item[3], item[4], item[5], item[6], owned]
          : ([item[0], item[1], owned] as ToThread),
      );
    } else this.#outbox.push(item);
  }

  forget(id: number): void {
    this.flights.delete(id);
  }

  /** Stops it, whatever it does. What it has under way is lost. @returns Whether it has ended; false when something holds it that no interrupt reaches. */
  async stop(): Promise<boolean> {
    const isIdle = this.isReady && this.flights.size === 0;
    this.isGone = true;
    this.#port.close();
    this.#loseAll(503);
    return this.backing.stop(isIdle);
  }

  /** It has died. */
  lose(): void {
    this.isGone = true;
    this.#port.close();
    this.#loseAll(500);
  }

  #loseAll(status: number): void {
    for (const flight of this.flights.values()) flight.lose(status);
    this.flights.clear();
    for (const group of this.#groups) endGroup(group);
    this.#channels.close();
  }

  readonly #flush = (): void => {
    if (this.isGone) return;
    const items = this.#outbox;
    const transfer = this.#transfer;
    this.#outbox = [];
    this.#transfer = [];
    this.#port.postMessage(items, transfer);
  };

  #bodyOf(flight: Flight): WireBody {
    const { body } = flight.request;
    const { source } = body;
    if (Buffer.isBuffer(source)) {
      flight.letGo = body.retain();
      return source.length === 0 ? undefined : source;
    }
    if ('stream' in source) {
      void flight.feed(this);
      return [true, source.size ?? -1];
    }
    flight.letGo = body.retain();
    return [source.descriptor as number, source.size]; // the exchange is under way, so that it is open
  }

  readonly #onMessage = (items: readonly FromThread[]): void => {
    if (this.isGone) return; // what it held is closed, or will be
    for (const item of items) this.#take(item);
  };

  #take(item: FromThread): void {
    switch (item[0]) {
      case 'ready':
        this.isReady = true;
        return this.#events.onReady(this);
      case 'close':
        return this.#events.onClose(item[1]);
      case 'hits':
        return void countForThread(item[2]).then((answers) => this.post(['hits', item[1], answers]));
      case 'group':
        if (item[2]) this.#groups.add(item[1]);
        else this.#groups.delete(item[1]);
        return;
      case 'channel':
        return this.#channels.take(item[1]);
      case 'question':
        return void this.#events.onQuestion(this, item[1], item[2]);
      case 'route':
        return this.flights.learn(item[1]);
      case 'answer':
        if (item[4][0] === 'file' && item[4][1].descriptor !== undefined) this.board.letGo(item[4][1].descriptor); // it is ours now
        this.flights.answered(item);
        return this.#events.onAnswer(this);
      default:
        this.flights.follow(item);
    }
  }
}

function endGroup(id: number): void {
  try {
    process.kill(-id, 'SIGKILL');
  } catch {
    // it has ended by itself
  }
}
