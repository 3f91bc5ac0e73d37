/**
 * One request to an upstream, and the response that comes back.
 *
 * undici writes the request and parses the response. What is decided here is who waits for whom, and for how long. A clock runs while the upstream
 * is to do something: find us a connection, take a piece of the body, answer, send more. While the client is to do something, to send or to read,
 * it stands still. What the client does not read is not taken from the upstream either.
 *
 * The exchange is ended when nobody wants its response any more: the client has left, the response was dropped, the clock has run out.
 *
 * @module
 */
import type { Duplex, Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { RequestBody } from '../../http/body/request-body.ts';
import type { Request } from '../../http/request.ts';
import { HttpError } from '../../http/response.ts';
import { nudgeCollector } from '../../process/collect-buffers.ts';
import { WakeUp } from '../../process/wake-up.ts';
import { clientGone } from '../upstream/client-gone.ts';
import { bodyError, UpstreamFailure } from './failure.ts';
import { type Field, readHead, type UpstreamHead } from './fields.ts';
import type { Target } from './target.ts';

/** Most bytes that wait for a slow client before the upstream is told to wait. */
const FULL = 64 * 1024;
/** Servers that do not read the body of another method would take it for the next request: so nothing follows it on the same connection. */
const HAVE_BODIES: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);
/** Interim responses that are sent on: an upstream that never comes to the end is not to keep the client busy. */
const MAX_INTERIMS = 16;
const SILENT = 'it has sent nothing for too long';

/** How long an upstream may take for each of its steps, ms; 0: any time. */
export interface Patience {
  readonly connectTimeout: number;
  readonly headersTimeout: number;
  readonly bodyTimeout: number;
}

/** What is sent. */
export interface UpstreamRequest {
  /** Path and query. */
  readonly path: string;
  readonly host: string;
  readonly fields: readonly Field[];
  /** The protocols that the client offers to switch to. */
  readonly upgrade: string | undefined;
}

type Controller = Dispatcher.DispatchController;

/** An exchange with an upstream, and the body of its response. */
export class UpstreamExchange implements Dispatcher.DispatchHandler, AsyncIterableIterator<Buffer> {
  readonly #request: Request;
  readonly #patience: Patience;
  #clock: NodeJS.Timeout | undefined;
  #controller: Controller | undefined;
  #head: UpstreamHead | undefined;
  #socket: Duplex | undefined;
  /** What has come and was not taken. */
  readonly #pieces: Buffer[] = [];
  #waiting = 0;
  #isComplete = false;
  /** Nobody wants the rest. */
  #isDropped = false;
  #hasBegun = false;
  /** Interim responses that were sent on. */
  #interims = 0;
  #failure: Error | undefined;
  /** Whoever reads the answer: it waits for what comes next. */
  readonly #reader = new WakeUp();

  private constructor(request: Request, patience: Patience) {
    this.#request = request;
    this.#patience = patience;
  }

  /** Sends a request. @throws HttpError 499 when the client has gone already. */
  static start(request: Request, target: Target, sent: UpstreamRequest, patience: Patience): UpstreamExchange {
    if (request.signal.aborted) throw clientGone(request);
    const exchange = new UpstreamExchange(request, patience);
    request.signal.addEventListener('abort', () => exchange.#stop(clientGone(request)), { once: true });
    if (sent.upgrade === undefined) exchange.endWithRequest();
    exchange.#run(patience.connectTimeout, 'there was no connection to it in time');
    exchange.#send(target, sent);
    return exchange;
  }

  /** Ends it when the request is over, also when the handler has thrown the response away. Not for a connection that is handed over: it goes on then. */
  endWithRequest(): void {
    this.#request.onEnd(() => void this.return());
  }

  /**
   * Waits for the head of the response.
   *
   * @throws UpstreamFailure when there is none; HttpError 499 when the client goes away, or what its body fails with.
   */
  async head(): Promise<UpstreamHead> {
    while (!this.#failure && !this.#head) await this.#reader.wait();
    if (this.#failure) throw this.#failure;
    return this.#head as UpstreamHead; // or the loop would go on
  }

  /** The connection, when the upstream has switched protocols. */
  get socket(): Duplex | undefined {
    return this.#socket;
  }

  /** Whether the connection was closed before anything came: an idle one may have been on its way to that when we wrote to it. */
  get wasClosed(): boolean {
    return this.#failure instanceof UpstreamFailure && this.#failure.isClosed && this.#controller !== undefined && !this.#hasBegun;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next piece of the body. @throws Error when the upstream fails or takes too long: the body is not whole then. */
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

  /** Nobody wants the rest: the connection to the upstream is closed if there is more. */
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
  onResponseStart(controller: Controller, status: number): void {
    this.#hasBegun = true;
    if (status >= 200) this.#begin(readHead(status, rawHeaders(controller)));
    else this.#sendOn(status, controller);
  }

  /** @internal */
  onRequestUpgrade(controller: Controller, status: number, _headers: unknown, socket: Duplex): void {
    this.#isComplete = true; // as far as HTTP goes
    socket.on('error', () => {}); // until somebody takes it
    if (this.#failure) {
      socket.destroy();
      return;
    }
    this.#socket = socket;
    this.#begin(readHead(status, rawHeaders(controller)));
  }

  /** @internal */
  onResponseData(controller: Controller, piece: Buffer): void {
    nudgeCollector(piece);
    this.#pieces.push(piece);
    this.#waiting += piece.length;
    if (this.#waiting > FULL) controller.pause();
    this.#reader.wake();
  }

  /** @internal The trailers are dropped: they came behind what they could still have told. */
  onResponseEnd(): void {
    this.#isComplete = true;
    this.#reader.wake();
  }

  /** @internal */
  onResponseError(_controller: unknown, error: Error): void {
    const { code } = error as NodeJS.ErrnoException;
    this.#fail(code === 'UND_ERR_INVALID_ARG' ? error : UpstreamFailure.of(error)); // the former is a mistake of ours
  }

  #send({ pool, servername }: Target, { path, host, fields, upgrade }: UpstreamRequest): void {
    const { method, body } = this.#request;
    const isStreamed = !body.isInMemory && body.size !== 0;
    const headers = ['Host', host, ...fields.flat()];
    if (isStreamed && body.size >= 0) headers.push('Content-Length', String(body.size));
    pool.dispatch(
      {
        method,
        path,
        headers,
        body: isStreamed ? (this.#piecesOf(body) as unknown as Readable) : body.bytes(), // undici takes iterables; only its types do not say so
        ...(body.size !== 0 && !HAVE_BODIES.has(method) && { reset: true }),
        ...(upgrade !== undefined && { upgrade }),
        ...(servername !== undefined && { servername }),
      },
      this,
    );
  }

  /** The body on its way up. The clock stands still while the client is to send more of it. */
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
      this.#stop(error instanceof HttpError ? error : this.#request.signal.aborted ? clientGone(this.#request) : (error as Error));
      throw error;
    }
    this.#awaitHead();
  }

  /** All has been sent: now it is the upstream's turn. */
  #awaitHead(): void {
    if (!this.#head) this.#run(this.#patience.headersTimeout, 'it has not answered in time');
    else if (this.#reader.isWaiting) this.#run(this.#patience.bodyTimeout, SILENT);
  }

  /** An interim response is a sign of life, and the client's as much as the final one is (RFC 9110 §15.2). */
  #sendOn(status: number, controller: Controller): void {
    this.#clock?.refresh();
    if (status < 102 || this.#interims === MAX_INTERIMS) return;
    this.#interims++;
    const head = readHead(status, rawHeaders(controller));
    if (typeof head !== 'string') this.#request.sendInterim(status, head.fields);
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

  /** Ends the exchange; whoever waits for its response gets the error. */
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

/** The head as it came. undici's own reading of it joins lines and takes them for UTF-8. */
function rawHeaders(controller: Controller): readonly (Buffer | string)[] {
  return (controller as Controller & { readonly rawHeaders: readonly (Buffer | string)[] | null }).rawHeaders ?? [];
}
