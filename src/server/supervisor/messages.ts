/**
 * What primary and workers say to each other over the IPC channel.
 *
 * Programs may use the channel for themselves: every message of ours is an object with the one key `filrouge`.
 *
 * @module
 */
import type { LocalStatus } from '../../process/server-status.ts';
import type { LocalActivity } from '../../process/watching/server-activity.ts';
import type { AffinityTable } from '../affinity/table.ts';
import type { Address, AffinityPlace } from '../host.ts';
import type { HitAnswer, HitQuestion } from '../questions/hit-asker.ts';
import type { ServerAnswer, ServerQuestion } from '../questions/server-questions.ts';

/** How many connections are lent at a time, at most: few enough that little lies idle in a worker that is stuck. */
export const PORTION = 32;

/** Why a worker whose script has run through could not start. */
export const NOT_CALLED: string =
  'a worker has run this script without calling startServer, and has nothing left to do: workers run the same script as the primary, ' +
  'so call startServer in each of them, not only where cluster.isPrimary is true, or use workers: 0';

/** From a worker to the primary. */
export type WorkerMessage =
  | { readonly kind: 'ready'; readonly address: Address; readonly url: string }
  | { readonly kind: 'failed'; readonly message: string; readonly code: string | undefined }
  /** It stops accepting, and wants a successor unless it was asked to leave. One that retires is well but for a thread held by a call into the system. */
  | { readonly kind: 'leaving'; readonly isRetiring: boolean }
  | { readonly kind: 'status'; readonly id: number; readonly status: LocalStatus }
  /** It has had its share of requests or memory, and asks for a successor. */
  | { readonly kind: 'recycle'; readonly rss: number; readonly requests: number }
  /** What its threads are doing, or where one of them stands. */
  | { readonly kind: 'looked'; readonly id: number; readonly seen: LocalActivity | readonly string[] | undefined }
  /** Its script asks something of the whole server. */
  | { readonly kind: 'question'; readonly id: number; readonly question: ServerQuestion }
  /** Its lease of connections is used up. */
  | { readonly kind: 'lease-wanted' }
  /** More of its lease is free than it needs; also the answer to `reclaim`, even when that is nothing. */
  | { readonly kind: 'lease-returned'; readonly count: number }
  /** It asks for its place among the others (`affinity`). */
  | { readonly kind: 'affinity-join' }
  /** Nothing begins any more by a table before this one. */
  | { readonly kind: 'affinity-seen'; readonly version: number }
  /** What rate limiters want counted. */
  | { readonly kind: 'hits'; readonly id: number; readonly questions: readonly HitQuestion[] };

/** From the primary to a worker. */
export type PrimaryMessage =
  /** From now on `readiness` says that the server stops. */
  | { readonly kind: 'stopping' }
  | { readonly kind: 'told'; readonly id: number; readonly answer: ServerAnswer }
  /** No successor could start for a worker that has asked for one. */
  | { readonly kind: 'go-on' }
  | { readonly kind: 'close'; readonly timeout: number; readonly isSucceeded: boolean }
  | { readonly kind: 'status'; readonly id: number }
  /** What do your threads do? Where does the one with this number stand? */
  | { readonly kind: 'look'; readonly id: number; readonly thread: number | undefined }
  /** More connections; 0: there are none. */
  | { readonly kind: 'lease'; readonly count: number }
  | { readonly kind: 'affinity-place'; readonly place: Omit<AffinityPlace, 'secret'> & { readonly secret: string } }
  | { readonly kind: 'affinity-table'; readonly table: AffinityTable }
  /** Others need connections: give back what is free. */
  | { readonly kind: 'reclaim' }
  | { readonly kind: 'hits'; readonly id: number; readonly answers: readonly HitAnswer[] };

/** A message as it travels. */
interface Envelope {
  readonly filrouge: unknown;
}

/** Unpacks what a worker has sent, if it is one of our messages. */
export function fromWorker(received: unknown): WorkerMessage | undefined {
  return isEnvelope(received) ? (received.filrouge as WorkerMessage) : undefined;
}

/** Unpacks what the primary has sent, if it is one of our messages. */
export function fromPrimary(received: unknown): PrimaryMessage | undefined {
  return isEnvelope(received) ? (received.filrouge as PrimaryMessage) : undefined;
}

function isEnvelope(received: unknown): received is Envelope {
  return typeof received === 'object' && received !== null && 'filrouge' in received;
}
