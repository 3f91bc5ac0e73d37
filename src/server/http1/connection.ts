/**
 * One HTTP/1.1 connection: drives the machine of `h1/` with what a socket brings, hands requests to the handler, and answers in their order.
 *
 * Events are pulled from the reader until it needs more bytes, or until something says wait: a body that is being written to disk, a handler
 * that reads a stream slowly, too many answers owed, a client that does not read. While we wait the socket is paused, so nothing grows.
 *
 * An answer that is there at once, with nothing owed before it, is gathered in the same tick: no promise, no timer, no queue.
 * All others wait in `#owed` for their turn. A refusal (ProtocolError) is an answer as well and takes its place behind those owed before it;
 * the connection then lingers: what the client still sends is read and dropped for a while, since a close with unread input would make
 * the kernel reset the connection and destroy the answer on its way (RFC 9112 §9.6).
 *
 * @module
 */
import type { Socket } from 'node:net';
import { refusalOf, respond } from '../../exchange/respond.ts';
import { CHUNKED } from '../../h1/framing.ts';
import { END, HeadEvent, RequestReader } from '../../h1/request-reader.ts';
import { CONTINUE, serializeInterim } from '../../h1/serializer.ts';
import type { HeaderList } from '../../http/header-list.ts';
import { HttpError } from '../../http/http-error.ts';
import { ProtocolError } from '../../http/protocol-error.ts';
import { type Carrier, type Peer, Request } from '../../http/request.ts';
import { RequestBody } from '../../http/request-body.ts';
import { Response } from '../../http/response.ts';
import { parseTarget } from '../../http/target.ts';
import { incomingBodyOf } from '../body/collect.ts';
import type { IncomingBody } from '../body/incoming-body.ts';
import { clientBehind, isTrusted } from '../peer.ts';
import type { Connection, Service } from '../service.ts';
import { cut, linger } from '../socket/linger.ts';
import { isGone, probe } from '../socket/presence.ts';
import { handOver, listen, type SocketOwner, stopReading } from '../socket/socket-events.ts';
import { interject } from './interim.ts';
import { ANSWERING, IDLE, Patience, READING_BODY, READING_HEAD } from './patience.ts';
import { ResponseWriter } from './response-writer.ts';
import { sendResponse } from './send.ts';
import { badTarget, Exchange } from './turn.ts';

/** Answers owed at a time: a client that pipelines more waits. */
const MAX_OWED = 64;

/** Serves HTTP/1.1 on a socket. */
export class Http1Connection implements Connection, Carrier, SocketOwner {
  readonly service: Service;
  readonly socket: Socket;
  readonly writer: ResponseWriter;
  /** Nothing more is answered: the socket lingers, was handed over, or is gone. */
  isOver = false;
  readonly #reader: RequestReader;
  readonly #patience: Patience;
  readonly #peer: Peer;
  /** Whether the peer's word about the client is believed. */
  readonly #isProxy: boolean;
  /** Exchanges whose answer has not gone out whole, oldest first. */
  readonly #owed: Exchange[] = [];
  /** The exchange whose body is coming in. */
  #incoming: Exchange | undefined;
  /** What is collecting it. */
  #body: IncomingBody | undefined;
  #isRunning = false;
  #isSending = false;
  #isPaused = false;
  /** The client has ended its side. */
  #isEnded = false;

  constructor(socket: Socket, peer: Peer, service: Service) {
    this.service = service;
    this.socket = socket;
    this.writer = new ResponseWriter(socket, service.options.writeTimeout);
    this.#reader = new RequestReader(service.limits);
    this.#peer = peer;
    this.#isProxy = service.options.trustProxy !== undefined && isTrusted(service.options.trustProxy, peer.remoteAddress);
    this.#patience = new Patience(service);
    peer.carrier = this;
    service.connections.add(this);
    listen(socket, this);
  }

  readonly onRead = (bytes: Buffer | number, shared?: Buffer): boolean => {
    this.#peer.readAt = performance.now();
    if (typeof bytes === 'number') this.#reader.push(shared as Buffer, bytes);
    else this.#reader.push(bytes);
    this.#run();
    if (shared) this.#reader.keep();
    return true;
  };

  onDrain(): void {
    this.writer.onDrain();
    this.#run();
  }

  /** Pulls events and acts on them. Handlers are called from here, so that few frames of ours stand above the user's. */
  #run(): void {
    if (this.#isRunning || this.isOver) return;
    this.#isRunning = true;
    try {
      while (this.#canPull()) {
        const event = this.#reader.next();
        if (event === undefined) break;
        let request: Request | undefined;
        if (event === END) request = this.#takeEnd();
        else if (event instanceof HeadEvent) request = this.#takeHead(event);
        else this.#body?.add(event);
        if (request) this.#settle(respond(this.service, request));
        if (this.writer.isFull) this.writer.flush();
      }
    } catch (error) {
      this.#refuse(error);
    }
    this.#isRunning = false;
    if (this.isOver) return;
    this.writer.flush();
    this.#pauseOrResume();
    if (this.#isEnded) this.#finishInput();
    if (!this.isOver) this.#watch();
  }

  #canPull(): boolean {
    if (this.isOver || this.#body?.isBusy || this.#owed.length >= MAX_OWED || this.writer.isFull) return false;
    const last = this.#owed.at(-1);
    return last === undefined || last === this.#incoming || !(last.isLast || last.isBarrier);
  }

  /** A head has come. @returns The request when it can be handled already: its body is streamed, or there is none to wait for. */
  #takeHead(head: HeadEvent): Request | undefined {
    const { options } = this.service;
    head.parts ??= parseTarget(head.target);
    const target = head.parts;
    if (!target) throw badTarget();
    const peer = this.#isProxy && options.trustProxy ? clientBehind(this.#peer, head.lines, options.trustProxy) : this.#peer;
    const exchange = new Exchange(head, target, peer);
    if (head.length === 0) {
      this.#reader.next(); // END, at once
      exchange.isRead = true;
      return this.#admit(exchange, RequestBody.EMPTY);
    }
    this.#incoming = exchange;
    this.#patience.startRequest();
    this.#body = incomingBodyOf(exchange, options, (error) => this.#goOnWithBody(error));
    exchange.body = this.#body;
    exchange.waits = head.expectsContinue;
    if (!this.#body.live) {
      this.#askForBody();
      return undefined;
    }
    return this.#admit(exchange, new RequestBody({ stream: this.#body.live, size: head.length === CHUNKED ? undefined : head.length }));
  }

  /** The request is complete. */
  #takeEnd(): Request | undefined {
    const exchange = this.#incoming as Exchange; // a head came before its end
    const body = this.#body;
    this.#incoming = undefined;
    this.#body = undefined;
    if (body?.live) {
      body.live.finish();
      exchange.isRead = true;
      this.#advance();
      return undefined;
    }
    exchange.isRead = true;
    return this.#admit(exchange, (body as IncomingBody).finish()); // made when the head announced it
  }

  /** Puts an exchange into the order of answers and makes its request. */
  #admit(exchange: Exchange, body: RequestBody): Request | undefined {
    this.#owed.push(exchange);
    const request = new Request(exchange.head, exchange.target, exchange.peer, body);
    exchange.request = request;
    if (exchange.target.path === '*') {
      this.#answer(exchange, Response.empty(204)); // RFC 9110 §9.3.7: OPTIONS of the server as a whole
      return undefined;
    }
    this.service.inFlight++;
    return request;
  }

  /** The handler has returned: the last exchange admitted gets its answer, now or later, unless it has one because the time was up. */
  #settle(result: Response | Promise<Response>): void {
    const exchange = this.#owed.at(-1) as Exchange; // it was admitted just now, and nothing is pulled meanwhile
    if (result instanceof Response) {
      this.service.inFlight--;
      this.#answer(exchange, result);
      return;
    }
    const { handlerTimeout } = this.service.options;
    if (handlerTimeout > 0) exchange.deadline = performance.now() + handlerTimeout;
    void result.then((response) => {
      this.service.inFlight--;
      if (exchange.response) response.dispose();
      else this.#answer(exchange, response);
      this.#run();
    });
  }

  #answer(exchange: Exchange, response: Response): void {
    exchange.response = response;
    if (this.isOver) exchange.release();
    else this.#advance();
  }

  /** Sends the answers whose turn has come. */
  #advance(): void {
    while (!this.#isSending && !this.isOver) {
      const exchange = this.#owed[0];
      if (!exchange?.response) return;
      const sending = sendResponse(this, exchange, exchange.response);
      if (sending === undefined) this.#afterSending(exchange, true);
      else {
        this.#isSending = true;
        void sending.then((isWhole) => {
          this.#isSending = false;
          this.#afterSending(exchange, isWhole);
          this.#advance();
          this.#run();
        });
      }
    }
  }

  #afterSending(exchange: Exchange, isWhole: boolean): void {
    if (this.isOver) return;
    this.#owed.shift();
    // The answer was there before the body: the rest is read when it is little, else the connection is closed (RFC 9112 §9.3).
    if (!exchange.isRead && !exchange.isDroppable) exchange.isLast = true;
    this.isOver = !isWhole || exchange.isLast; // now: a streamed body that is let go of asks for more input, and `close` has been said
    exchange.release();
    if (!isWhole) return cut(this.socket, exchange.head.httpVersion === '1.0');
    // A client that did not ask for the close may be sending its next request just now.
    if (exchange.isLast) this.#end(exchange.head.isPersistent || !exchange.isRead || exchange.isRefusal || this.#reader.hasInput);
    else if (!this.#body?.isBusy) this.#askForBody();
  }

  /** Whether the connection may go on after this exchange; asked when its answer is about to be sent. */
  mayGoOn(exchange: Exchange): boolean {
    if (!exchange.head.isPersistent || this.service.isDraining || exchange.isLast) return false;
    if (this.#isEnded && this.#owed.length === 1 && !this.#reader.isMidway) return false;
    return exchange.isRead || exchange.isDroppable;
  }

  /** Sends 100 (Continue) to a client that waits for it: when all earlier answers are out, and none of the body is here yet (RFC 9110 §10.1.1). */
  #askForBody(): void {
    const exchange = this.#incoming;
    if (!exchange?.waits || (this.#owed.length > 0 && this.#owed[0] !== exchange) || exchange.response) return;
    exchange.waits = false;
    if (!this.#reader.hasInput && this.#body?.received === 0) this.writer.gather(CONTINUE);
  }

  /** Sends an interim response in its turn, and at once, since the handler may block behind it. */
  sendInterim(request: Request, status: number, fields: HeaderList): void {
    const place = this.#owed.findIndex((exchange) => exchange.request === request && !exchange.response);
    if (place !== -1) interject(this, this.#owed[place - 1]?.request, serializeInterim(status, fields.wire));
  }

  /** The disk has taken what it was given, or a handler wants more of the body it streams. */
  #goOnWithBody(error?: ProtocolError): void {
    if (this.isOver) return;
    if (error) this.#refuse(error);
    else if (this.#body?.live && !this.#body.isBusy) this.#askForBody();
    this.#run();
  }

  /** Something is wrong with what the client sent: it is told in its turn, and the connection ends with that. */
  #refuse(error: unknown): void {
    this.#reader.close();
    const incoming = this.#incoming;
    const body = this.#body;
    this.#incoming = undefined;
    this.#body = undefined;
    if (incoming?.request) {
      // Its handler streams the body: it is told, and its answer is the last. When that is out already, nothing more can be said.
      incoming.isLast = true;
      body?.fail(error instanceof ProtocolError ? new HttpError(error.status, error.message, { code: error.code }) : (error as Error));
      if (!this.#owed.includes(incoming)) this.#end(true);
      return;
    }
    body?.close();
    const exchange = incoming ?? Exchange.refused(this.#reader.isRefusingHead);
    exchange.isLast = true;
    exchange.isRefusal = true;
    exchange.isRead = true;
    this.#owed.push(exchange);
    this.#answer(exchange, refusalOf(this.service, exchange.asRequest(), error));
  }

  /** The client has ended its side: it may wait for what it is owed, or be gone. Handlers are told; what they answer is still sent. */
  onEnd(): void {
    this.#isEnded = true;
    this.#run();
    for (const exchange of this.#owed) if (!exchange.response) exchange.request?.abort(new Error('The client has ended the connection'));
    if (!this.isOver) probe(this.socket);
  }

  /** The client sends no more. What is complete is answered; what is not never reaches a handler (RFC 9112 §8). */
  #finishInput(): void {
    if (!this.#canPull() || (this.#owed.length > 0 && !this.#incoming)) return; // not yet: there may be more to read, or answers are owed
    if (this.#reader.isMidway) {
      this.#refuse(new ProtocolError(400, 'body-incomplete', 'Cannot read request: the connection was ended inside it'));
      this.writer.flush();
      return;
    }
    if (this.#owed.length === 0) this.#end(false);
  }

  onClose(): void {
    this.service.connections.delete(this);
    this.#peer.carrier = undefined; // a request that somebody keeps must not keep all of this
    this.isOver = true;
    this.writer.close();
    this.#body?.fail(new HttpError(400, 'The client has closed the connection inside the body', { code: 'body-incomplete' }));
    for (const exchange of this.#owed.splice(0)) {
      exchange.request?.abort(new Error('The client has gone away'));
      exchange.release();
    }
  }

  tick(now: number): void {
    if (this.writer.isStuck(now) || (this.#isEnded && isGone(this.socket))) return this.destroy();
    for (const exchange of this.#owed) {
      if (!exchange.response && exchange.deadline < now) this.#timeOut(exchange);
    }
    const isOurs = this.#body?.isBusy === true || this.#incoming?.waits === true;
    if (this.isOver || !this.#patience.isOver(now, this.#body?.received ?? 0, isOurs)) return;
    if (this.#patience.phase === READING_BODY) {
      this.#refuse(new ProtocolError(408, 'body-timeout', 'Cannot read request: its body came too slowly'));
    } else if (this.#reader.isMidway) this.#refuse(new ProtocolError(408, 'header-timeout', 'Cannot read request: its head took too long'));
    else this.#end(false);
    this.writer.flush();
    if (!this.isOver) this.#watch(); // once refused, only our own answers are waited for
  }

  /** The handler's promise has taken too long: 503, and whatever it gives later is dropped. */
  #timeOut(exchange: Exchange): void {
    exchange.deadline = Number.POSITIVE_INFINITY;
    exchange.request?.abort(new Error('The handler has taken longer than handlerTimeout'));
    this.#answer(exchange, new HttpError(503, 'The request took too long', { code: 'handler-timeout' }).response);
    this.#run();
  }

  /** Says what we wait for now. */
  #watch(): void {
    if (this.#incoming) this.#patience.watch(READING_BODY);
    else if (this.#reader.isMidway && this.#canPull()) this.#patience.watch(READING_HEAD);
    else this.#patience.watch(this.#owed.length > 0 ? ANSWERING : IDLE);
  }

  drain(): void {
    if (this.#owed.length === 0 && !this.#incoming && !this.#reader.isMidway) this.#patience.shorten();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Closes: at once when all input was read, else with a lingering end. */
  #end(isUnread: boolean): void {
    this.isOver = true;
    this.writer.flush();
    this.#reader.close();
    stopReading(this.socket);
    if (isUnread) linger(this.socket);
    else if (this.writer.isOut) this.socket.destroy();
    else {
      this.socket.resume();
      this.socket.destroySoon();
    }
  }

  /** Hands the socket over to another protocol. @returns The bytes that came behind the request. */
  handOver(exchange: Exchange): Buffer {
    this.isOver = true;
    this.writer.flush();
    this.#owed.splice(this.#owed.indexOf(exchange), 1);
    exchange.release();
    handOver(this.socket);
    this.socket.on('close', () => exchange.request?.abort(new Error('The client has gone away')));
    return this.#reader.release();
  }

  #pauseOrResume(): void {
    const isBlocked = !this.#canPull();
    if (isBlocked === this.#isPaused) return;
    this.#isPaused = isBlocked;
    if (isBlocked) this.socket.pause();
    else this.socket.resume();
  }
}
