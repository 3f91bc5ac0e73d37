/**
 * Reads a source in batches: what it has ready is taken together, and sent on as soon as the source pauses.
 *
 * So a page that is written line by line is compressed in pieces worth the work, and a server-sent event is not held back until the next one.
 *
 * @module
 */

import { checkedPiece } from '../../http/body/body-source.ts';
import { dropReading, iteratorOf } from '../../http/body/stream-source.ts';
import type { BodySource } from '../../http/file/file-content.ts';

/** Large enough to be worth a job of zlib, small enough not to hold up other responses. Bytes. */
export const BATCH: number = 64 * 1024;

/** How long a piece of a source that never pauses may wait for others, ms: too short for a reader to notice, long enough to fill a batch. */
const PATIENCE = 20;

type Step = IteratorResult<unknown, unknown>;

/** Reads a source. One read at a time. */
export class Batches {
  readonly #source: BodySource['pieces'];
  readonly #iterator: AsyncIterator<unknown, unknown> | Iterator<unknown, unknown>;
  readonly #isAsync: boolean;
  /** The next piece, asked for but not there when the last batch left. */
  #pending: Promise<Step> | undefined;
  /** Pieces that have come and not yet left, and their bytes. */
  #held: Buffer[] = [];
  #size = 0;
  #isAtEnd = false;

  constructor(pieces: BodySource['pieces']) {
    this.#source = pieces;
    this.#isAsync = Symbol.asyncIterator in pieces;
    this.#iterator = iteratorOf(pieces);
  }

  /**
   * Waits for the next bytes. What came before a failure is given first, the failure at the next call.
   *
   * @returns At least one byte, and at most `BATCH`; undefined at the end.
   * @throws What the source throws; TypeError when it gives anything other than text or bytes.
   */
  async next(): Promise<Buffer | undefined> {
    let since = performance.now();
    while (this.#size < BATCH && !this.#isAtEnd) {
      const isEmpty = this.#size === 0;
      const step = this.#ask();
      if (step instanceof Promise) {
        if (this.#size > 0 && !(await isReady(step))) break;
        this.#hold(await step);
        this.#pending = undefined;
      } else {
        this.#hold(step);
      }
      if (isEmpty) since = performance.now();
      else if (performance.now() - since > PATIENCE) break;
    }
    return this.#take();
  }

  /** Releases the source, without waiting. */
  drop(): void {
    if (this.#isAtEnd) return;
    this.#isAtEnd = true;
    dropReading(this.#source, this.#iterator);
  }

  /** A failure is a promise as well, so that it can wait until what came before it has left. */
  #ask(): Promise<Step> | Step {
    if (this.#pending) return this.#pending;
    try {
      const asked = this.#iterator.next();
      if (!this.#isAsync) return asked;
      this.#pending = Promise.resolve(asked);
    } catch (error) {
      this.#pending = failure(error);
    }
    this.#pending.catch(() => {}); // it may fail while nobody waits; a later `await` still sees the failure
    return this.#pending;
  }

  #hold(step: Step): void {
    if (step.done) {
      this.#isAtEnd = true;
      return;
    }
    const bytes = bytesOf(step.value);
    if (bytes.length === 0) return;
    this.#held.push(bytes);
    this.#size += bytes.length;
  }

  /** A batch of what is held. Only the last piece can be too much: none is asked for when a batch is full. */
  #take(): Buffer | undefined {
    if (this.#size === 0) return undefined;
    const held = this.#held;
    const excess = this.#size - BATCH;
    this.#held = [];
    this.#size = 0;
    const last = held.at(-1);
    if (last && excess > 0) {
      held[held.length - 1] = last.subarray(0, last.length - excess);
      this.#held.push(last.subarray(last.length - excess));
      this.#size = excess;
    }
    return held.length === 1 ? held[0] : Buffer.concat(held);
  }
}

async function failure(error: unknown): Promise<never> {
  throw error;
}

/** Whether a step has settled, or settles before the event loop has gone round once: that of a source waiting for something outside does not. */
async function isReady(step: Promise<Step>): Promise<boolean> {
  let isThere = false;
  step.then(
    () => {
      isThere = true;
    },
    () => {}, // a failure: what came before it leaves first
  );
  await Promise.resolve();
  if (!isThere) await new Promise<void>((resolve) => setImmediate(resolve));
  return isThere;
}

function bytesOf(step: unknown): Buffer {
  const piece = checkedPiece(step);
  return typeof piece === 'string' ? Buffer.from(piece) : Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
}
