/**
 * One HTTP/1.1 connection: feeds bytes of a socket to the machine of `h1/`, passes requests to the handler, and answers in their order.
 *
 * It has two sides that know little of each other. The **input** side pulls events from the reader; the **output** side is the order of
 * answers (`turn.ts`). What the connection waits for follows from both, and decides which timeout runs (`../connection/patience.ts`):
 *
 *     phase          when                                        it ends with                    its time is up
 *     IDLE           nothing owed, no byte of a head             the first byte                  keepAliveTimeout: closed
 *     READING_HEAD   a head has come in part, and may be read    HeadEvent, or a refusal         headersTimeout: 408
 *     READING_BODY   `#incoming` is set                          END, or a refusal               requestTimeout without progress: 408
 *     ANSWERING      something is owed                           the last answer owed is out     handlerTimeout: 503; writeTimeout: cut
 *     over           `isOver`: lingering, handed over, or gone   –                               linger: closed
 *
 * Input is pulled until the reader needs more bytes, or until `#canPull` says no:
 *
 *     reason                                      ends when
 *     the body is being written to disk           the write has ended: `#goOnWithBody`
 *     a handler reads a streamed body slowly      it reads on: `#goOnWithBody`
 *     the client does not read its answers        'drain'
 *     too many answers are owed, or one goes out  one of them is out: `onRoom`
 *     the last request asked for an upgrade       it is answered without one: `onAnswer`
 *     the last request ends the connection        never: `#end` follows its answer
 *
 * Meanwhile a little is read ahead, then the socket is paused: nothing grows. A refusal (ProtocolError) is an answer like any other, behind
 * those owed before it; the connection then lingers, so that the client can read it (`linger.ts`).
 *
 * @module
 */
import type { Socket } from 'node:net';
import { respond } from '../../exchange/respond.ts';
import { CHUNKED } from '../../h1/framing.ts';
import { END, HeadEvent, RequestReader } from '../../h1/request-reader.ts';
import { CONTINUE, serializeInterim } from '../../h1/serializer.ts';
import { RequestBody } from '../../http/body/request-body.ts';
import { clientLeft } from '../../http/errors/abort-reason.ts';
import { ProtocolError } from '../../http/errors/protocol-error.ts';
import type { HeaderList } from '../../http/header-list.ts';
import { badTarget } from '../../http/request/head-rules.ts';
import type { Carrier, Peer, Request } from '../../http/request.ts';
import { HttpError, type Response } from '../../http/response.ts';
import { parseTarget } from '../../http/target.ts';
import { incomingBodyOf } from '../body/collect.ts';
import type { IncomingBody } from '../body/incoming-body.ts';
import { ANSWERING, IDLE, Patience, READING_BODY, READING_HEAD } from '../connection/patience.ts';
import type { Protocol } from '../figures/traffic.ts';
import { clientBehind, proxiesFor, type TrustedProxies } from '../peer.ts';
import { refusalOf } from '../refusals.ts';
import type { ManagedConnection, Service } from '../service.ts';
import { cut, end } from '../socket/linger.ts';
import { hasLeft } from '../socket/presence.ts';
import { handOver, listen, type SocketOwner, stopReading } from '../socket/socket-events.ts';
import { Departure } from './departure.ts';
import { interject } from './interim.ts';
import { ResponseWriter } from './response-writer.ts';
import { sendResponse, tellWhenOut } from './send.ts';
import { Turn, type TurnOwner, Turns } from './turn.ts';

/** Serves HTTP/1.1 on a socket. */
export class Http1Connection implements ManagedConnection, Carrier, SocketOwner, TurnOwner {
  readonly service: Service;
  readonly socket: Socket;
  readonly writer: ResponseWriter;
  protocol: Protocol = 'http/1.1';
  /** Nothing more is answered: the socket lingers, was handed over, or is gone. */
  isOver = false;
  readonly exchanges: Turns;
  readonly #reader: RequestReader;
  readonly #patience: Patience;
  readonly #peer: Peer;
  readonly #proxies: TrustedProxies | undefined; // set when the peer is one of them
  readonly #turns: Turns;
  /** The exchange whose body is coming in: it has one. */
  #incoming: Turn | undefined;
  #isRunning = false;
  #isPaused = false;
  #isEnded = false; // the client has ended its side,
  /** and has been asked whether it is still there. */
  #departure: Departure | undefined;

  constructor(socket: Socket, peer: Peer, service: Service) {
    this.service = service;
    this.socket = socket;
    this.writer = new ResponseWriter(socket, service.options.writeTimeout);
    this.#reader = new RequestReader(service.limits);
    this.#peer = peer;
    this.#proxies = proxiesFor(peer, service.options.trustProxy);
    this.#patience = new Patience(service);
    this.#turns = new Turns(this, service);
    this.exchanges = this.#turns;
    peer.carrier = this;
    service.opened(this, 'http/1.1');
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

  /** Pulls events and acts on them. Handlers are called from here, so that few frames of ours are on the stack above the user's. */
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
        else this.#incoming?.body?.add(event);
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
    if (this.isOver || this.writer.isFull) return false;
    return this.#incoming ? !this.#incoming.body?.isBusy : this.#turns.hasRoom;
  }

  /** A head has come. @returns The request when it can be handled already: its body is streamed, or there is none to wait for. */
  #takeHead(head: HeadEvent): Request | undefined {
    const target = (head.parts ??= parseTarget(head.target));
    if (!target) throw badTarget();
    const turn = new Turn(head, target, this.#proxies ? clientBehind(this.#peer, head.lines, this.#proxies) : this.#peer);
    if (head.length === 0) {
      this.#reader.next(); // END, at once
      turn.isRead = true;
      return this.#admit(turn, RequestBody.EMPTY);
    }
    this.#incoming = turn;
    this.#patience.startRequest();
    const body = incomingBodyOf(turn, this.service, (error) => this.#goOnWithBody(error));
    turn.body = body;
    turn.waits = head.expectsContinue;
    const size = head.length === CHUNKED ? undefined : head.length;
    if (body.live) return this.#admit(turn, new RequestBody({ stream: body.live, size }));
    this.#askForBody();
    return undefined;
  }

  /** The request is complete. */
  #takeEnd(): Request | undefined {
    const turn = this.#incoming as Turn; // a head came before its end
    const body = turn.body as IncomingBody; // made when the head announced it
    this.#incoming = undefined;
    turn.isRead = true;
    if (!body.live) return this.#admit(turn, body.finish());
    body.live.finish();
    this.#turns.advance();
    return undefined;
  }

  /** Puts an exchange into the order of answers and makes its request. */
  #admit(turn: Turn, body: RequestBody): Request | undefined {
    this.#turns.add(turn);
    const request = turn.admit(this.service, body);
    if (!request) this.#turns.advance();
    return request;
  }

  /** The handler has returned: the last exchange admitted gets its answer, now or later. */
  #settle(result: Response | Promise<Response>): void {
    const turn = this.#turns.last as Turn; // it was admitted just now, and nothing is pulled meanwhile
    if (turn.settle(this.service, result, this)) this.#turns.answered(turn);
  }

  onAnswer(turn: Turn): void {
    this.#turns.answered(turn);
    this.#run();
  }

  send(turn: Turn): Promise<boolean> | undefined {
    return sendResponse(this, turn, turn.response as Response); // its turn has come because it is there
  }

  onSent(turn: Turn, isWhole: boolean): void {
    // The answer was there before the body: the rest is read when it is little, else the connection is closed (RFC 9112 §9.3).
    if (!turn.isRead && !turn.isDroppable) turn.isLast = true;
    this.isOver = !isWhole || turn.isLast; // now: a streamed body that is released asks for more input, and `close` has been said
    if (!isWhole && !this.socket.writable) turn.request?.abort(clientLeft()); // a write has found out, before the socket says so
    tellWhenOut(this.writer, turn, isWhole); // with that, a request in a handler thread is over
    turn.release();
    if (!isWhole) return cut(this.socket, turn.head.httpVersion === '1.0');
    // A client that did not ask for the close may be sending its next request just now.
    if (turn.isLast) this.#end(turn.head.isPersistent || !turn.isRead || turn.isRefusal || this.#reader.hasInput);
    else if (!this.#incoming?.body?.isBusy) this.#askForBody();
  }

  onRoom(): void {
    this.#turns.advance();
    this.#run();
  }

  /** Whether the connection may go on after this exchange; asked when its answer is about to be sent. */
  mayGoOn(turn: Turn): boolean {
    if (!turn.head.isPersistent || this.service.isDraining || turn.isLast) return false;
    if (this.#isEnded && this.#turns.count === 1 && !this.#reader.isMidway) return false;
    return turn.isRead || turn.isDroppable;
  }

  /** Sends a 100 (Continue) the client waits for: once earlier answers are out, if none of the body has come (RFC 9110 §10.1.1). */
  #askForBody(): void {
    const turn = this.#incoming;
    if (!turn?.waits || (this.#turns.count > 0 && this.#turns.first !== turn) || turn.response) return;
    turn.waits = false;
    if (!this.#reader.hasInput && this.#incoming?.body?.received === 0) this.writer.gather(CONTINUE);
  }

  /** Sends an interim response when its turn has come, and flushes it, since the handler may block afterwards. */
  sendInterim(request: Request, status: number, fields: HeaderList): void {
    const before = this.#turns.before(request);
    if (before !== null) interject(this, before?.request, serializeInterim(status, fields.wire));
  }

  /** A write to disk has ended, or a handler wants more of the body it streams. */
  #goOnWithBody(error?: ProtocolError): void {
    if (this.isOver) return;
    if (error) this.#refuse(error);
    else if (this.#incoming?.body?.live && !this.#incoming.body.isBusy) this.#askForBody();
    this.#run();
  }

  /** Refuses what the client sent: the answer says why in its turn, and the connection ends with it. */
  #refuse(error: unknown): void {
    this.#reader.close();
    const incoming = this.#incoming;
    this.#incoming = undefined;
    if (incoming?.request) {
      // Its handler streams the body: it sees the error, and its answer is the last. When that is already out, nothing more can be sent.
      incoming.isLast = true;
      incoming.body?.fail(error instanceof ProtocolError ? refusalOf(error) : (error as Error));
      if (!this.#turns.has(incoming)) this.#end(true);
      return;
    }
    const known = incoming?.head ?? this.#reader.partialHead;
    const turn = incoming ?? Turn.refused(known, this.#peer);
    turn.refuse(this.service.refusals.answer(this.service, turn.asRequest(), known, error, incoming?.body));
    this.#turns.add(turn);
    this.#turns.answered(turn);
  }

  /** The client has ended its side: it may wait for its answers, or be gone. */
  onEnd(): void {
    this.#isEnded = true;
    this.#run();
    if (!this.isOver) this.#departure = new Departure(this.socket, this.writer, this.#turns);
  }

  /** The client sends no more. What is complete is answered; what is not never reaches a handler (RFC 9112 §8). */
  #finishInput(): void {
    if (!this.#canPull() || (this.#turns.count > 0 && !this.#incoming)) return; // not yet: there may be more to read, or answers are owed
    if (this.#reader.isMidway) {
      this.#refuse(new ProtocolError(400, 'body-incomplete', 'Cannot read request: the connection ended inside it'));
      return this.writer.flush();
    }
    if (this.#turns.count === 0) this.#end(false);
  }

  onClose(): void {
    this.service.connections.delete(this);
    this.#peer.carrier = undefined; // a request that is kept must not keep all of this alive
    this.isOver = true;
    this.writer.close();
    this.#incoming?.body?.fail(new HttpError(400, 'The client has closed the connection inside the body', { code: 'body-incomplete' }));
    for (const turn of this.#turns.clear()) {
      turn.request?.abort(clientLeft());
      turn.release();
    }
  }

  tick(now: number): void {
    const isGone = this.#departure ? this.#departure.isOver(now) : this.#isPaused && hasLeft(this.socket);
    if (isGone || this.writer.isStuck(now)) return this.destroy();
    if (this.#turns.timeOut(now)) this.onRoom();
    const isOurs = this.#incoming?.body?.isBusy === true || this.#incoming?.waits === true;
    if (this.isOver || !this.#patience.isDue(now, this.#incoming?.body?.received ?? 0, isOurs)) return;
    if (this.#patience.phase === READING_BODY) {
      this.#refuse(new ProtocolError(408, 'body-timeout', 'Cannot read request: its body came too slowly'));
    } else if (this.#reader.isMidway) this.#refuse(new ProtocolError(408, 'header-timeout', 'Cannot read request: its head took too long'));
    else this.#end(false);
    this.writer.flush();
    if (!this.isOver) this.#watch(); // once refused, we wait only for our own answers
  }

  /** Sets what we wait for now. */
  #watch(): void {
    if (this.#incoming) this.#patience.watch(READING_BODY);
    else if (this.#reader.isMidway && this.#canPull()) this.#patience.watch(READING_HEAD);
    else this.#patience.watch(this.#turns.count > 0 ? ANSWERING : IDLE);
  }

  drain(): void {
    this.#turns.stop();
    if (this.#turns.count === 0 && !this.#incoming && !this.#reader.isMidway) this.#patience.shorten();
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
    end(this.socket, isUnread, this.writer.isOut);
  }

  /** Hands the socket over to another protocol. @returns The bytes that came after the request. */
  handOver(turn: Turn): Buffer {
    this.protocol = 'upgraded';
    this.isOver = true;
    this.#isPaused = false; // that is up to the new owner
    this.writer.flush();
    this.#turns.remove(turn);
    turn.release();
    handOver(this.socket);
    this.socket.on('close', () => turn.request?.abort(clientLeft()));
    return this.#reader.release();
  }

  /** Reads a little ahead of what may be pulled, since a paused socket does not tell that its client has left; but not of the disk, which is soon done. */
  #pauseOrResume(): void {
    const mustPause = (this.#reader.isFull || this.#incoming?.body?.isWriting === true) && !this.#canPull();
    if (mustPause === this.#isPaused) return;
    this.#isPaused = mustPause;
    this.socket[mustPause ? 'pause' : 'resume']();
  }
}
