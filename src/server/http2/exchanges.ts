/**
 * The exchanges of one HTTP/2 connection: what the session tells of its streams becomes requests, and responses go back to their streams.
 *
 * Streams know nothing of each other. Each has its exchange, whose request comes in by an `Inflow` and whose response goes out by an `Outflow`,
 * and each waits for its own:
 *
 *     when                     its time is up
 *     its body comes in        requestTimeout without progress: 408
 *     its handler is at work   handlerTimeout: 503
 *     its response goes out    writeTimeout without window, none once the client has ended its side: CANCEL
 *
 * @module
 */
import { respond } from '../../exchange/respond.ts';
import { CANCEL, INTERNAL_ERROR, NO_ERROR } from '../../h2/errors.ts';
import type { Http2Head } from '../../h2/request-head.ts';
import { Session } from '../../h2/session.ts';
import type { SessionOwner } from '../../h2/session-owner.ts';
import type { Stream } from '../../h2/streams/stream.ts';
import { RequestBody } from '../../http/body/request-body.ts';
import { StreamContent } from '../../http/body/response-body.ts';
import { clientLeft } from '../../http/errors/abort-reason.ts';
import { ProtocolError } from '../../http/errors/protocol-error.ts';
import type { FieldLines } from '../../http/field-lines.ts';
import { HeaderList } from '../../http/header-list.ts';
import { badTarget, type PartialHead } from '../../http/request/head-rules.ts';
import type { Peer, Request } from '../../http/request.ts';
import { HttpError, type Response } from '../../http/response.ts';
import { NO_TARGET, parseTarget } from '../../http/target.ts';
import { incomingBodyOf } from '../body/collect.ts';
import { clientBehind, proxiesFor, type TrustedProxies } from '../peer.ts';
import { refusalOf } from '../refusals.ts';
import type { Service } from '../service.ts';
import type { OutNotice } from '../socket/out-notices.ts';
import { Backlog } from './backlog.ts';
import { MEMORY } from './frame-writer.ts';
import { asHandshake } from './handshake.ts';
import { Inflow } from './inflow.ts';
import { type Sending, sendResponse, tellWhenOut } from './send.ts';
import { StreamExchange } from './stream-exchange.ts';
import { StreamSocket } from './stream-socket.ts';

/** Exchanges of a connection that may be under way at a time: RFC 9113 §6.5.2 advises no fewer than 100. */
const MAX_STREAMS = 128;

/** The connection, as its exchanges see it. */
export interface ExchangesOwner {
  /** Whether frames may be read: not while the client does not read what we send. */
  readonly mayGoOn: boolean;
  /** Writes what there is. */
  flush(): void;
  /** Writes it at the end of this turn. */
  readonly flushSoon: () => void;
  /** So much has come about that it is written before more does. */
  relieve(): void;
  /** Tells somebody when all that is framed so far is out, or never will be. */
  whenOut(notice: OutNotice): void;
  /** A response wants the connection to end. */
  leave(): void;
}

/** All exchanges of one connection. */
export class Exchanges implements SessionOwner<StreamExchange>, Sending {
  readonly service: Service;
  readonly session: Session<StreamExchange>;
  readonly flushSoon: () => void;
  /** Whether a frame of a stream has come since this was reset. */
  hasMoved = false;
  readonly #owner: ExchangesOwner;
  /** Made with the first response that has to wait. */
  readonly #backlog: Backlog;
  #isInputEnded = false; // the client has ended its side
  readonly #peer: Peer;
  /** Set when the peer is one of them. */
  readonly #proxies: TrustedProxies | undefined;

  constructor(owner: ExchangesOwner, peer: Peer, service: Service) {
    this.service = service;
    this.flushSoon = owner.flushSoon;
    this.#owner = owner;
    this.#peer = peer;
    this.#proxies = proxiesFor(peer, service.options.trustProxy);
    this.#backlog = new Backlog(this, service.unread);
    this.session = new Session(this, { ...service.limits, maxConcurrentStreams: MAX_STREAMS }, MEMORY, service.traffic.http2);
  }

  get mayGoOn(): boolean {
    return this.#owner.mayGoOn;
  }

  onHead(stream: Stream<StreamExchange>, head: Http2Head, isEnded: boolean): void {
    this.hasMoved = true;
    const isHandshake = head.protocol !== undefined;
    head.parts ??= parseTarget(head.target);
    const asked = isHandshake ? asHandshake(head) : head;
    const exchange = new StreamExchange(stream, asked, head.parts ?? NO_TARGET, this.#clientOf(head.lines));
    if (!head.parts) return this.#refuse(exchange, badTarget());
    if (isHandshake) {
      exchange.socket = new StreamSocket(this.session, stream, this.flushSoon);
      if (isEnded) exchange.socket.finish();
    } else if (!isEnded) return this.#expect(exchange, head);
    this.#admit(exchange, RequestBody.EMPTY);
  }

  onRefused(stream: Stream<StreamExchange>, known: PartialHead, error: ProtocolError): void {
    this.hasMoved = true;
    this.#refuse(StreamExchange.refused(stream, known, this.#peer), error, known);
  }

  onData(stream: Stream<StreamExchange>, data: Buffer): void {
    this.hasMoved = true;
    const { exchange } = stream;
    if (exchange?.socket) return exchange.socket.deliver(data);
    if (!exchange?.inflow) return;
    try {
      const dealtWith = exchange.inflow.take(data);
      if (dealtWith > 0) this.session.consumed(stream, dealtWith);
    } catch (error) {
      this.#refuse(exchange, error);
    }
  }

  onEnd(stream: Stream<StreamExchange>): void {
    this.hasMoved = true;
    const { exchange } = stream;
    exchange?.socket?.finish();
    if (!exchange?.inflow) return;
    exchange.inflow.isEnded = true;
    this.#endBody(exchange, exchange.inflow);
  }

  onReset(stream: Stream<StreamExchange>): void {
    this.hasMoved = true;
    if (stream.exchange) this.#abandon(stream.exchange);
  }

  onRoom({ exchange }: Stream<StreamExchange>): void {
    if (!exchange) return;
    exchange.socket?.onRoom();
    if (exchange.isSending && exchange.onRoom()) this.finish(exchange);
  }

  #clientOf(lines: FieldLines): Peer {
    return this.#proxies ? clientBehind(this.#peer, lines, this.#proxies) : this.#peer;
  }

  /** Prepares for a body, which is passed on as it comes when its handler wants that. */
  #expect(exchange: StreamExchange, { length, expectsContinue }: Http2Head): void {
    try {
      const body = incomingBodyOf(exchange, this.service, (error) => this.#goOnWithBody(exchange, error));
      const inflow = new Inflow(body, expectsContinue);
      exchange.inflow = inflow;
      exchange.body = body;
      if (body.live) this.#admit(exchange, new RequestBody({ stream: body.live, size: length < 0 ? undefined : length }));
      else this.#askForBody(exchange, inflow);
    } catch (error) {
      this.#refuse(exchange, error);
    }
  }

  /** A write to disk has ended, or a handler wants more of the body it streams. */
  #goOnWithBody(exchange: StreamExchange, error: ProtocolError | undefined): void {
    const { inflow } = exchange;
    if (exchange.isOver || !inflow || inflow.isRefused) return;
    try {
      if (error) throw error;
      const dealtWith = inflow.goOn();
      if (dealtWith > 0) this.session.consumed(exchange.stream, dealtWith);
      if (inflow.body.live && !inflow.body.isBusy) this.#askForBody(exchange, inflow);
      this.#endBody(exchange, inflow);
    } catch (fault) {
      this.#refuse(exchange, fault);
    }
    this.flushSoon();
  }

  /** The request is complete, once all of its body has been taken. */
  #endBody(exchange: StreamExchange, inflow: Inflow): void {
    if (!inflow.isEnded || inflow.isDone || inflow.isRefused || !inflow.isSettled) return;
    inflow.isDone = true;
    if (inflow.body.live) inflow.body.live.finish();
    else this.#admit(exchange, inflow.body.finish());
  }

  /** Sends a 100 (Continue) the client waits for, if none of the body has come (RFC 9110 §10.1.1). */
  #askForBody({ stream }: StreamExchange, inflow: Inflow): void {
    if (!inflow.waits) return;
    inflow.waits = false;
    if (inflow.body.received === 0) this.session.interim(stream, 100, HeaderList.EMPTY.wire);
  }

  /** The request is there for its handler. */
  #admit(exchange: StreamExchange, body: RequestBody): void {
    if (!this.#backlog.takes(exchange, body)) this.handle(exchange, body);
  }

  /** Makes the request and calls the handler. */
  handle(exchange: StreamExchange, body: RequestBody): void {
    const request = exchange.admit(this.service, body);
    if (!request || exchange.settle(this.service, respond(this.service, request), this)) this.#answer(exchange);
    else {
      exchange.isAtWork = true;
      this.#backlog.atWork++;
    }
  }

  onAnswer(exchange: StreamExchange): void {
    exchange.isAtWork = false;
    this.#backlog.atWork--;
    this.#answer(exchange);
    this.flushSoon();
  }

  /** The handler of an exchange that has had its 503 has ended: only now is the place of its stream free. */
  onLate(exchange: StreamExchange): void {
    exchange.isAtWork = false;
    this.#backlog.atWork--;
    if (exchange.isOver) this.session.release(exchange.stream);
    this.#backlog.resume();
    this.flushSoon();
  }

  #answer(exchange: StreamExchange): void {
    if (exchange.isOver) return this.#letGo(exchange);
    const response = exchange.response as Response; // whoever calls has set it
    if (response.list.wire.closes) this.#owner.leave();
    if (sendResponse(this, exchange, response)) this.finish(exchange);
    else this.#backlog.hold(exchange);
    this.#owner.relieve();
  }

  replace(exchange: StreamExchange, response: Response): void {
    exchange.response = response;
    this.#answer(exchange);
    this.flushSoon();
  }

  finish(exchange: StreamExchange): void {
    tellWhenOut(this.#owner, exchange);
    exchange.isEarly = !exchange.stream.isRemoteClosed;
    this.#letGo(exchange);
    this.flushSoon();
  }

  fail(exchange: StreamExchange): void {
    if (exchange.isOver) return;
    this.session.reset(exchange.stream, INTERNAL_ERROR);
    this.#letGo(exchange);
    this.flushSoon();
  }

  handOver(exchange: StreamExchange): void {
    tellWhenOut(this.#owner, exchange);
    exchange.handOver();
    exchange.socket?.on('close', () => {
      exchange.request?.abort(clientLeft());
      this.session.release(exchange.stream);
      this.flushSoon();
    });
  }

  /** An exchange is over. Its stream counts on while its handler is at work. */
  #letGo(exchange: StreamExchange): void {
    exchange.release();
    if (!exchange.isAtWork) this.session.release(exchange.stream);
    this.#backlog.free(exchange);
  }

  /** Refuses what the client sent on a stream: the answer says why. */
  #refuse(exchange: StreamExchange, error: unknown, known: PartialHead = exchange.head): void {
    const { inflow } = exchange;
    inflow?.refuse();
    if (exchange.request) {
      // Its handler streams the body: it sees the error, and answers.
      inflow?.body.fail(error instanceof ProtocolError ? refusalOf(error) : (error as Error));
      return;
    }
    exchange.response = this.service.refusals.answer(this.service, exchange.asRequest(), known, error, inflow?.body);
    this.#answer(exchange);
  }

  /** The client is gone, or has broken off this exchange. */
  #abandon(exchange: StreamExchange): void {
    if (exchange.isOver) {
      exchange.socket?.destroy();
      return;
    }
    this.service.traffic.leaving(exchange);
    exchange.request?.abort(clientLeft());
    exchange.inflow?.refuse();
    exchange.inflow?.body.fail(new HttpError(400, 'The client has broken off the request inside its body', { code: 'body-incomplete' }));
    this.#letGo(exchange);
  }

  /** The client is gone. */
  abandonAll(): void {
    for (const { exchange } of this.session.streams) if (exchange) this.#abandon(exchange);
  }

  /** The client sends no more: what has not come whole never reaches a handler. */
  endInput(): void {
    this.#isInputEnded = true;
    for (const stream of this.session.streams) {
      if (stream.isRemoteClosed) continue;
      this.session.reset(stream, CANCEL);
      this.onReset(stream);
    }
  }

  /** Those whose handler has not answered yet. */
  get open(): StreamExchange[] {
    return [...this.session.streams].flatMap(({ exchange }) => (exchange?.request && !exchange.response ? [exchange] : []));
  }

  /** Ends the bodies that have no end of their own. */
  stop(): void {
    for (const { exchange } of this.session.streams) {
      if (exchange?.response?.content instanceof StreamContent) exchange.response.content.stop();
    }
  }

  /** Sends an interim response, and flushes it, since the handler may block afterwards. */
  sendInterim(request: Request, status: number, fields: HeaderList): void {
    for (const { exchange } of this.session.streams) {
      if (exchange?.request !== request) continue;
      this.session.interim(exchange.stream, status, fields.wire);
      return this.#owner.flush();
    }
  }

  /** Looks for those whose time is up. */
  tick(now: number): void {
    const patience = this.#isInputEnded ? 0 : this.service.options.writeTimeout; // no more window can come
    let hasOutput: boolean | undefined;
    for (const stream of this.session.streams) {
      const { exchange } = stream;
      if (exchange?.isRestDue()) this.session.reset(stream, NO_ERROR);
      if (!exchange?.isSending) continue;
      if (exchange.timeOut(now)) this.#answer(exchange);
      else if (exchange.inflow?.isTooSlow(now, !this.mayGoOn, this.service)) {
        this.#refuse(exchange, new ProtocolError(408, 'body-timeout', 'Cannot read request: its body came too slowly'));
      } else if (exchange.response) {
        hasOutput ??= this.session.hasOutput;
        if (!exchange.isStuck(now, hasOutput && stream.sendWindow > 0, patience)) continue;
        this.session.reset(stream, CANCEL);
        this.#abandon(exchange);
      }
    }
  }
}
