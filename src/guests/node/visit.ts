/**
 * Passes a request of ours to a listener of node:http.
 *
 * A listener expects an IncomingMessage and a ServerResponse that behave in every detail like those of node:http. So it gets real ones, on a
 * socket without a descriptor; what `res` writes there is a response of HTTP/1.1, whose head is read back and whose body is passed on as it is:
 *
 *     Request ──▶ req ──▶ listener ──▶ res ──▶ socket ──▶ head, body ──▶ Response
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { reportLate } from '../../exchange/dispatch.ts';
import { withoutConnection } from '../../exchange/outgoing.ts';
import { isThenable } from '../../http/awaitable.ts';
import { contentOf } from '../../http/body/response-body.ts';
import type { Request } from '../../http/request.ts';
import { HttpError, Response } from '../../http/response.ts';
import { checkedStatus } from '../../http/status.ts';
import { breakOff, close, dropRest, isDrained, requestOf, responseOf } from './messages.ts';
import { checkMethod, fieldsOf, targetOf } from './passed-head.ts';
import { GuestSocket, type SocketReader, type Taken, type WrittenPiece } from './socket.ts';
import { TIME_TO_END, WrittenBody } from './written-body.ts';
import { type WrittenHead, WrittenHeads } from './written-heads.ts';

type Listener = (req: IncomingMessage, res: ServerResponse) => void;

/** The largest body that a listener is given in one piece, bytes. */
const PIECE = 64 * 1024;

/** Passes a request to a listener. @returns Its response, once the head is there. */
export function visit(request: Request, listener: Listener): Promise<Response> {
  return new Promise((resolve, reject) => {
    checkMethod(request);
    new Visit(request, resolve, reject).call(listener);
  });
}

class Visit implements SocketReader {
  readonly #request: Request;
  readonly #resolve: (response: Response) => void;
  readonly #reject: (error: unknown) => void;
  readonly #socket: GuestSocket;
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  /** The body of the request, when it comes in pieces. */
  #source: Readable | undefined;
  #isRead = false;
  readonly #heads: WrittenHeads = new WrittenHeads();
  /** The head of the final response. */
  #head: WrittenHead | undefined;
  #body: WrittenBody | undefined;
  /** The listener is being called: it may still throw. */
  #isCalling = true;
  #response: Response | undefined;
  #isAnswered = false;
  #parting: NodeJS.Timeout | undefined;
  #isWatched = false;
  /** The listener is in its call of `end`. */
  #isEnding = false;
  /** The listener has ended its response. */
  #isEnded = false;
  /** All of its response has been taken: the socket goes on to another request. */
  #isOver = false;

  constructor(request: Request, resolve: (response: Response) => void, reject: (error: unknown) => void) {
    this.#request = request;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#socket = GuestSocket.of(request, this);
    const fields = fieldsOf(request, ['Connection', 'close']);
    this.#socket.bytesRead += sizeOf(request, fields);
    this.#req = requestOf(this.#socket, request.method, targetOf(request), fields);
    this.#res = responseOf(this.#req, this.#socket);
  }

  call(listener: Listener): void {
    try {
      const result = listener(this.#req, this.#res) as unknown;
      if (isThenable(result)) Promise.resolve(result).catch(this.#fail);
    } catch (error) {
      return this.#fail(error);
    }
    this.#isCalling = false;
    if (this.#response) this.#answer(this.#response);
    this.#giveBody();
    if (!this.#isEnded) this.#watch();
  }

  // what `res` writes

  take(pieces: readonly WrittenPiece[], taken: Taken): void {
    try {
      for (const piece of pieces) this.#takePiece(piece);
    } catch (error) {
      this.#fail(error);
    }
    if (this.#head && this.#body && !this.#isEnding && !this.#isAnswered) this.#answerWith(this.#body.stream());
    if (this.#body) this.#body.whenTaken(taken);
    else taken();
  }

  #takePiece(piece: WrittenPiece): void {
    let rest: Buffer | string | undefined = piece.chunk;
    let { encoding } = piece;
    while (!this.#head) {
      const found = this.#heads.push(rest, encoding);
      if (!found) return;
      if (found.head.status === 101) throw new Error('Cannot answer with a listener: it has switched protocols');
      if (found.head.status >= 200) this.#onHead(found.head);
      else if (found.head.status > 101) this.#request.sendInterim(found.head.status, withoutConnection(found.head.pairs)); // 100 asks for a body, which we send anyway
      rest = found.rest;
      if (Buffer.isBuffer(rest)) encoding = 'latin1';
    }
    if (rest.length > 0) this.#body?.push(rest, encoding);
  }

  #onHead(head: WrittenHead): void {
    this.#head = head;
    const { status, announced } = head;
    if (this.#request.method !== 'HEAD' && status !== 204 && status !== 304) {
      this.#body = new WrittenBody(announced, () => this.#socket.destroy());
      return;
    }
    // Without a length, HEAD must not announce one: that of GET is not known (RFC 9110 §8.6).
    this.#answerWith(this.#request.method === 'HEAD' && announced === undefined ? Readable.from([]) : undefined);
  }

  onEnding(): void {
    this.#isEnding = !this.#isEnded && !this.#res.destroyed;
  }

  onEnd(): void {
    if (!this.#isEnding) return;
    this.#isEnding = false;
    this.#isEnded = true;
    if (!this.#body) return;
    if (!this.#isAnswered && this.#body.isWhole(true)) this.#answerWith(this.#body.whole());
    else if (this.#socket.writableLength === 0) this.#endBody();
  }

  onFinish(): void {
    this.#isOver = true;
    this.#endBody();
    this.#clear();
    if (this.#source && !this.#req.complete) {
      this.#source.destroy();
      if (this.#isRead) breakOff(this.#req); // whoever reads it must not wait for ever for what will not come
    } else if (!this.#isRead) dropRest(this.#req);
    if (this.#socket.destroyed) return; // its end closes the response
    this.#res.detachSocket(this.#socket);
    process.nextTick(closed, this.#req, this.#res, this.#socket, this.#request);
  }

  #endBody(): void {
    if (this.#body && !this.#isAnswered) this.#answerWith(this.#body.stream());
    this.#body?.end();
  }

  onDrain(): void {
    if (isDrained(this.#res)) this.#res.emit('drain');
  }

  onTimeout(): boolean {
    const isOfRequest = !this.#req.complete && this.#req.emit('timeout', this.#socket);
    return this.#res.emit('timeout', this.#socket) || isOfRequest;
  }

  #clear(): void {
    clearTimeout(this.#parting);
    if (this.#isWatched) this.#request.signal.removeEventListener('abort', this.#leave);
  }

  onClose(): void {
    this.#clear();
    if (!this.#res.writableFinished) {
      this.#source?.destroy();
      breakOff(this.#req);
    }
    const broken = new Error('Cannot answer with a listener: it has broken off the connection');
    if (!this.#head) this.#refuse(broken);
    else if (this.#head.isUntilClose && this.#socket.writableFinished) this.#endBody();
    else this.#body?.breakOff(broken);
  }

  // the answer

  #answerWith(content: string | Uint8Array | Readable | undefined): void {
    if (this.#isAnswered || !this.#head) return;
    this.#isAnswered = true;
    const { status, fields } = this.#head;
    this.#answer(Response.ofParts(checkedStatus(status), fields, contentOf(content)));
  }

  #answer(response: Response): void {
    if (this.#isCalling) this.#response = response;
    else this.#resolve(response);
  }

  #refuse(error: unknown): void {
    this.#isAnswered = true;
    this.#reject(error);
  }

  /** What a listener has thrown, or why its request is not whole: nobody knows whether its response is what it wanted to send. */
  readonly #fail = (error: unknown): void => {
    if (this.#isOver) return reportLate(this.#request, error);
    this.#response?.dispose();
    this.#refuse(error);
    this.#body?.breakOff(error instanceof Error ? error : new Error(String(error)));
    this.#socket.destroy();
  };

  // the client

  #giveBody(): void {
    const { body } = this.#request;
    if (body.size !== 0 && !(body.isInMemory && body.size <= PIECE)) return this.#giveBodyFrom(body.stream());
    if (body.size === 0) return this.#endRequest();
    this.#req.push(body.bytes());
    process.nextTick(() => this.#endRequest()); // as node:http, which tells of the end when the data has been looked at
  }

  #giveBodyFrom(source: Readable): void {
    this.#source = source;
    source.on('data', (piece: Buffer) => {
      if (!this.#req.push(piece)) source.pause();
    });
    source.on('end', () => this.#endRequest());
    source.on('error', this.#fail);
    if (!this.#isRead) source.pause();
  }

  #endRequest(): void {
    this.#req.complete = true;
    this.#req.push(null);
  }

  onRead(): void {
    this.#isRead = true;
    this.#source?.resume();
  }

  #watch(): void {
    const { signal } = this.#request;
    this.#isWatched = true;
    if (signal.aborted) this.#leave();
    else signal.addEventListener('abort', this.#leave);
    this.#request.onEnd(this.#leave); // also when the handler has discarded the response
  }

  /** A listener that has sent its whole response may still have to end it: it is left to do so, but not for ever. */
  readonly #leave = (): void => {
    if (this.#socket.destroyed || this.#res.writableFinished) return;
    if (this.#head && (!this.#body || this.#body.isWhole(this.#isEnded))) {
      this.#parting ??= setTimeout(() => this.#socket.destroy(), TIME_TO_END).unref();
      return;
    }
    const gone = new HttpError(503, undefined, { cause: this.#request.signal.reason });
    this.#refuse(gone);
    this.#body?.breakOff(gone);
    this.#socket.destroy();
  };
}

/** The end of an exchange, as node:http tells it: the response is closed first. */
function closed(req: IncomingMessage, res: ServerResponse, socket: GuestSocket, request: Request): void {
  close(res);
  socket.rest(request, req.complete && request.httpVersion !== '2.0'); // requests of one connection of HTTP/2 have nothing to do with each other
}

/** About as much as has been read of it; of a body, what is known. */
function sizeOf({ target, body }: Request, fields: readonly string[]): number {
  return fields.reduce((size, text) => size + text.length + 2, target.length + Math.max(0, body.size));
}
