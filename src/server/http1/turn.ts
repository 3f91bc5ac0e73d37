/**
 * One request of a connection and the answer it is owed.
 *
 * @module
 */

import { CHUNKED } from '../../h1/framing.ts';
import { FramingFields, type ParsedHead } from '../../h1/parser.ts';
import { HeadEvent } from '../../h1/request-reader.ts';
import { FieldLines } from '../../http/field-lines.ts';
import { ProtocolError } from '../../http/protocol-error.ts';
import { type Peer, Request } from '../../http/request.ts';
import { RequestBody } from '../../http/request-body.ts';
import type { Response } from '../../http/response.ts';
import type { TargetParts } from '../../http/target.ts';
import type { IncomingBody } from '../body/incoming-body.ts';

const NO_FIELDS: ParsedHead = {
  method: 'GET',
  target: '/',
  httpVersion: '1.0',
  section: { text: '', lines: FieldLines.of([]), fields: new FramingFields(), length: 0 },
  end: 0,
};
const NO_TARGET: TargetParts = { path: '/', rawQuery: '', authority: undefined };
const NO_PEER: Peer = { remoteAddress: undefined, remotePort: undefined, secure: false, host: undefined, readAt: Number.NaN };

/** What is left of a body when its answer is there: up to this it is read and dropped. */
const MAX_DROPPED = 256 * 1024;

/** From a request's head to the last byte of its response. */
export class Exchange {
  readonly head: HeadEvent;
  readonly target: TargetParts;
  readonly peer: Peer;
  request: Request | undefined = undefined;
  response: Response | undefined = undefined;
  body: IncomingBody | undefined = undefined;
  /** When the handler's time is up, in monotonic ms. */
  deadline: number = Number.POSITIVE_INFINITY;
  /** Whether the body has come whole. */
  isRead = false;
  /** Whether the connection ends with this exchange. */
  isLast = false;
  /** Whether this answers bytes that could not be served: the client may still be sending. */
  isRefusal = false;
  /** Whether the client still has to be asked for the body with 100 (Continue). */
  waits = false;

  constructor(head: HeadEvent, target: TargetParts, peer: Peer) {
    this.head = head;
    this.target = target;
    this.peer = peer;
  }

  /** Stands for a request whose head could not be read, but for its method when that is HEAD: such an answer has no content. */
  static refused(isHead: boolean): Exchange {
    return new Exchange(new HeadEvent(isHead ? { ...NO_FIELDS, method: 'HEAD' } : NO_FIELDS), NO_TARGET, NO_PEER);
  }

  /**
   * Whether what is left of the body is little enough to be read and dropped, so that the connection can go on. A client that was not
   * asked may send its body or not: nobody can tell what its next bytes are.
   */
  get isDroppable(): boolean {
    return !this.waits && this.head.length !== CHUNKED && this.head.length - (this.body?.received ?? 0) <= MAX_DROPPED;
  }

  /** Whether nothing behind this request may be read: until it is answered otherwise, the bytes may be of another protocol. */
  get isBarrier(): boolean {
    return this.head.upgrade !== undefined && (this.response === undefined || this.response.take !== undefined);
  }

  /** Lets go of what it holds: its body on disk, and a response that was not sent. */
  release(): void {
    this.body?.close();
    this.response?.dispose();
    this.request?.release();
  }

  /** The request as far as it is known: for `onError`. */
  asRequest(): Request {
    return this.request ?? new Request(this.head, this.target, this.peer, RequestBody.EMPTY);
  }
}

/** What is said to a target that no path can be made of. */
export function badTarget(): ProtocolError {
  return new ProtocolError(400, 'bad-target', 'Cannot serve request: the target holds a broken escape, broken UTF-8, NUL or a backslash');
}
