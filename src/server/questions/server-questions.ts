/**
 * What a script asks of its whole server, wherever it runs: a worker asks the primary, a handler thread its main thread, which asks on.
 *
 * @module
 */

import type { ServerStatus } from '../../process/server-status.ts';
import type { ObservedServer, ServerActivity } from '../../process/watching/server-activity.ts';
import { Replies } from './replies.ts';

/** A question as it travels. */
export type ServerQuestion = readonly ['status'] | readonly ['activity'] | readonly ['stack', pid: number, thread: number];

/** Its answer. */
export type ServerAnswer = ServerStatus | ServerActivity | readonly string[] | undefined;

/** The server as it is seen from a process or thread that has to ask. */
export class AskedServer implements ObservedServer {
  readonly #replies: Replies<ServerQuestion, ServerAnswer>;

  /** @param send Sends the question to the side that knows, or that asks on. */
  constructor(send: (id: number, question: ServerQuestion) => void) {
    this.#replies = new Replies(send);
  }

  async status(): Promise<ServerStatus> {
    return known('status', (await this.#replies.ask(['status'])) as ServerStatus | undefined);
  }

  async activity(): Promise<ServerActivity> {
    return known('activity', (await this.#replies.ask(['activity'])) as ServerActivity | undefined);
  }

  async stackOf(pid: number, thread: number): Promise<readonly string[] | undefined> {
    return (await this.#replies.ask(['stack', pid, thread])) as readonly string[] | undefined;
  }

  /** Passes on the answer to the question with this number. */
  answered(id: number, answer: ServerAnswer): void {
    this.#replies.answered(id, answer);
  }

  /** Gives up: the other side is gone. */
  abandon(): void {
    this.#replies.abandon();
  }
}

function known<A>(what: string, answer: A | undefined): A {
  if (answer === undefined) throw new Error(`Cannot tell the ${what}: the primary is gone`);
  return answer;
}

/** Answers a question of another process or thread; with undefined when the primary is gone. */
export async function answerTo(server: ObservedServer, question: ServerQuestion): Promise<ServerAnswer> {
  try {
    if (question[0] === 'stack') return await server.stackOf(question[1], question[2]);
    return await server[question[0]]();
  } catch {
    return undefined;
  }
}
