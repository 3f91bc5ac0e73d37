/**
 * The receiving half of a connection: frames in, events out (RFC 9113 §5, §6).
 *
 * Back-pressure has two places here. A client that does not read what we send stops us reading (`mayGoOn`): what came is kept, and the socket is
 * paused. A request body that is not dealt with is bounded by the window of its stream, which only `Session.consumed` gives back; the window of the
 * connection is given back as data comes, so that a stream at rest holds up no other.
 *
 * | what is wrong                                   | what follows                                    |
 * |-------------------------------------------------|-------------------------------------------------|
 * | the framing, a setting, the header table, abuse | GOAWAY: `error` is set, nothing more is read    |
 * | one stream, a malformed request                 | RST_STREAM: `onReset`, if there was an `onHead` |
 * | a request that is refused in every version      | `onRefused`: the owner answers                  |
 *
 * @module
 */
import { parsePriority } from '../http/fields/priority.ts';
import type { Abuse } from './abuse.ts';
import { ConnectionError, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, malformed, PROTOCOL_ERROR, STREAM_CLOSED, StreamError } from './errors.ts';
import { FrameReader } from './frame-reader.ts';
import * as frames from './frames.ts';
import { Requests } from './requests.ts';
import type { Sender } from './sender.ts';
import { countGoAway } from './session-counts.ts';
import type { SessionOwner } from './session-owner.ts';
import { CONNECTION_WINDOW, type PeerSettings, type SessionLimits } from './settings.ts';
import type { Stream } from './streams/stream.ts';
import type { StreamTable } from './streams/stream-table.ts';

/** Reads the frames of one connection. */
export class Receiver<X> {
  /** What has broken the connection. */
  error: ConnectionError | undefined;
  /** The client starts no more streams. */
  isClientLeaving = false;
  /** Called once, when the client has answered our ping. */
  onPong: (() => void) | undefined;
  readonly #owner: SessionOwner<X>;
  readonly #peer: PeerSettings;
  readonly #abuse: Abuse;
  readonly #table: StreamTable<X>;
  readonly #sender: Sender<X>;
  readonly #reader: FrameReader = new FrameReader();
  readonly #requests: Requests<X>;
  /** Bytes that the client may still send on the connection. */
  #window = CONNECTION_WINDOW;
  #hasSettings = false;
  #isRunning = false;

  constructor(owner: SessionOwner<X>, limits: SessionLimits, peer: PeerSettings, abuse: Abuse, table: StreamTable<X>, sender: Sender<X>) {
    this.#owner = owner;
    this.#peer = peer;
    this.#abuse = abuse;
    this.#table = table;
    this.#sender = sender;
    this.#requests = new Requests(owner, limits, peer, abuse, table, sender.counts);
  }

  get isFull(): boolean {
    return this.#reader.isFull;
  }

  get isMidway(): boolean {
    return !this.#hasSettings || this.#requests.isMidway || this.#reader.hasInput;
  }

  receive(bytes: Buffer, length: number, now: number): void {
    if (this.error) return;
    this.#reader.push(bytes, length);
    this.goOn(now);
    this.#reader.keep();
  }

  goOn(now: number): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#abuse.advance(now);
    try {
      while (!this.error && this.#owner.mayGoOn && this.#reader.next()) this.#takeOrReset();
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      this.#fail(error);
    }
    this.#isRunning = false;
  }

  /** Streams that come from now on are ignored: the client has been told (§6.8). */
  leave(): void {
    this.#requests.lastId = this.#table.highest;
  }

  /** Resets a stream. @throws Nothing: resets of ours that the client has not brought about are not abuse. */
  reset(stream: Stream<X>, code: number): void {
    if (stream.isClosed) return;
    this.#close(stream, true);
    this.#sender.reset(stream, code);
    this.#table.forgetIfOver(stream);
  }

  #takeOrReset(): void {
    try {
      this.#take();
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      this.#breakOff(this.#reader.id, error);
    }
  }

  /** Ends a stream on which the client has broken a rule. @throws ConnectionError when that happens too often. */
  #breakOff(id: number, { code }: StreamError): void {
    if (this.#table.closed.isOurs(id)) return this.#abuse.nuisance('frames on closed streams'); // it has been reset: this was on its way
    const stream = this.#table.get(id);
    if (stream && !stream.isClosed) {
      this.reset(stream, code);
      this.#owner.onReset(stream, code);
    } else {
      this.#table.closed.note(id, true);
      this.#sender.resetNumber(id, code);
    }
    this.#abuse.reset();
  }

  /** Ends the connection (§5.4.1). */
  #fail(error: ConnectionError): void {
    this.error = error;
    this.#reader.clear();
    for (const stream of this.#table.values()) {
      const wasClosed = stream.isClosed;
      this.#close(stream, true);
      this.#sender.drop(stream);
      if (!wasClosed) this.#owner.onReset(stream, error.code);
    }
    this.#sender.goAway(this.#table.highest, error.code, error.message);
  }

  #close(stream: Stream<X>, isOurs: boolean): void {
    stream.isReset = true;
    this.#table.closed.note(stream.id, isOurs);
  }

  /** Looks at one frame. */
  #take(): void {
    const { type, id } = this.#reader;
    if (!this.#hasSettings) {
      if (type !== frames.SETTINGS || this.#reader.has(frames.ACK)) throw broken('The first frame is no SETTINGS'); // §3.4
      this.#hasSettings = true;
    }
    if (this.#requests.isMidway && (type !== frames.CONTINUATION || id !== this.#requests.id)) {
      throw broken('Another frame came inside a header block'); // §4.3
    }
    switch (type) {
      case frames.DATA:
        return this.#takeData();
      case frames.HEADERS:
        return this.#takeHeaders();
      case frames.PRIORITY:
        return this.#takePriority();
      case frames.RST_STREAM:
        return this.#takeReset();
      case frames.SETTINGS:
        return this.#takeSettings();
      case frames.PUSH_PROMISE:
        throw broken('A client cannot push'); // §8.4
      case frames.PING:
        return this.#takePing();
      case frames.GOAWAY:
        return this.#takeGoAway();
      case frames.WINDOW_UPDATE:
        return this.#takeWindow();
      case frames.CONTINUATION:
        return this.#takeContinuation();
      case frames.PRIORITY_UPDATE:
        return this.#takePriorityUpdate();
      default:
        this.#abuse.nuisance('frames of unknown types'); // §5.5: they are ignored
    }
  }

  /** §6.1. */
  #takeData(): void {
    const reader = this.#reader;
    const { id, length: size } = reader;
    reader.onStream();
    this.#countOnConnection(size);
    reader.removePadding();
    const { length } = reader;
    const isLast = reader.has(frames.END_STREAM);
    const stream = this.#table.get(id);
    if (!stream || stream.isReset) return this.#takeLate(id);
    if (stream.isRemoteClosed) throw new StreamError(STREAM_CLOSED, 'DATA came behind the end of its stream'); // §5.1
    if (!stream.take(size)) throw new StreamError(FLOW_CONTROL_ERROR, 'DATA exceeds the window of its stream'); // §6.9.1
    if (length === 0 && !isLast) this.#abuse.nuisance('empty DATA frames');
    stream.left -= length;
    stream.received += length;
    if (stream.left < 0 || (isLast && stream.isShort)) throw malformed('the body is not as long as Content-Length says'); // §8.1.1
    if (isLast) stream.isRemoteClosed = true;
    if (size > length) this.giveBack(stream, size - length);
    if (length > 0) this.#owner.onData(stream, reader.payload());
    if (isLast && !stream.isReset) this.#owner.onEnd(stream);
    this.#table.forgetIfOver(stream);
  }

  /** The window of the connection is given back as it is used, in halves. @throws ConnectionError (§6.9.1). */
  #countOnConnection(size: number): void {
    this.#window -= size;
    if (this.#window < 0) throw new ConnectionError(FLOW_CONTROL_ERROR, 'DATA exceeds the window of the connection');
    if (this.#window * 2 > CONNECTION_WINDOW) return;
    this.#sender.giveBack(0, CONNECTION_WINDOW - this.#window);
    this.#window = CONNECTION_WINDOW;
  }

  /** Bytes of a body have been dealt with. */
  giveBack(stream: Stream<X>, count: number): void {
    const given = this.#table.consume(stream, count);
    if (!stream.isReset) this.#sender.giveBack(stream.id, given);
  }

  /** §6.2. */
  #takeHeaders(): void {
    const reader = this.#reader;
    reader.onStream();
    reader.removePadding();
    let isOwnParent = false;
    if (reader.has(frames.HAS_PRIORITY)) {
      reader.atLeast(5);
      isOwnParent = frames.read31(reader.bytes, reader.start) === reader.id;
      reader.start += 5; // the scheme is abandoned (§5.3.2)
    }
    this.#requests.begin(reader.id, reader.has(frames.END_STREAM), isOwnParent);
    this.#requests.add(reader.bytes, reader.start, reader.end, reader.has(frames.END_HEADERS));
  }

  /** §6.10. */
  #takeContinuation(): void {
    const { bytes, start, end } = this.#reader;
    if (!this.#requests.isMidway) throw broken('CONTINUATION continues nothing');
    if (start === end) this.#abuse.nuisance('empty CONTINUATION frames');
    this.#requests.add(bytes, start, end, this.#reader.has(frames.END_HEADERS));
  }

  /** §6.3. The scheme is abandoned: only its form is looked at. */
  #takePriority(): void {
    const { id, bytes, start } = this.#reader;
    if (id === 0) throw broken('PRIORITY concerns no stream'); // in any state, and with any number: those that we might push have even ones
    this.#abuse.nuisance('PRIORITY frames');
    if (this.#reader.length !== 5) throw this.#faultOf(id, FRAME_SIZE_ERROR, 'PRIORITY does not have five bytes');
    if (frames.read31(bytes, start) === id) throw this.#faultOf(id, PROTOCOL_ERROR, 'A stream depends on itself');
  }

  /** An error of a stream, or of the connection when the stream has not begun: there is nothing to reset. */
  #faultOf(id: number, code: number, message: string): Error {
    return id > this.#table.highest || id % 2 === 0 ? new ConnectionError(code, message) : new StreamError(code, message);
  }

  /** §6.4. */
  #takeReset(): void {
    const { id, bytes, start } = this.#reader;
    this.#reader.onStream();
    this.#reader.exactly(4);
    const stream = this.#table.get(id);
    if (!stream || stream.isClosed) {
      if (id > this.#table.highest) throw broken('RST_STREAM came on a stream that has not begun');
      return this.#abuse.nuisance('RST_STREAM frames');
    }
    this.#sender.counts.resetsReceived++;
    this.#close(stream, false);
    this.#sender.drop(stream);
    this.#owner.onReset(stream, frames.read32(bytes, start));
    this.#table.forgetIfOver(stream);
    this.#abuse.reset();
  }

  /** §6.5. */
  #takeSettings(): void {
    const { bytes, start, end } = this.#reader;
    this.#reader.onConnection();
    this.#abuse.nuisance('SETTINGS frames');
    if (this.#reader.has(frames.ACK)) return this.#reader.exactly(0);
    const before = this.#peer.initialWindow;
    this.#peer.read(bytes, start, end);
    const change = this.#peer.initialWindow - before;
    for (const stream of change === 0 ? [] : this.#table.values()) {
      stream.sendWindow += change; // §6.9.2
      if (stream.sendWindow > frames.MAX_31_BITS) throw new ConnectionError(FLOW_CONTROL_ERROR, 'A window exceeds 2^31-1');
    }
    this.#sender.frames.acknowledgeSettings();
  }

  /** §6.7. */
  #takePing(): void {
    const { bytes, start, end } = this.#reader;
    this.#reader.onConnection();
    this.#reader.exactly(8);
    this.#abuse.nuisance('PING frames');
    if (!this.#reader.has(frames.ACK)) return this.#sender.frames.frame(frames.PING, frames.ACK, 0, bytes, start, end);
    const { onPong } = this;
    this.onPong = undefined;
    onPong?.();
  }

  /** §6.8. */
  #takeGoAway(): void {
    const { bytes, start } = this.#reader;
    this.#reader.onConnection();
    this.#reader.atLeast(8);
    this.isClientLeaving = true;
    countGoAway(this.#sender.counts.goAwaysReceived, frames.read32(bytes, start + 4));
  }

  /** §6.9. */
  #takeWindow(): void {
    const { id, bytes, start } = this.#reader;
    this.#reader.exactly(4);
    if (id !== 0) this.#reader.onStream();
    if (id > this.#table.highest) throw broken('WINDOW_UPDATE came on a stream that has not begun');
    this.#abuse.nuisance('WINDOW_UPDATE frames');
    const increment = frames.read31(bytes, start);
    if (increment === 0) {
      throw id === 0 ? broken('A window of the connection grows by 0') : new StreamError(PROTOCOL_ERROR, 'A window grows by 0');
    }
    if (id === 0) return this.#sender.widen(increment);
    const stream = this.#table.get(id);
    if (stream && !stream.isClosed) this.#sender.widenStream(stream, increment);
  }

  /** RFC 9218 §7.1. */
  #takePriorityUpdate(): void {
    const { bytes, start, end } = this.#reader;
    this.#reader.onConnection();
    this.#reader.atLeast(4);
    this.#abuse.nuisance('PRIORITY_UPDATE frames');
    const id = frames.read31(bytes, start);
    if (id % 2 === 0) throw broken('PRIORITY_UPDATE names no request');
    const priority = parsePriority(bytes.toString('latin1', start + 4, end));
    const stream = this.#table.get(id);
    if (stream) this.#sender.reorder(stream, priority);
    else this.#requests.prioritize(id, priority);
  }

  /** A frame came on a stream that is closed. @throws StreamError or ConnectionError, unless it may have been on its way when we reset the stream. */
  #takeLate(id: number): void {
    this.#table.checkLate(id);
    this.#abuse.nuisance('frames on closed streams');
  }
}

function broken(message: string): ConnectionError {
  return new ConnectionError(PROTOCOL_ERROR, message);
}
