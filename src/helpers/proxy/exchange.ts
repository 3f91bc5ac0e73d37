/**
 * One request to an upstream, and the response that comes back.
 *
 * undici writes the request and parses the response. This file decides who waits for whom, and for how long. A clock runs while the next
 * step is the upstream's: to accept a connection, read a piece of the body, answer, send more. It stops while the next step is the
 * client's: to send or to read. What the client does not read is not read from the upstream either.
 *
 * The exchange is ended when its response is no longer wanted: the client has left, the response was dropped, or the clock has run out.
 *
 * @module
 */
import type { Duplex, Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { RequestBody } from '../../http/body/request-body.ts';
import type { Request } from '../../http/request.ts';
import { HttpError } from '../../http/response.ts';
import { nudgeCollector } from '../../process/large-buffers.ts';
import { WakeUp } from '../../process/wake-up.ts';
import { clientGone } from '../upstream/client-gone.ts';
import { bodyError, UpstreamFailure } from './failure.ts';
import { type Field, readHead, type UpstreamHead } from './fields.ts';
import type { Target } from './target.ts';

/** Most bytes that wait for a slow client before we stop reading from the upstream. */
const FULL = 64 * 1024;
/** A server might not read the body of any other method and take it for the next request, so no request follows it on that connection. */
const HAVE_BODIES: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);
/** Most interim responses forwarded: an upstream that sends them endlessly must not keep the client busy. */
const MAX_INTERIMS = 16;
const SILENT = 'it has sent nothing for too long';

/** How long an upstream may take for each of its steps, ms; 0: no limit. */
export interface Patience {
  readonly connectTimeout: number;
  readonly headersTimeout: number;
  readonly bodyTimeout: number;
}

/** What is sent upstream. */
export interface UpstreamRequest {
  /** Path and query. */
  readonly path: string;
  readonly host: string;
  readonly fields: readonly Field[];
  /** The protocols that the client offers to switch to. */
  readonly upgrade: string | undefined;
}

type Controller = Dispatcher.DispatchController;
/** Header fields as undici has parsed them. */
type Parsed = Readonly<Record<string, string | string[] | undefined>>;

/** An exchange with an upstream, and the body of its response. */
export class UpstreamExchange implements Dispatcher.DispatchHandler, AsyncIterableIterator<Buffer> {
  readonly #request: Request;
  readonly #patience: Patience;
  #clock: NodeJS.Timeout | undefined;
  #controller: Controller | undefined;
  #head: UpstreamHead | undefined;
  #socket: Duplex | undefined;
  /** Pieces that have come and are not read yet. */
  readonly #pieces: Buffer[] = [];
  #waiting = 0;
  #isComplete = false;
  /** The rest is not wanted. */
  #isDropped = false;
  #hasBegun = false;
  /** Interim responses forwarded so far. */
  #interims = 0;
  #failure: Error | undefined;
  /** Whoever reads the answer: it waits for what comes next. */
  readonly #reader = new WakeUp();

  private constructor(request: Request, patience: Patience) {
    this.#request = request;
    this.#patience = patience;
  }

  /** Sends a request. @throws HttpError 499 when the client has already left. */
  static start(request: Request, target: Target, sent: UpstreamRequest, patience: Patience): UpstreamExchange {
    if (request.abortReason) throw clientGone(request);
    const exchange = new UpstreamExchange(request, patience);
    request.whenAborted(() => exchange.#stop(clientGone(request)));
    if (sent.upgrade === undefined) exchange.endWithRequest();
    exchange.#run(patience.connectTimeout, 'there was no connection to it in time');
    try {
      exchange.#send(target, sent);
    } catch (error) {
      exchange.onResponseError(undefined, error as Error); // a dispatcher of the application may be anything
    }
    return exchange;
  }

  /**
   * Ends it when the request is over, also when the handler has discarded the response. Not for a connection that is handed over, which
   * goes on.
   */
  endWithRequest(): void {
    this.#request.onEnd(() => void this.return());
  }

  /**
   * Waits for the head of the response.
   *
   * @throws UpstreamFailure when there is none; HttpError 499 when the client leaves, or the error that its body fails with.
   */
  async head(): Promise<UpstreamHead> {
    while (!this.#failure && !this.#head) await this.#reader.wait();
    if (this.#failure) throw this.#failure;
    return this.#head as UpstreamHead; // set, or the loop would go on
  }

  /** The body, when all of it has come with the head: it can leave with its head as well. Undefined for others, which are read piece by piece. */
  whole(): Buffer | undefined {
    if (!this.#isComplete || this.#failure || this.#isDropped) return undefined;
    this.#waiting = 0;
    const pieces = this.#pieces.splice(0);
    return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
  }

  /** The connection, when the upstream has switched protocols. */
  get socket(): Duplex | undefined {
    return this.#socket;
  }

  /** Whether the connection was closed before anything came: an idle one may have been closing just as we wrote to it. */
  get wasClosed(): boolean {
    return this.#failure instanceof UpstreamFailure && this.#failure.isClosed && this.#controller !== undefined && !this.#hasBegun;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next piece of the body. @throws Error when the upstream fails or takes too long: the body is then incomplete. */
  async next(): Promise<IteratorResult<Buffer, undefined>> {
    for (;;) {
      const piece = this.#take();
      if (piece) return { done: false, value: piece };
      if (this.#isDropped || this.#isComplete) return { done: true, value: undefined };
      if (this.#failure) throw this.#failure instanceof UpstreamFailure ? bodyError(this.#failure) : this.#failure;
      this.#run(this.#patience.bodyTimeout, SILENT);
      await this.#reader.wait();
      this.#rest();
    }
  }

  /** Drops the rest: the connection to the upstream is closed if there is more. */
  async return(): Promise<IteratorResult<Buffer, undefined>> {
    this.#isDropped = true;
    if (!this.#isComplete) this.#stop(new Error('The response was dropped'));
    return { done: true, value: undefined };
  }

  /** @internal undici has found a connection and is about to write. */
  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    if (this.#failure) controller.abort(this.#failure);
    else this.#awaitHead();
  }

  /** @internal */
  onResponseStart(controller: Controller, status: number, headers: Parsed): void {
    this.#hasBegun = true;
    const head = readHead(status, rawHeaders(controller, headers));
    if (status >= 200) this.#begin(head);
    else this.#sendOn(head);
  }

  /** @internal */
  onRequestUpgrade(controller: Controller, status: number, headers: Parsed, socket: Duplex): void {
    this.#isComplete = true; // as far as HTTP is concerned
    socket.on('error', () => {}); // until somebody takes it over
    if (this.#failure) {
      socket.destroy();
      return;
    }
    this.#socket = socket;
    this.#begin(readHead(status, rawHeaders(controller, headers)));
  }

  /** @internal */
  onResponseData(controller: Controller, piece: Buffer): void {
    nudgeCollector(piece);
    this.#pieces.push(piece);
    this.#waiting += piece.length;
    if (this.#waiting > FULL) controller.pause();
    this.#reader.wake();
  }

  /** @internal The trailers are dropped: they come too late to be sent as header fields. */
  onResponseEnd(): void {
    this.#isComplete = true;
    this.#reader.wake();
  }

  /** @internal */
  onResponseError(_controller: unknown, error: Error): void {
    const { code } = error as NodeJS.ErrnoException;
    this.#fail(code === 'UND_ERR_INVALID_ARG' ? error : UpstreamFailure.of(error)); // the former is a mistake of ours
  }

  #send({ dispatcher, origin, servername }: Target, { path, host, fields, upgrade }: UpstreamRequest): void {
    const { method, body } = this.#request;
    const isStreamed = !body.isInMemory && body.size !== 0;
    const headers = ['Host', host, ...fields.flat()];
    if (isStreamed && body.size >= 0) headers.push('Content-Length', String(body.size));
    dispatcher.dispatch(
      {
        origin,
        headersTimeout: 0, // we have our own for both
        bodyTimeout: 0,
        method,
        path,
        headers,
        body: isStreamed ? (this.#piecesOf(body) as unknown as Readable) : body.bytes(), // undici accepts iterables, though its types do not say so
        ...(body.size !== 0 && !HAVE_BODIES.has(method) && { reset: true }),
        ...(upgrade !== undefined && { upgrade }),
        ...(servername !== undefined && { servername }),
      },
      this,
    );
  }

  /** The request's body on its way upstream. The clock stops while we wait for the client to send more. */
  async *#piecesOf(body: RequestBody): AsyncGenerator<Buffer> {
    const source: AsyncIterable<Buffer> | Iterable<Buffer> = 'stream' in body.source ? body.source.stream : body.chunks();
    this.#rest();
    try {
      for await (const piece of source) {
        this.#run(this.#patience.headersTimeout, 'it has taken nothing of the body for too long');
        yield piece;
        this.#rest();
      }
    } catch (error) {
      this.#stop(error instanceof HttpError ? error : this.#request.abortReason ? clientGone(this.#request) : (error as Error));
      throw error;
    }
    this.#awaitHead();
  }

  /** Starts the clock: all has been sent, and the upstream must answer. */
  #awaitHead(): void {
    if (!this.#head) this.#run(this.#patience.headersTimeout, 'it has not answered in time');
    else if (this.#reader.isWaiting) this.#run(this.#patience.bodyTimeout, SILENT);
  }

  /** Forwards an interim response (RFC 9110 §15.2). It is no answer: the clock runs on. */
  #sendOn(head: UpstreamHead | string): void {
    if (typeof head === 'string' || head.status < 102 || this.#interims === MAX_INTERIMS) return;
    this.#interims++;
    this.#request.sendInterim(head.status, head.fields);
  }

  #begin(head: UpstreamHead | string): void {
    this.#rest();
    if (typeof head === 'string') this.#stop(new UpstreamFailure(`the response cannot be sent on: ${head}`, false));
    else this.#head = head;
    this.#reader.wake();
  }

  #take(): Buffer | undefined {
    if (this.#isDropped) return undefined;
    const piece = this.#pieces.shift();
    if (!piece) return undefined;
    const wasFull = this.#waiting > FULL;
    this.#waiting -= piece.length;
    if (wasFull && this.#waiting <= FULL && !this.#isComplete && !this.#failure) this.#controller?.resume();
    return piece;
  }

  /** Ends the exchange; the reader of its response gets the error. */
  #stop(error: Error): void {
    if (this.#failure) return;
    this.#fail(error);
    this.#socket?.destroy();
    if (!this.#isComplete) this.#controller?.abort(error);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#rest();
    this.#reader.wake();
  }

  #run(timeout: number, why: string): void {
    clearTimeout(this.#clock);
    if (timeout === 0 || this.#failure || this.#isComplete) return;
    this.#clock = setTimeout(() => this.#stop(new UpstreamFailure(why, true)), timeout);
  }

  #rest(): void {
    clearTimeout(this.#clock);
    this.#clock = undefined;
  }
}

/** The head as it came. undici's own parsed form, which joins lines and decodes them as UTF-8, is all that some dispatchers have. */
function rawHeaders(controller: Controller, parsed: Parsed): readonly (Buffer | string)[] {
  const { rawHeaders: raw } = controller as Controller & { readonly rawHeaders?: unknown };
  if (Array.isArray(raw)) return raw;
  return Object.entries(parsed).flatMap(([name, value]) => [value ?? []].flat().flatMap((line) => [name, line]));
}
