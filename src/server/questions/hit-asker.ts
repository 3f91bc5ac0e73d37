/**
 * Counts for the whole server: the primary counts, the workers ask it, and handler threads ask their main thread.
 *
 * All questions of one turn of the event loop go in one message. When the side that counts is gone, or does not answer for a while, the
 * asker counts by itself: the limit then holds for each asker alone.
 *
 * @module
 */
import type { HitCounter } from '../../process/hit-counter.ts';
import { countHit, countHitHere, type HitAct } from '../../process/hits.ts';
import type { Hits } from '../../process/stores.ts';
import { Replies } from './replies.ts';

/** A question as it travels; without `act` it is a hit. */
export type HitQuestion = readonly [key: string, window: number, limit: number, act?: HitAct];
/** The count, and the seconds until its oldest hit leaves the window. */
export type HitAnswer = readonly [count: number, resetAfter: number];

/** How long an answer may take, ms: the side that counts does little else, so by then something is wrong with it. */
const PATIENCE = 1000;

/** The primary's side: counts the hits of a worker, in order. */
export function answerHits(counter: HitCounter, questions: readonly HitQuestion[], now: number): HitAnswer[] {
  return questions.map(([key, window, limit, act = 'hit']) => {
    const { count, resetAfter } = counter[act](key, window, limit, now);
    return [count, resetAfter];
  });
}

/** The main thread's side: counts the hits of a handler thread where this process counts its own. */
export async function countForThread(questions: readonly HitQuestion[]): Promise<HitAnswer[]> {
  const counted = await Promise.all(questions.map(async (question) => countHit(...question)));
  return counted.map(({ count, resetAfter }) => [count, resetAfter]);
}

/** The hits of one turn of the event loop, and the promises that wait for them. */
interface Batch {
  readonly questions: HitQuestion[];
  readonly settlers: ((hits: Hits) => void)[];
}

/** The side that asks. */
export class HitAsker {
  readonly #replies: Replies<readonly HitQuestion[], readonly HitAnswer[]>;
  /** The questions of this turn of the event loop. */
  #open: Batch | undefined;
  #isAlone = false;

  /** @param send Sends questions to the side that counts. */
  constructor(send: (id: number, questions: readonly HitQuestion[]) => void) {
    this.#replies = new Replies(send, PATIENCE);
  }

  ask(key: string, window: number, limit: number, act: HitAct = 'hit'): Hits | Promise<Hits> {
    if (this.#isAlone) return countHitHere(key, window, limit, act);
    return new Promise((resolve) => {
      this.#open ??= this.#begin();
      this.#open.questions.push(act === 'hit' ? [key, window, limit] : [key, window, limit, act]);
      this.#open.settlers.push(resolve);
    });
  }

  /** Passes on the answer to the questions with this number. */
  answered(id: number, answers: readonly HitAnswer[]): void {
    this.#replies.answered(id, answers);
  }

  /** Gives up: the other side is gone. */
  abandon(): void {
    this.#isAlone = true;
    this.#replies.abandon();
  }

  #begin(): Batch {
    setImmediate(() => void this.#flush());
    return { questions: [], settlers: [] };
  }

  async #flush(): Promise<void> {
    const { questions, settlers } = this.#open as Batch; // created together with the flush
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
