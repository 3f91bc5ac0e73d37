/**
 * The reading half of a connection as a machine: bytes in, events out. No socket, no clock.
 *
 * For each request the events are its head, its data in any number of pieces, and `END`. Events are pulled, not pushed: to stop
 * pulling is to stop the machine, and that is how the driver keeps back-pressure and the order of pipelined requests.
 *
 * | state  | what is read                    | goes to                                                     |
 * |--------|---------------------------------|-------------------------------------------------------------|
 * | HEAD   | empty lines, then a head        | BODY when a body is announced, else FINISH                  |
 * | BODY   | data by length or by chunks     | FINISH                                                      |
 * | FINISH | nothing: gives `END`            | HEAD, or CLOSED when the client asked to close              |
 * | CLOSED | nothing: what follows is ignored | –                                                          |
 *
 * A ProtocolError leads to CLOSED from everywhere: once framing is in doubt, nothing more may be parsed (RFC 9112 §2.2).
 *
 * @module
 */
import type { FieldLines } from '../http/field-lines.ts';
import type { HeadLimits } from '../http/request/head-limits.ts';
import type { PartialHead } from '../http/request/head-rules.ts';
import type { HttpVersion } from '../http/request.ts';
import type { TargetParts } from '../http/target.ts';
import { ChunkedDecoder } from './chunked-decoder.ts';
import { CHUNKED, expectsContinue, isPersistent, offeredUpgrade, requestLength } from './framing.ts';
import { keptHead, keptSection } from './kept-head.ts';
import { type HeaderSection, type ParsedHead, parseHead, skipEmptyLines } from './parser.ts';
import { readPartialHead } from './partial-head.ts';

const HEAD = 0;
const BODY = 1;
const FINISH = 2;
const CLOSED = 3;

/** The event behind the last data of a request. */
export const END: unique symbol = Symbol('end of request');

/** The event that opens a request. */
export class HeadEvent {
  readonly method: string;
  readonly target: string;
  readonly httpVersion: HttpVersion;
  readonly lines: FieldLines;
  /** Bytes of body, 0, or `CHUNKED`. */
  readonly length: number;
  /** Whether the client lets the connection go on. */
  readonly isPersistent: boolean;
  /** Whether the client waits for 100 (Continue). */
  readonly expectsContinue: boolean;
  /** The protocol the client offers to switch to. */
  readonly upgrade: string | undefined;
  /** For the server to keep something in: the same head may come again. */
  parts: TargetParts | undefined = undefined;

  /** @throws ProtocolError when the length of the body is in doubt, or the client expects what cannot be met. */
  constructor(head: ParsedHead) {
    this.method = head.method;
    this.target = head.target;
    this.httpVersion = head.httpVersion;
    this.lines = head.section.lines;
    this.length = requestLength(head);
    this.isPersistent = isPersistent(head);
    this.expectsContinue = expectsContinue(head);
    this.upgrade = offeredUpgrade(head);
  }
}

/** What reading a connection gives. */
export type ReadEvent = HeadEvent | Buffer | typeof END;

/** The text of a head, and the event that it gives. */
interface KeptEvent {
  readonly text: string;
  readonly event: HeadEvent;
}

/** A connection whose sections, or heads, differ so often gets no more of them kept. */
const MAX_UNKNOWN = 5;
/** Only this much of the input is turned into text at first, to find a head: what follows it is often a body, which needs no text. */
const WINDOW = 8 * 1024;
/** Bytes that are read ahead of what is asked for. */
const MAX_AHEAD = 64 * 1024;
const NOTHING: Buffer = Buffer.alloc(0);

/** Reads the requests of one connection. */
export class RequestReader {
  readonly #limits: HeadLimits;
  #state = HEAD;
  #input: Buffer = NOTHING;
  #at = 0;
  /** Where the head begins that was looked at last. */
  #headAt = 0;
  /** Where the input ends: behind it the buffer holds nothing of ours. */
  #end = 0;
  /** Whether the buffer is our own: what comes next may be put behind the input. */
  #isOwn = false;
  /** Bytes that came after the last that is read. */
  #ignored = 0;
  /** The beginning of the input as text, one character a byte: made once for all the heads in it. */
  #text: string | undefined;
  /** Whether a line feed has come since a head was last looked for: no verdict changes without one, */
  #hasNewLine = false;
  /** unless the head, from its first byte, gets longer than this: then it exceeds a limit. */
  #mostWithoutNewLine = 0;
  #emptyLines = 0;
  #isLast = false;
  /** Bytes of a body of known length that are still to come. */
  #left = 0;
  #chunks: ChunkedDecoder | undefined;
  /** A header section that has come before. */
  #known: HeaderSection | undefined;
  /** Heads with another one. */
  #unknown = 0;
  /** The last head whose section was known: it may come again as a whole. */
  #last: KeptEvent | undefined;
  /** Heads that were others than the one before. */
  #differing = 0;

  constructor(limits: HeadLimits) {
    this.#limits = limits;
  }

  /**
   * Takes bytes in.
   *
   * @param bytes Read from the start to `length`. Must not change before `keep` is called.
   */
  push(bytes: Buffer, length: number = bytes.length): void {
    if (this.#state === CLOSED) {
      this.#ignored += length;
      return;
    }
    if (this.#at === this.#end) {
      this.#input = bytes;
      this.#isOwn = false;
      this.#at = 0;
      this.#end = length;
      this.#hasNewLine = true;
    } else {
      const newLine = bytes.indexOf(0x0a);
      this.#hasNewLine ||= newLine !== -1 && newLine < length;
      if (!this.#isOwn || this.#input.length - this.#end < length) this.#own(this.#end - this.#at + length);
      bytes.copy(this.#input, this.#end, 0, length);
      this.#end += length;
    }
    this.#headAt = this.#at;
    this.#text = undefined;
  }

  /** Moves what has not been read into a buffer of our own, with room for as much again as is needed: input may come byte by byte. */
  #own(size: number): void {
    const own = Buffer.allocUnsafe(size * 2);
    this.#end = this.#input.copy(own, 0, this.#at, this.#end);
    this.#input = own;
    this.#isOwn = true;
    this.#at = 0;
  }

  /** Copies what has not been read, so that the buffer it came in may be used again. */
  keep(): void {
    this.#text = undefined;
    if (this.#at === this.#end) {
      this.#input = NOTHING;
      this.#isOwn = false;
      this.#at = 0;
      this.#end = 0;
    } else if (!this.#isOwn) this.#own(this.#end - this.#at);
    this.#headAt = this.#at;
  }

  /**
   * The next event, or `undefined` when more bytes are needed.
   *
   * @throws ProtocolError when what came is not HTTP/1.1 or exceeds a limit. After that nothing is read any more.
   */
  next(): ReadEvent | undefined {
    try {
      switch (this.#state) {
        case HEAD:
          return this.#nextHead();
        case BODY:
          return this.#nextData();
        case FINISH:
          this.#state = this.#isLast ? CLOSED : HEAD;
          this.#hasNewLine = true; // what lies behind the body may hold a whole head
          return END;
        default:
          return undefined;
      }
    } catch (error) {
      this.#state = CLOSED;
      throw error;
    }
  }

  /** Whether a head or a body has come in part. Empty lines are nothing. */
  get isMidway(): boolean {
    return this.#state === BODY || this.#state === FINISH || (this.#state === HEAD && this.#at < this.#end);
  }

  /** What can be read of the head that was refused, or has come in part. */
  get partialHead(): PartialHead {
    const { maxRequestLine, maxHeaderSize } = this.#limits;
    const end = Math.min(this.#end, this.#headAt + maxRequestLine + maxHeaderSize + 4 /* the line ends */);
    return readPartialHead(this.#input.toString('latin1', this.#headAt, end), this.#limits);
  }

  /** Whether bytes are here that have not been read. */
  get hasInput(): boolean {
    return this.#at < this.#end;
  }

  /** Whether so much has come that was not read, or never will be, that more must wait. */
  get isFull(): boolean {
    return this.#end - this.#at + this.#ignored >= MAX_AHEAD;
  }

  /** Whether nothing that comes will be read any more. */
  get isClosed(): boolean {
    return this.#state === CLOSED;
  }

  /** Stops reading for good. */
  close(): void {
    this.#state = CLOSED;
  }

  /** Ends the reading of HTTP and gives what has come beyond it: the first bytes of another protocol. */
  release(): Buffer {
    const rest = Buffer.from(this.#input.subarray(this.#at, this.#end));
    this.#input = NOTHING;
    this.#at = 0;
    this.#end = 0;
    this.#state = CLOSED;
    return rest;
  }

  #nextHead(): HeadEvent | undefined {
    if (this.#at === this.#end) return undefined;
    if (!this.#hasNewLine && this.#end - this.#at <= this.#mostWithoutNewLine) return undefined;
    const text = this.#text ?? this.#toText(Math.min(this.#end, this.#at + WINDOW));
    const again = this.#last && this.#beginAgain(text, this.#last);
    if (again) return again;
    const head = this.#parseNext(text);
    if (head) return this.#begin(head);
    const isAllSeen = (this.#text as string).length === this.#end; // it was made above
    const whole = isAllSeen ? undefined : this.#parseNext(this.#toText(this.#end));
    return whole && this.#begin(whole);
  }

  #toText(end: number): string {
    this.#text = this.#input.toString('latin1', 0, end);
    return this.#text;
  }

  /** @returns The next head, if it stands in the text as a whole. */
  #parseNext(text: string): ParsedHead | undefined {
    this.#headAt = this.#at;
    const skipped = skipEmptyLines(text, this.#at, this.#emptyLines);
    this.#at += (skipped - this.#emptyLines) * 2;
    this.#emptyLines = skipped;
    this.#headAt = this.#at;
    if (this.#at >= text.length) return undefined;

    const head = parseHead(text, this.#at, this.#limits, this.#known);
    if (head === undefined) {
      const lineEnd = text.indexOf('\n', this.#at);
      this.#mostWithoutNewLine = lineEnd === -1 ? this.#limits.maxRequestLine + 1 : lineEnd + 1 - this.#at + this.#limits.maxHeaderSize + 2;
      this.#hasNewLine = false;
    }
    return head;
  }

  /** @returns The event of the last head, when that stands here once more. */
  #beginAgain(text: string, { text: expected, event }: KeptEvent): HeadEvent | undefined {
    const end = this.#at + expected.length;
    if (end > text.length) return undefined; // perhaps it is still to come
    if (text.slice(this.#at, end) !== expected) {
      this.#last = undefined;
      this.#differing++;
      return undefined;
    }
    this.#headAt = this.#at;
    return this.#enter(event, end);
  }

  #begin(head: ParsedHead): HeadEvent {
    const event = new HeadEvent(head);
    if (head.section !== this.#known) this.#notice(this.#text as string, head);
    else if (this.#differing <= MAX_UNKNOWN) this.#keepWhole(this.#text as string, head);
    return this.#enter(event, head.end);
  }

  /** @param end Where the head ends in the text, and in the input. */
  #enter(event: HeadEvent, end: number): HeadEvent {
    this.#at = end;
    this.#emptyLines = 0;
    this.#isLast = !event.isPersistent;
    this.#left = event.length;
    this.#chunks = event.length === CHUNKED ? new ChunkedDecoder(this.#limits) : undefined;
    this.#state = event.length === 0 ? FINISH : BODY;
    return event;
  }

  /** Keeps the section that a connection seems to repeat: from its second head on, since many have one only. */
  #notice(text: string, head: ParsedHead): void {
    if (++this.#unknown > 1 && this.#unknown <= MAX_UNKNOWN) this.#known = keptSection(text, head, this.#limits);
  }

  /** Keeps a head whose section comes again: perhaps all of it does. */
  #keepWhole(text: string, head: ParsedHead): void {
    const kept = keptHead(text, this.#headAt, head, this.#limits);
    this.#last = kept && { text: kept.text, event: new HeadEvent(kept.head) };
  }

  #nextData(): Buffer | typeof END | undefined {
    if (this.#chunks) {
      const data = this.#chunks.decode(this.#input, this.#at, this.#end);
      this.#at = this.#chunks.end;
      if (this.#chunks.isDone) this.#state = FINISH;
      return data ?? (this.#chunks.isDone ? (this.next() as typeof END) : undefined);
    }
    const available = this.#end - this.#at;
    if (available === 0) return undefined;
    const count = Math.min(available, this.#left);
    const data = this.#input.subarray(this.#at, this.#at + count);
    this.#at += count;
    this.#left -= count;
    if (this.#left === 0) this.#state = FINISH;
    return data;
  }
}
