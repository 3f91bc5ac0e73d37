/**
 * Questions to another process or thread, matched to their answers by number.
 *
 * No question hangs: when the other side is gone, or does not answer in time, the answer is `undefined`, and the asker does without.
 *
 * @module
 */

/** A question that has not been answered yet. */
interface Open<A> {
  readonly settle: (answer: A | undefined) => void;
  readonly timer: NodeJS.Timeout | undefined;
}

/** Questions `Q` to one other side, and its answers `A`. */
export class Replies<Q, A> {
  readonly #send: (id: number, question: Q) => void;
  readonly #patience: number;
  readonly #open: Map<number, Open<A>> = new Map();
  #nextId = 0;
  #isAbandoned = false;

  /**
   * @param send Sends the question with this number.
   * @param patience How long an answer may take, ms. Default: until `abandon`.
   */
  constructor(send: (id: number, question: Q) => void, patience: number = Number.POSITIVE_INFINITY) {
    this.#send = send;
    this.#patience = patience;
  }

  /** Sends a question. Resolves with its answer, or with undefined when none will come. @param patience For this one, ms. */
  ask(question: Q, patience: number = this.#patience): Promise<A | undefined> {
    if (this.#isAbandoned) return Promise.resolve(undefined);
    const id = this.#nextId++;
    return new Promise((settle) => {
      this.#open.set(id, { settle, timer: this.#timerOf(id, patience) });
      this.#send(id, question);
    });
  }

  /** Passes an answer on. One that is too late, or that nobody has asked for, is ignored. */
  answered(id: number, answer: A | undefined): void {
    const open = this.#open.get(id);
    if (!open) return;
    this.#open.delete(id);
    clearTimeout(open.timer);
    open.settle(answer);
  }

  /** Gives up, since the other side is gone: nothing more is sent, and open questions get no answer. */
  abandon(): void {
    this.#isAbandoned = true;
    for (const id of this.#open.keys()) this.answered(id, undefined);
  }

  #timerOf(id: number, patience: number): NodeJS.Timeout | undefined {
    if (patience === Number.POSITIVE_INFINITY) return undefined;
    // After a slow handler, timers run before messages: the answer may already be there.
    return setTimeout(() => setImmediate(() => this.answered(id, undefined)), patience).unref();
  }
}
