/**
 * Counting for the whole server: the primary counts, the workers ask it, and handler threads ask their main thread.
 *
 * All that is asked in one turn of a loop goes in one message. A question never hangs: when who is asked is gone, or says nothing for a while, the
 * asker counts by itself, so that a limit then holds for each of them.
 *
 * @module
 */
import type { HitCounter } from '../process/hit-counter.ts';
import { countHit, countHitHere } from '../process/hits.ts';
import type { Hits } from '../process/stores.ts';

/** A hit as it travels: key, window, limit. */
export type HitQuestion = readonly [key: string, window: number, limit: number];
/** What was counted: count, seconds. */
export type HitAnswer = readonly [count: number, resetAfter: number];

/** How long an answer may take, ms: who is asked does next to nothing else, so that by then something is wrong with it. */
const PATIENCE = 1000;

/** The primary's side: counts what a worker asks, in order. */
export function answerHits(counter: HitCounter, questions: readonly HitQuestion[], now: number): HitAnswer[] {
  return questions.map(([key, window, limit]) => {
    const { count, resetAfter } = counter.hit(key, window, limit, now);
    return [count, resetAfter];
  });
}

/** The main thread's side of a handler thread's questions: counts where this process counts. */
export async function countForThread(questions: readonly HitQuestion[]): Promise<HitAnswer[]> {
  const counted = await Promise.all(questions.map(async (question) => countHit(...question)));
  return counted.map(({ count, resetAfter }) => [count, resetAfter]);
}

interface Batch {
  readonly questions: HitQuestion[];
  readonly settlers: ((hits: Hits) => void)[];
  timer: NodeJS.Timeout | undefined;
}

/** The side of those who ask. */
export class HitAsker {
  readonly #send: (id: number, questions: readonly HitQuestion[]) => void;
  /** What was asked in this turn of the loop. */
  #open: Batch | undefined;
  readonly #sent: Map<number, Batch> = new Map();
  #nextId = 0;
  #isAlone = false;

  /** @param send Sends questions to who counts. */
  constructor(send: (id: number, questions: readonly HitQuestion[]) => void) {
    this.#send = send;
  }

  ask(key: string, window: number, limit: number): Hits | Promise<Hits> {
    if (this.#isAlone) return countHitHere(key, window, limit);
    return new Promise((resolve) => {
      this.#open ??= this.#begin();
      this.#open.questions.push([key, window, limit]);
      this.#open.settlers.push(resolve);
    });
  }

  /** The answer. One that comes too late is passed over. */
  answered(id: number, answers: readonly HitAnswer[]): void {
    const batch = this.#take(id);
    batch?.settlers.forEach((settle, i) => {
      const [count, resetAfter] = answers[i] as HitAnswer; // one for each question
      settle({ count, resetAfter });
    });
  }

  /** Who was asked is gone. */
  abandon(): void {
    this.#isAlone = true;
    for (const id of this.#sent.keys()) this.#countHere(id);
  }

  #begin(): Batch {
    setImmediate(() => this.#flush());
    return { questions: [], settlers: [], timer: undefined };
  }

  #flush(): void {
    const batch = this.#open as Batch; // made where the flush was
    this.#open = undefined;
    const id = this.#nextId++;
    this.#sent.set(id, batch);
    if (this.#isAlone) return this.#countHere(id);
    // After a handler that took its time, timers come before messages: the answer may be there already.
    batch.timer = setTimeout(() => setImmediate(() => this.#countHere(id)), PATIENCE);
    this.#send(id, batch.questions);
  }

  #countHere(id: number): void {
    const batch = this.#take(id);
    batch?.settlers.forEach((settle, i) => {
      settle(countHitHere(...(batch.questions[i] as HitQuestion)));
    });
  }

  #take(id: number): Batch | undefined {
    const batch = this.#sent.get(id);
    this.#sent.delete(id);
    clearTimeout(batch?.timer);
    return batch;
  }
}
