/**
 * The order of answers on one connection: HTTP/1.1 answers requests in the order in which they came (RFC 9112 §9.3.2).
 *
 * A `Turn` is an exchange with its place in that order, and with what the order decides: whether the connection goes on after it. `Turns`
 * holds those that are owed an answer, oldest first, and sends each when its turn has come and its response is there. A response that is
 * there at once, with nothing owed before it, is gathered in the same tick: no promise, no timer, no queue.
 *
 * @module
 */
import { Exchange } from '../../exchange/exchange.ts';
import { CHUNKED } from '../../h1/framing.ts';
import { FramingFields } from '../../h1/parser.ts';
import { HeadEvent } from '../../h1/request-reader.ts';
import { StreamContent } from '../../http/body/response-body.ts';
import type { PartialHead } from '../../http/request/head-rules.ts';
import type { Peer } from '../../http/request.ts';
import type { Response } from '../../http/response.ts';
import { NO_TARGET } from '../../http/target.ts';
import type { IncomingBody } from '../body/incoming-body.ts';
import type { Service } from '../service.ts';

const NO_FRAMING: FramingFields = new FramingFields();

/** Bytes of a body that may be left when its answer is ready: up to this they are read and dropped. */
const MAX_DROPPED = 256 * 1024;

/** Most answers owed on a connection at a time: a client that pipelines more waits. */
const MAX_OWED = 8;
/** More is not held for answers that wait behind another, bytes. */
const MAX_HELD = 256 * 1024;
/** What a body on disk, a file or a stream counts for, bytes: it takes a descriptor, not memory. */
const DESCRIPTOR = 64 * 1024;
/** Most requests of a process that are answered behind others of their connections. */
const MAX_BEHIND = 1024;

/** An exchange and its place among the answers of a connection. */
export class Turn extends Exchange<HeadEvent> {
  declare body: IncomingBody | undefined;
  /** Whether the whole body has come. */
  isRead = false;
  /** Whether the connection ends with this exchange. */
  isLast = false;
  /** Whether this answers bytes that could not be served: the client may still be sending. */
  isRefusal = false;
  /** Whether the client still has to be asked for the body with 100 (Continue). */
  waits = false;

  /** A turn for a request whose head could not be read. What is not known of it is that of `GET / HTTP/1.0`, and none of its fields frame it. */
  static refused({ method = 'GET', target = '/', lines }: PartialHead, peer: Peer): Turn {
    const section = { text: '', lines, fields: NO_FRAMING, length: 0 };
    return new Turn(new HeadEvent({ method, target, httpVersion: '1.0', section, end: 0 }), NO_TARGET, peer);
  }

  /**
   * Whether what is left of the body is little enough to be read and dropped, so that the connection can go on. A client that was not
   * asked for its body may send it or not: its next bytes could be either.
   */
  get isDroppable(): boolean {
    return !this.waits && this.head.length !== CHUNKED && this.head.length - (this.body?.received ?? 0) <= MAX_DROPPED;
  }

  /** Whether its client waits for an answer that has not begun, and reads over interim ones. */
  get isWaitedFor(): boolean {
    return this.response === undefined && this.head.httpVersion === '1.1';
  }

  /** What it holds while it waits, bytes. */
  get held(): number {
    const { body } = this;
    return (body ? Math.max(body.memory, Math.min(body.received, DESCRIPTOR)) : 0) + (this.response ? heldBy(this.response) : 0);
  }

  /** Makes this the refusal of what the client has sent: no more of its input is served. */
  refuse(response: Response): void {
    this.isLast = true;
    this.isRefusal = true;
    this.isRead = true;
    this.response = response;
  }

  /**
   * Whether nothing after this request may be read: until it is answered without an upgrade, the bytes after it may belong to another
   * protocol.
   */
  get isBarrier(): boolean {
    return this.head.upgrade !== undefined && (this.response === undefined || this.response.take !== undefined);
  }
}

function heldBy({ content }: Response): number {
  if (content === undefined) return 0;
  return typeof content === 'string' || content instanceof Uint8Array ? content.length : DESCRIPTOR;
}

/** What the order of answers needs from its connection. */
export interface TurnOwner {
  /** Nothing more is answered. */
  readonly isOver: boolean;
  /** Sends a response. @returns Nothing when all of it has been gathered; else a promise of whether all of it went out. */
  send(turn: Turn): Promise<boolean> | undefined;
  /** A response is out, completely or not, and its turn is over. */
  onSent(turn: Turn, isWhole: boolean): void;
  /** A response that was not sent at once is out: the next may be sent, and there may be more to read. */
  onRoom(): void;
}

/** The answers that a connection owes. */
export class Turns {
  readonly #owner: TurnOwner;
  /** Those that are not completely out, oldest first. */
  readonly #owed: Turn[] = [];
  /** Where a process counts the requests that are answered behind others of their connections. */
  readonly #counts: Pick<Service, 'behind' | 'traffic'>;
  #isSending = false;

  constructor(owner: TurnOwner, counts: Pick<Service, 'behind' | 'traffic'>) {
    this.#owner = owner;
    this.#counts = counts;
  }

  get count(): number {
    return this.#owed.length;
  }

  get first(): Turn | undefined {
    return this.#owed[0];
  }

  get last(): Turn | undefined {
    return this.#owed.at(-1);
  }

  /** Those whose handler has not answered yet. */
  get open(): Turn[] {
    return this.#owed.filter((turn) => !turn.response);
  }

  /** Whether one more request may be admitted. */
  get hasRoom(): boolean {
    const { length } = this.#owed;
    if (length === 0) return true;
    const last = this.#owed[length - 1] as Turn;
    if (last.isLast || last.isBarrier || this.#isSending || length >= MAX_OWED || this.#counts.behind >= MAX_BEHIND) return false;
    let held = 0;
    for (const turn of this.#owed) held += turn.held;
    return held < MAX_HELD;
  }

  add(turn: Turn): void {
    if (this.#owed.push(turn) > 1) this.#counts.behind++;
  }

  has(turn: Turn): boolean {
    return this.#owed.includes(turn);
  }

  /** The turn before that of a request which is not answered yet. @returns Undefined: it is the first; `null`: it is not among them. */
  before(request: unknown): Turn | undefined | null {
    const place = this.#owed.findIndex((turn) => turn.request === request && !turn.response);
    return place === -1 ? null : this.#owed[place - 1];
  }

  /** Removes one from the order: its connection is handed over. */
  remove(turn: Turn): void {
    this.#owed.splice(this.#owed.indexOf(turn), 1);
    if (this.#owed.length > 0) this.#counts.behind--;
  }

  /** Removes all of them: the connection is gone. */
  clear(): Turn[] {
    for (const turn of this.#owed) this.#counts.traffic.leaving(turn);
    this.#counts.behind -= Math.max(0, this.#owed.length - 1);
    return this.#owed.splice(0);
  }

  /** Ends the bodies that have no end of their own. */
  stop(): void {
    for (const { response } of this.#owed) if (response?.content instanceof StreamContent) response.content.stop();
  }

  /** Answers 503 for those whose handler has taken too long. @returns Whether there were any. */
  timeOut(now: number): boolean {
    let hasAny = false;
    for (const turn of this.#owed) if (turn.timeOut(now)) hasAny = true;
    return hasAny;
  }

  /** The response to one is there. */
  answered(turn: Turn): void {
    if (this.#owner.isOver) turn.release();
    else this.advance();
  }

  /** Sends the answers whose turn has come. */
  advance(): void {
    while (!this.#isSending && !this.#owner.isOver) {
      const turn = this.#owed[0];
      if (!turn?.response) return;
      const sending = this.#owner.send(turn);
      if (sending === undefined) this.#sent(turn, true);
      else this.#await(turn, sending);
    }
  }

  #await(turn: Turn, sending: Promise<boolean>): void {
    this.#isSending = true;
    void sending.then((isWhole) => {
      this.#isSending = false;
      this.#sent(turn, isWhole);
      this.#owner.onRoom();
    });
  }

  #sent(turn: Turn, isWhole: boolean): void {
    if (this.#owner.isOver) return;
    this.#owed.shift();
    if (this.#owed.length > 0) this.#counts.behind--;
    this.#owner.onSent(turn, isWhole);
  }
}
