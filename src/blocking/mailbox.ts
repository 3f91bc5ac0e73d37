/**
 * A memory between one thread that calls and one life of an I/O thread, for a call and an answer that are short texts.
 *
 * A message costs both threads microseconds: it is taken apart, queued, and wakes an event loop. What lies here costs a copy. It holds one call and one answer;
 * whatever finds it full, or does not fit, travels as a message. The order stays: a call says how many messages were sent before it.
 *
 *     caller                                    I/O thread
 *       ask, then ring (life.ts) ───────────▶   before, takeCall
 *       takeAnswer  ◀───────────────────────    answer, then the caller's board is woken
 *
 * @module
 */
import { plainText, plainTextOfAll } from './plain.ts';
import type { CallFields, FromIo, ToIo } from './wire.ts';

/**
 * The cells of a call: 1 when there is one; its number, that of its function, the messages sent before it, the bytes of its arguments, and how many fields
 * for those who watch stand behind them, each a name and a value.
 */
const CALL_FULL = 0;
const CALL_ID = 1;
const CALL_FUNCTION = 2;
const CALL_AFTER = 3;
const CALL_SIZE = 4;
const CALL_FIELDS = 5;
/** The cells of an answer: 1 when it is JSON or nothing, 2 when it is a text as it is. */
const ANSWER_FULL = 6;
const ANSWER_ID = 7;
const ANSWER_SIZE = 8;
const JSON_TEXT = 1;
const TEXT = 2;
/** The thread that calls; see patience.ts. */
const OWNER = 9;
const CELLS = 10;

/** Bytes for the arguments of a call, and for an answer: most are shorter by far, and each thread has one of these for each I/O thread. */
const CALL_ROOM = 2048;
const ANSWER_ROOM = 8192;
const CALL_AT: number = 4 * CELLS;
const ANSWER_AT: number = CALL_AT + CALL_ROOM;

const NO_ARGS: readonly unknown[] = [];
const NO_FIELDS: CallFields = [];

/** See above. */
export class Mailbox {
  readonly buffer: SharedArrayBuffer;
  readonly #cells: Int32Array;
  readonly #bytes: Buffer;

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(ANSWER_AT + ANSWER_ROOM)) {
    this.buffer = buffer;
    this.#cells = new Int32Array(buffer, 0, CELLS);
    this.#bytes = Buffer.from(buffer);
  }

  get owner(): number {
    return Atomics.load(this.#cells, OWNER);
  }

  set owner(thread: number) {
    Atomics.store(this.#cells, OWNER, thread);
  }

  /** Puts a call in. @param sent How many messages were sent before it. @param fields What goes along for those who watch. @returns Whether it fits. */
  ask(id: number, number: number, sent: number, args: readonly unknown[], fields: CallFields = NO_FIELDS): boolean {
    const cells = this.#cells;
    if (Atomics.load(cells, CALL_FULL) === 1) return false;
    const all = fields.length === 0 ? args : [...args, ...fields.flat()];
    const size = all.length === 0 ? 0 : this.#write(plainTextOfAll(all, CALL_ROOM), CALL_AT, CALL_ROOM);
    if (size === -1) return false;
    cells[CALL_ID] = id;
    cells[CALL_FUNCTION] = number;
    cells[CALL_AFTER] = sent;
    cells[CALL_SIZE] = size;
    cells[CALL_FIELDS] = fields.length;
    Atomics.store(cells, CALL_FULL, 1);
    return true;
  }

  /** How many messages were sent before the call that is in it; -1 when there is none. */
  get before(): number {
    return Atomics.load(this.#cells, CALL_FULL) === 1 ? (this.#cells[CALL_AFTER] ?? -1) : -1;
  }

  /** Takes the call out that is in it. */
  takeCall(): ToIo {
    const cells = this.#cells;
    const id = cells[CALL_ID] ?? 0;
    const number = cells[CALL_FUNCTION] ?? 0;
    const size = cells[CALL_SIZE] ?? 0;
    const count = cells[CALL_FIELDS] ?? 0;
    const all = size === 0 ? NO_ARGS : (this.#read(CALL_AT, size) as readonly unknown[]);
    Atomics.store(cells, CALL_FULL, 0);
    if (count === 0) return ['call', id, number, all];
    const end = all.length - 2 * count;
    const fields = Array.from({ length: count }, (_, i) => all.slice(end + 2 * i, end + 2 * i + 2) as unknown as CallFields[number]);
    return ['call', id, number, all.slice(0, end), fields];
  }

  /** Puts an answer in. @returns Whether it fits. */
  answer(id: number, value: unknown): boolean {
    const cells = this.#cells;
    if (Atomics.load(cells, ANSWER_FULL) !== 0) return false;
    const isText = typeof value === 'string' && value.isWellFormed(); // UTF-8 has no lone surrogates
    let size = 0;
    if (isText) size = this.#write(value, ANSWER_AT, ANSWER_ROOM);
    else if (value !== undefined) size = this.#write(plainText(value, ANSWER_ROOM), ANSWER_AT, ANSWER_ROOM);
    if (size === -1) return false;
    cells[ANSWER_ID] = id;
    cells[ANSWER_SIZE] = size;
    Atomics.store(cells, ANSWER_FULL, isText ? TEXT : JSON_TEXT);
    return true;
  }

  /** Takes the answer out that is in it, if there is one. */
  takeAnswer(): FromIo | undefined {
    const cells = this.#cells;
    const kind = Atomics.load(cells, ANSWER_FULL);
    if (kind === 0) return undefined;
    const id = cells[ANSWER_ID] ?? 0;
    const size = cells[ANSWER_SIZE] ?? 0;
    let value: unknown;
    if (kind === TEXT) value = this.#text(ANSWER_AT, size);
    else if (size > 0) value = this.#read(ANSWER_AT, size);
    Atomics.store(cells, ANSWER_FULL, 0);
    return ['value', id, value];
  }

  /** @returns The bytes written; -1 when there is no text, or it is too large. */
  #write(text: string | undefined, at: number, room: number): number {
    if (text === undefined || text.length > room || Buffer.byteLength(text) > room) return -1;
    return this.#bytes.write(text, at, room); // with no encoding named it is quicker
  }

  #read(at: number, size: number): unknown {
    return JSON.parse(this.#text(at, size));
  }

  #text(at: number, size: number): string {
    return this.#bytes.toString(undefined, at, at + size);
  }
}
