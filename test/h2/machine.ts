/** A session without a socket: what it tells its owner, and what it would send. */
import type { Http2Head } from '../../src/h2/request-head.ts';
import { Session, type SessionOwner } from '../../src/h2/session.ts';
import type { Stream } from '../../src/h2/streams/stream.ts';
import type { ProtocolError } from '../../src/http/errors/protocol-error.ts';
import { HeaderList, type HeadersInit } from '../../src/http/header-list.ts';
import { DEFAULT_LIMITS } from '../../src/http/request/head-limits.ts';
import type { PartialHead } from '../../src/http/request/head-rules.ts';
import { type Frame, FrameParser, HELLO } from '../support/http2-frames.ts';

const DATE = 'Sat, 28 Nov 2026 12:00:00 GMT';

/** An event, as tests compare it. */
export type Event =
  | { head: string; id: number; isEnded: boolean }
  | { refused: number; code: string; id: number }
  | { data: string; id: number }
  | { end: number }
  | { reset: number; id: number }
  | { room: number };

export class Machine implements SessionOwner<undefined> {
  readonly session: Session<undefined>;
  readonly events: Event[] = [];
  readonly heads: Http2Head[] = [];
  mayGoOn = true;
  /** Monotonic ms. */
  now = 1000;
  /** Whether bodies are dealt with as they come, and streams released when they are reset. */
  isSwift = true;
  readonly #parser: FrameParser = new FrameParser();
  readonly #streams: Map<number, Stream<undefined>> = new Map();

  /** @param isGreeted Whether preface and settings have been exchanged. */
  constructor(maxConcurrentStreams = 100, isGreeted = true) {
    this.session = new Session(this, { ...DEFAULT_LIMITS, maxConcurrentStreams });
    if (!isGreeted) return;
    this.receive(HELLO);
    this.sent();
  }

  receive(...chunks: Uint8Array[]): void {
    const bytes = Buffer.concat(chunks);
    this.session.receive(bytes, bytes.length, this.now);
    bytes.fill(0xee); // a read buffer is used again
  }

  /** The frames that may be sent. */
  sent(room = Number.POSITIVE_INFINITY): Frame[] {
    return this.#parser.push(this.session.take(room));
  }

  stream(id: number): Stream<undefined> {
    const stream = this.#streams.get(id);
    if (!stream) throw new Error(`there is no stream ${id}`);
    return stream;
  }

  /** Answers, and releases the stream. @returns Whether all of the body is framed. */
  answer(id: number, body: string | Uint8Array, fields: HeadersInit = {}): boolean {
    const stream = this.stream(id);
    const size = Buffer.byteLength(body);
    this.session.respond(stream, 200, HeaderList.of(fields).wire, DATE, size, size === 0);
    const isFramed =
      size === 0 || (typeof body === 'string' ? this.session.writeText(stream, body, size) : this.session.write(stream, body, true));
    this.session.release(stream);
    return isFramed;
  }

  onHead(stream: Stream<undefined>, head: Http2Head, isEnded: boolean): void {
    this.#streams.set(stream.id, stream);
    this.heads.push(head);
    this.events.push({ head: `${head.method} ${head.target}`, id: stream.id, isEnded });
  }

  onRefused(stream: Stream<undefined>, _known: PartialHead, error: ProtocolError): void {
    this.#streams.set(stream.id, stream);
    this.events.push({ refused: error.status, code: error.code, id: stream.id });
  }

  onData(stream: Stream<undefined>, data: Buffer): void {
    this.events.push({ data: data.toString('latin1'), id: stream.id });
    if (this.isSwift) this.session.consumed(stream, data.length);
  }

  onEnd(stream: Stream<undefined>): void {
    this.events.push({ end: stream.id });
  }

  onReset(stream: Stream<undefined>, code: number): void {
    this.events.push({ reset: code, id: stream.id });
    if (this.isSwift) this.session.release(stream);
  }

  onRoom(stream: Stream<undefined>): void {
    this.events.push({ room: stream.id });
  }
}
