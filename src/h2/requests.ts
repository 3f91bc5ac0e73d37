/**
 * Header blocks: each opens a request, or ends one with its trailers (RFC 9113 §4.3, §8.1).
 *
 * A block is decoded whatever becomes of its stream: both sides must have the same header table.
 *
 * @module
 */
import type { Priority } from '../http/fields/priority.ts';
import type { Abuse } from './abuse.ts';
import { COMPRESSION_ERROR, ConnectionError, malformed, REFUSED_STREAM, STREAM_CLOSED, StreamError } from './errors.ts';
import { HeaderFragments } from './header-fragments.ts';
import { CompressionError } from './hpack/compression-error.ts';
import { type DecodedHeaders, HeaderDecoder, type HeaderLimits } from './hpack/decoder.ts';
import { checkTrailers, Http2Head, type RefusedHead, readHead } from './request-head.ts';
import type { SessionCounts } from './session-counts.ts';
import type { SessionOwner } from './session-owner.ts';
import { blockLimits, type PeerSettings, type SessionLimits } from './settings.ts';
import { Stream } from './streams/stream.ts';
import type { StreamTable } from './streams/stream-table.ts';

/** Octets of the header table that a client may use for us: what RFC 9113 §6.5.2 starts with, so that it needs no setting. */
const TABLE_SIZE = 4096;

/** A block may be so many times as large as what is accepted of it: whoever sends too much is told so, unless it is far too much. */
const MAX_EXCESS = 4;

/** Starts the streams of one connection. */
export class Requests<X> {
  /** Streams above this are ignored (§6.8). */
  lastId: number = Number.POSITIVE_INFINITY;
  readonly #owner: Pick<SessionOwner<X>, 'onHead' | 'onRefused' | 'onEnd'>;
  readonly #limits: SessionLimits;
  readonly #blockLimits: HeaderLimits;
  readonly #peer: PeerSettings;
  readonly #abuse: Abuse;
  readonly #table: StreamTable<X>;
  readonly #counts: SessionCounts;
  readonly #decoder: HeaderDecoder = new HeaderDecoder(TABLE_SIZE);
  readonly #fragments: HeaderFragments;
  /** Priorities of streams that have not begun. Most connections have none. */
  #priorities: Map<number, Priority> | undefined;
  /** The stream whose block comes; 0: none. */
  #id = 0;
  #isLast = false;
  #isOwnParent = false;

  constructor(
    owner: SessionOwner<X>,
    limits: SessionLimits,
    peer: PeerSettings,
    abuse: Abuse,
    table: StreamTable<X>,
    counts: SessionCounts,
  ) {
    this.#owner = owner;
    this.#limits = limits;
    this.#peer = peer;
    this.#abuse = abuse;
    this.#table = table;
    this.#counts = counts;
    this.#blockLimits = blockLimits(limits);
    this.#fragments = new HeaderFragments(MAX_EXCESS * this.#blockLimits.maxListSize);
  }

  /** Whether a block has come in part. */
  get isMidway(): boolean {
    return this.#id !== 0;
  }

  /** The stream of the block that has come in part. */
  get id(): number {
    return this.#id;
  }

  /** Begins a block. @param isLast Whether its stream ends with it. @param isOwnParent Whether the stream depends on itself. */
  begin(id: number, isLast: boolean, isOwnParent: boolean): void {
    this.#id = id;
    this.#isLast = isLast;
    this.#isOwnParent = isOwnParent;
  }

  /**
   * Adds a fragment of the block.
   *
   * @param isWhole Whether it is the last.
   * @throws ConnectionError or StreamError.
   */
  add(bytes: Buffer, start: number, end: number, isWhole: boolean): void {
    if (isWhole && this.#fragments.isEmpty) return this.#read(bytes, start, end);
    this.#fragments.add(bytes, start, end);
    if (!isWhole) return;
    const block = this.#fragments.take();
    this.#read(block, 0, block.length);
  }

  /** A stream that may be about to begin gets a priority. */
  prioritize(id: number, priority: Priority): void {
    this.#priorities ??= new Map();
    if (id <= this.#table.highest || this.#priorities.size >= this.#limits.maxConcurrentStreams) return;
    this.#priorities.set(id, priority);
  }

  #read(block: Buffer, start: number, end: number): void {
    const id = this.#id;
    this.#id = 0;
    const decoded = this.#decode(block, start, end);
    const stream = this.#table.get(id);
    if (stream && !stream.isReset) return this.#endWith(stream, decoded);
    if (id <= this.#table.highest) return this.#readLate(id);
    this.#table.begin(id);
    if (id > this.lastId) return this.#table.closed.note(id, true);
    if (this.#table.count >= this.#limits.maxConcurrentStreams) throw new StreamError(REFUSED_STREAM, 'Too many streams are open'); // §5.1.2
    if (this.#isOwnParent) throw malformed('its stream depends on itself');
    this.#abuse.earn();
    this.#open(id, this.#readHead(decoded));
  }

  #decode(block: Buffer, start: number, end: number): DecodedHeaders {
    try {
      return this.#decoder.decode(block, start, end, this.#blockLimits);
    } catch (error) {
      if (error instanceof CompressionError) throw new ConnectionError(COMPRESSION_ERROR, error.message);
      throw error;
    }
  }

  /** The same block has the same head: it is kept with what was decoded. */
  #readHead(decoded: DecodedHeaders): Http2Head | RefusedHead {
    const { kept } = decoded;
    if (kept instanceof Http2Head && kept.isEnded === this.#isLast) return kept;
    const head = readHead(decoded.fields, this.#isLast, decoded.isTooLarge, this.#limits);
    decoded.kept = head;
    return head;
  }

  #open(id: number, head: Http2Head | RefusedHead): void {
    const stream = new Stream<X>(id, this.#peer.initialWindow);
    stream.isRemoteClosed = this.#isLast;
    this.#table.add(stream);
    this.#counts.streams++;
    if (!(head instanceof Http2Head)) return this.#owner.onRefused(stream, head.known, head.error);
    if (head.length >= 0) stream.left = head.length;
    stream.priority = head.priority;
    if (this.#priorities) this.#takePriority(stream, this.#priorities);
    this.#owner.onHead(stream, head, this.#isLast);
  }

  #takePriority(stream: Stream<X>, priorities: Map<number, Priority>): void {
    stream.priority = priorities.get(stream.id) ?? stream.priority;
    for (const id of priorities.keys()) if (id <= stream.id) priorities.delete(id);
    if (priorities.size === 0) this.#priorities = undefined;
  }

  /** Trailers (§8.1). */
  #endWith(stream: Stream<X>, { fields, isTooLarge }: DecodedHeaders): void {
    if (stream.isRemoteClosed) throw new StreamError(STREAM_CLOSED, 'HEADERS came behind the end of its stream');
    if (!this.#isLast) throw malformed('fields came that do not end it');
    if (isTooLarge) throw malformed('its trailers are too large');
    checkTrailers(fields);
    stream.isRemoteClosed = true;
    if (stream.isShort) throw malformed('the body is shorter than Content-Length says');
    this.#owner.onEnd(stream);
    this.#table.forgetIfOver(stream);
  }

  #readLate(id: number): void {
    this.#table.checkLate(id);
    this.#abuse.nuisance('frames on closed streams');
  }
}
