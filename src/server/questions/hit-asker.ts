/**
 * Counting for the whole server: the primary counts, the workers ask it, and handler threads ask their main thread.
 *
 * All that is asked in one turn of a loop goes in one message. When the side that counts is gone, or says nothing for a while, the asker counts by
 * itself: the limit then holds for each of them alone.
 *
 * @module
 */
import type { HitCounter } from '../../process/hit-counter.ts';
import { countHit, countHitHere } from '../../process/hits.ts';
import type { Hits } from '../../process/stores.ts';
import { Replies } from './replies.ts';

/** A hit as it travels: key, window, limit. */
export type HitQuestion = readonly [key: string, window: number, limit: number];
/** What was counted: the count, and the seconds until it starts anew. */
export type HitAnswer = readonly [count: number, resetAfter: number];

/** How long an answer may take, ms: the side that counts does next to nothing else, so by then something is wrong with it. */
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

/** Hits of one turn of the loop, and those who wait for them. */
interface Batch {
  readonly questions: HitQuestion[];
  readonly settlers: ((hits: Hits) => void)[];
}

/** The side that asks. */
export class HitAsker {
  readonly #replies: Replies<readonly HitQuestion[], readonly HitAnswer[]>;
  /** What was asked in this turn of the loop. */
  #open: Batch | undefined;
  #isAlone = false;

  /** @param send Sends questions to the side that counts. */
  constructor(send: (id: number, questions: readonly HitQuestion[]) => void) {
    this.#replies = new Replies(send, PATIENCE);
  }

  ask(key: string, window: number, limit: number): Hits | Promise<Hits> {
    if (this.#isAlone) return countHitHere(key, window, limit);
    return new Promise((resolve) => {
      this.#open ??= this.#begin();
      this.#open.questions.push([key, window, limit]);
      this.#open.settlers.push(resolve);
    });
  }

  /** The answer to the questions with this number. */
  answered(id: number, answers: readonly HitAnswer[]): void {
    this.#replies.answered(id, answers);
  }

  /** The other side is gone. */
  abandon(): void {
    this.#isAlone = true;
    this.#replies.abandon();
  }

  #begin(): Batch {
    setImmediate(() => void this.#flush());
    return { questions: [], settlers: [] };
  }

  async #flush(): Promise<void> {
    const { questions, settlers } = this.#open as Batch; // made where the flush was
    this.#open = undefined;
    const answers = await this.#replies.ask(questions);
    settlers.forEach((settle, i) => {
      settle(answers ? hitsOf(answers[i] as HitAnswer) : countHitHere(...(questions[i] as HitQuestion))); // one answer for each question
    });
  }
}

function hitsOf([count, resetAfter]: HitAnswer): Hits {
  return { count, resetAfter };
}
