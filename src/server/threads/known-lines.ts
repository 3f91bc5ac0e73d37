/**
 * Field lines on their way to a thread: as text with the places of names and values in it, and as a number when they come again.
 *
 * A connection whose client repeats its header section has one `FieldLines` for it. Sent for the second time, they get a slot on both sides, and from
 * then on the slot's number is sent. Slots are few and taken in turn: what had one before is sent whole again, and may get another.
 *
 * @module
 */
import { FieldLines } from '../../http/field-lines.ts';

/** Slots on each side, for one thread. */
const SLOTS = 256;

/** Lines that get no slot. */
const NOWHERE = -1;

/** Field lines as they travel: the number of a slot, or all of them, with the slot that they are to be kept in. */
export type WireLines = number | readonly [slot: number, text: string, places: readonly number[]];

/** The main thread's side: knows what one thread has been sent. */
export class SentLines {
  /** The slot of lines; `NOWHERE` for those that were sent once. */
  readonly #slots: WeakMap<FieldLines, number> = new WeakMap();
  readonly #kept: (FieldLines | undefined)[] = [];
  #next = 0;

  /** The shortest form in which the thread understands them. */
  toWire(lines: FieldLines): WireLines {
    const slot = this.#slots.get(lines);
    if (slot !== undefined && slot !== NOWHERE) return slot;
    const { text, places } = lines.alone;
    return [slot === undefined ? this.#pass(lines) : this.#keep(lines), text, places];
  }

  /** Sent for the first time: most lines never come again. */
  #pass(lines: FieldLines): number {
    this.#slots.set(lines, NOWHERE);
    return NOWHERE;
  }

  #keep(lines: FieldLines): number {
    const slot = this.#next;
    this.#next = (slot + 1) % SLOTS;
    const before = this.#kept[slot];
    if (before) this.#slots.set(before, NOWHERE);
    this.#kept[slot] = lines;
    this.#slots.set(lines, slot);
    return slot;
  }
}

/** The thread's side. Messages arrive in the order in which they were sent, so both sides agree on what a slot holds. */
export class ReceivedLines {
  readonly #kept: FieldLines[] = [];

  fromWire(wire: WireLines): FieldLines {
    if (typeof wire === 'number') return this.#kept[wire] as FieldLines; // they came whole before
    const [slot, text, places] = wire;
    const lines = new FieldLines(text, places);
    if (slot !== NOWHERE) this.#kept[slot] = lines;
    return lines;
  }
}
