/**
 * The inside of a handler thread: takes requests from the main thread, calls the handler, and gives back what it answers.
 *
 * @module
 */

import type { Transferable } from 'node:worker_threads';
import { after } from '../../../exchange/after.ts';
import { inContextOf } from '../../../exchange/channels.ts';
import { tellSent } from '../../../exchange/dispatch.ts';
import { type Answering, plainResponseTo, reportError, respond } from '../../../exchange/respond.ts';
import { Stopping } from '../../../exchange/stopping.ts';
import { FileContent, StreamContent } from '../../../http/body/response-body.ts';
import type { StreamSource } from '../../../http/body/stream-source.ts';
import { clientLeft, serverStops } from '../../../http/errors/abort-reason.ts';
import type { FieldLines } from '../../../http/field-lines.ts';
import type { HeaderList } from '../../../http/header-list.ts';
import { type Carrier, Request } from '../../../http/request.ts';
import { HttpError, Response } from '../../../http/response.ts';
import { isBodyless } from '../../../http/status.ts';
import { parseTarget, type TargetParts } from '../../../http/target.ts';
import { isSentWanted } from '../../../process/watching/sent.ts';
import type { Address } from '../../host.ts';
import { HitAsker } from '../../questions/hit-asker.ts';
import { AskedServer } from '../../questions/server-questions.ts';
import type { Board } from '../board.ts';
import { ReceivedLines } from '../known-lines.ts';
import { type ChannelWord, type FromThread, handedOver, onWire, type ToThread, type WireContent } from '../wire.ts';
import { type ArrivedBody, arrivedBody } from './arrived-body.ts';
import type { ChannelPort } from './channels.ts';
import { type Open, openFor } from './open.ts';
import { SentLists } from './sent-lists.ts';
import { SentRoutes } from './sent-routes.ts';
import { StreamPump } from './stream-pump.ts';
import { TunnelSocket } from './tunnel-socket.ts';
import { peerFrom } from './wire-peer.ts';

export type NewRequest = Extract<ToThread, readonly ['request', ...unknown[]]>;
type Elsewhere = 'request' | 'hits' | 'told' | 'channel' | 'listening' | 'stopping' | 'draining' | 'probe' | 'closed';
type Following = Exclude<ToThread, readonly [Elsewhere, ...unknown[]]>;

/** What it speaks through. */
export interface SidePort {
  on(event: 'message', listener: (items: readonly ToThread[]) => void): unknown;
  postMessage(items: readonly FromThread[], transfer: readonly Transferable[]): void;
}

/** Answers wait for others of the same turn, but no longer than this, ms: the next handler may take its time. */
const MAX_DELAY = 0.5;

/** One thread's side. */
export class ThreadSide implements Carrier, ChannelPort {
  /** Settles with where the server listens. */
  readonly listening: Promise<{ readonly address: Address; readonly url: string }>;
  /** Settles when the server has stopped. */
  readonly closed: Promise<void>;
  readonly #answering: Answering;
  readonly #bodyMemory: number; // a body above it is large
  readonly #port: SidePort;
  readonly #board: Board;
  readonly #open: Map<number, Open> = new Map();
  readonly #server: { isStopping: boolean; readonly stopping: Stopping; readonly options: Answering['options'] };
  /** The whole server, as the script sees it. */
  readonly server: AskedServer = new AskedServer((id, question) => this.post(['question', id, question]));
  /** Counts hits for the whole server. */
  readonly hits: HitAsker = new HitAsker((id, questions) => this.post(['hits', id, questions]));
  /** Set when the first channel of this thread is made. */
  onChannel: (word: ChannelWord) => void = () => {};
  #outbox: FromThread[] = [];
  #transfer: Transferable[] = [];
  #isInTurn = false;
  #flushedAt = 0;
  readonly #lines: ReceivedLines = new ReceivedLines();
  readonly #lists: SentLists = new SentLists();
  readonly #routes: SentRoutes = new SentRoutes();
  #settleListening: (place: { address: Address; url: string }) => void = () => {};
  #settleClosed: () => void = () => {};

  constructor(answering: Answering, bodyMemory: number, port: SidePort, board: Board) {
    this.#answering = answering;
    this.#bodyMemory = bodyMemory;
    this.#server = { isStopping: false, stopping: new Stopping(), options: answering.options };
    this.#port = port;
    this.#board = board;
    this.listening = new Promise((resolve) => {
      this.#settleListening = resolve;
    });
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
    port.on('message', this.#onMessage);
    this.post(['ready']);
  }

  /** Asks the main thread to close the server. */
  close(timeout: number | undefined): void {
    this.post(['close', timeout]);
  }

  /** Sends an item to the main thread: at once, or together with the others of the current turn. */
  readonly post = (item: FromThread): void => {
    const isBytes = item[0] === 'data' && item[2] instanceof Uint8Array;
    this.#outbox.push(isBytes ? ['data', item[1], handedOver(item[2], this.#transfer)] : item);
    if (!this.#isInTurn) this.#flush();
  };

  /** Has the main thread send an interim response, at once: the handler may block right after it. */
  sendInterim(request: Request, status: number, fields: HeaderList): void {
    const { id } = request.peer;
    if (id === undefined) return; // it is none of ours
    this.post(['interim', id, status, fields.flat]);
    this.#flush();
  }

  /** The main thread is to know it, whatever the handler does from here on. */
  matched(request: Request, route: string): void {
    const { id } = request.peer;
    const number = this.#routes.numberOf(route, this.#tellRoute);
    if (id !== undefined && number !== undefined) this.#board.noteRoute(id, number);
  }

  readonly #tellRoute = (route: string): void => {
    this.post(['route', route]);
    this.#flush();
  };

  postChannel(word: ChannelWord): void {
    this.#outbox.push(['channel', word]);
    this.#flush();
  }

  #flush(): void {
    if (this.#outbox.length === 0) return;
    const items = this.#outbox;
    const transfer = this.#transfer;
    this.#outbox = [];
    this.#transfer = [];
    this.#port.postMessage(items, transfer);
  }

  readonly #onMessage = (items: readonly ToThread[]): void => {
    this.#isInTurn = true;
    this.#flushedAt = performance.now();
    for (const item of items) {
      this.take(item);
      const now = performance.now();
      if (now - this.#flushedAt > MAX_DELAY) {
        this.#flush();
        this.#flushedAt = now;
      }
    }
    this.#isInTurn = false;
    this.#flush();
  };

  /** Acts on an item. */
  protected take(item: ToThread): void {
    switch (item[0]) {
      case 'request': {
        const lines = this.#lines.fromWire(item[5]); // first: one that was recalled may have brought lines that come again by their slot
        if (!this.#board.enter(item[1])) return;
        try {
          return this.handle(item, lines, arrivedBody(item[1], item[7], this.#bodyMemory, this.post));
        } finally {
          this.#board.leave();
        }
      }
      case 'listening':
        return this.#settleListening({ address: item[1], url: item[2] });
      case 'hits':
        return this.hits.answered(item[1], item[2]);
      case 'stopping':
        this.#server.isStopping = true;
        return;
      case 'draining':
        return this.#server.stopping.begin();
      case 'told':
        return this.server.answered(item[1], item[2]);
      case 'channel':
        return this.onChannel(item[1]);
      case 'probe':
        return this.#board.answerProbe();
      case 'closed':
        return this.#settleClosed();
      default: {
        const open = this.#open.get(item[1]);
        if (open) this.#follow(open, item);
      }
    }
  }

  /** Calls the handler. */
  protected handle([, id, method, target, httpVersion, , peer]: NewRequest, lines: FieldLines, open: ArrivedBody): void {
    const parts = parseTarget(target) as TargetParts; // the main thread has parsed it too
    const request = new Request({ method, target, httpVersion, lines }, parts, peerFrom(peer, this.#server, this, id), open.body);
    const result = respond(this.#answering, request);
    const isOpen = !(result instanceof Response) || open.large !== undefined || open.live !== undefined;
    if (isOpen) this.#keep(id, request, open);
    if (result instanceof Response) this.#answer(id, request, result);
    else void result.then((response) => (this.#open.has(id) ? this.#answer(id, request, response) : response.dispose()));
  }

  #keep(id: number, request: Request, { large, live }: Pick<Open, 'large' | 'live'>): Open {
    const open = this.#open.get(id) ?? openFor(request, large, live);
    this.#open.set(id, open);
    return open;
  }

  /** The response as it can be sent from here. */
  protected sendable(response: Response): Response {
    return response;
  }

  #answer(id: number, request: Request, given: Response): void {
    const response = this.sendable(given);
    const { content, take, status } = response;
    let wire: WireContent;
    let source: StreamSource | undefined;
    try {
      // Taken here, where a stream that was sent before can still be answered: the main thread asks for pieces when the head is out.
      if (content instanceof StreamContent && !take && request.method !== 'HEAD' && !isBodyless(status)) {
        source = content.take(content.heartbeat ? undefined : after); // else the main thread times it
      }
      wire = this.#contentFor(response);
    } catch (error) {
      const answer = inContextOf(request, content, () => plainResponseTo(this.#answering, request, error));
      return this.#answer(id, request, answer);
    }
    const asksSent = source !== undefined || isSentWanted(request); // whoever makes the body may ask for it yet
    const holds = asksSent || request.hasEndings || (this.#open.get(id)?.large ?? this.#open.get(id)?.live) !== undefined;
    const open = source || take || holds ? this.#keep(id, request, { large: undefined, live: undefined }) : undefined;
    if (!open) this.#open.delete(id);
    const route = this.#routes.toWire(request.route);
    this.post(['answer', id, status, this.#lists.toWire(response.list), wire, holds, asksSent, route]);
    if (content instanceof StreamContent && !source) response.dispose();
    if (!open) return request.release(); // nobody tells it later
    open.take = take;
    if (content instanceof StreamContent) open.endless = content;
    if (!source) return;
    const report = (error: unknown): void => inContextOf(request, content, () => void reportError(this.#answering, request, error));
    open.pump = new StreamPump(id, source, this.post, report);
  }

  #contentFor({ content, take }: Response): WireContent {
    if (take) return ['upgrade'];
    if (content === undefined) return ['none'];
    if (typeof content === 'string') return ['text', content];
    if (content instanceof FileContent) {
      const { path, fileSize, version, parts, held } = content;
      return ['file', { path, fileSize, version, parts, descriptor: held?.giveAway() }];
    }
    if (content instanceof StreamContent) return ['stream', content.size, content.heartbeat, content.isEndless];
    return ['bytes', handedOver(content, this.#transfer)];
  }

  /** What comes for a request that has been handled, or is being. */
  #follow(open: Open, item: Following): void {
    const id = item[1];
    switch (item[0]) {
      case 'abort':
        return open.request.abort(new DOMException(item[2], item[3]));
      case 'sent':
        return tellSent(open.request, onWire(item[2], -1));
      case 'over':
      case 'unopened':
        return this.#release(id, open, item[0] === 'unopened');
      case 'data':
        return (open.tunnel ?? open.live)?.deliver(item[2]);
      case 'end':
        return open.tunnel ? open.tunnel.finish() : open.live?.stream.finish();
      case 'failed':
        return this.#fail(id, open, item[2]);
      case 'taken':
        return open.tunnel ? open.tunnel.taken() : open.pump?.taken(item[2]);
      case 'dropped':
        return open.pump?.drop();
      case 'goodbye':
        if (open.endless) return open.endless.stop();
        open.request.stop(); // its exchange is over, and nothing else tells it
        return (open.goodbye ??= new AbortController()).abort(serverStops());
      case 'opened':
        return this.#takeOver(id, open, item[2]);
      default:
    }
  }

  #fail(id: number, open: Open, [message, status, code]: readonly [string, number | undefined, string | undefined]): void {
    if (open.tunnel) {
      this.#open.delete(id);
      open.request.abort(clientLeft(new Error(message)));
      open.tunnel.destroy();
      return;
    }
    open.live?.stream.destroy(
      status === undefined ? new Error(message) : new HttpError(status, message, code === undefined ? {} : { code }),
    );
  }

  #takeOver(id: number, open: Open, head: Uint8Array): void {
    const tunnel = new TunnelSocket(id, this.post);
    open.tunnel = tunnel;
    open.goodbye ??= new AbortController();
    const report = (error: unknown): void => void reportError(this.#answering, open.request, error);
    try {
      open.take?.(tunnel, Buffer.from(head.buffer, head.byteOffset, head.byteLength), { stopping: open.goodbye.signal, report });
    } catch (error) {
      report(error);
      tunnel.destroy();
    }
  }

  /** The pattern that has matched last for a request that is open. */
  protected routeOf(id: number): string | undefined {
    return this.#open.get(id)?.request.route;
  }

  /** Whether nothing is open that has come to it. */
  get isIdle(): boolean {
    return this.#open.size === 0;
  }

  /** Ends what has no end of its own: the server stops. */
  farewell(): void {
    this.take(['draining']);
    for (const id of this.#open.keys()) this.take(['goodbye', id]);
  }

  /** Nobody is there any more to be answered: ends all that is open. */
  abandon(): void {
    for (const [id, open] of this.#open) {
      open.request.abort(clientLeft());
      open.tunnel?.destroy();
      this.#release(id, open);
    }
    this.#open.clear();
  }

  /** The response is out, or the client gone. */
  #release(id: number, open: Open, isUnopened = false): void {
    open.pump?.drop();
    open.live?.stream.destroy();
    open.request.release();
    if (!open.take || isUnopened) this.#open.delete(id); // a connection that was taken over goes on
    if (open.large) {
      open.large.release();
      this.post(['released', id]);
    }
  }
}
