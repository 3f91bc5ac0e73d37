/**
 * What a session tells whoever has it.
 *
 * @module
 */
import type { ProtocolError } from '../http/errors/protocol-error.ts';
import type { PartialHead } from '../http/request/head-rules.ts';
import type { Http2Head } from './request-head.ts';
import type { Stream } from './streams/stream.ts';

/** Whoever has a session. Called while it receives, goes on or is taken from. */
export interface SessionOwner<X> {
  /** Whether the next frame may be looked at: not while the client does not read what we send. */
  readonly mayGoOn: boolean;
  /** A request has come. @param isEnded Whether it has no body. */
  onHead(stream: Stream<X>, head: Http2Head, isEnded: boolean): void;
  /** A request has come that is answered without a handler. */
  onRefused(stream: Stream<X>, known: PartialHead, error: ProtocolError): void;
  /** Body has come. The bytes are valid during the call. `consumed` is owed for them. */
  onData(stream: Stream<X>, data: Buffer): void;
  /** The body is complete. Trailers have been checked and dropped. */
  onEnd(stream: Stream<X>): void;
  /** The stream has been reset, by the client or because it broke a rule on it. `release` is owed. */
  onReset(stream: Stream<X>, code: number): void;
  /** A piece of a response that had to wait is framed: the next may be given. */
  onRoom(stream: Stream<X>): void;
}
