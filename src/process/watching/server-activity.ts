/**
 * What the workers and handler threads of a server are doing at one moment.
 *
 * Nothing is collected for it while nobody asks, but for the slowest requests and what has happened to workers, which are few.
 *
 * @module
 */
import type { Durations } from '../durations.ts';
import type { ServerStatus } from '../server-status.ts';

/** A server that can be asked what it does: what `startServer` gives. Asked in the primary, in a worker or in a handler thread, it says the same. */
export interface ObservedServer {
  /** Its figures, as a whole and worker by worker. */
  status(): Promise<ServerStatus>;
  /** What each of its workers and handler threads is doing now. A worker that is stuck is told of too. */
  activity(): Promise<ServerActivity>;
  /**
   * Where a thread stands: its frames, innermost first, 50 at most, as `at work (src/server.ts:12:5)`. None when it executes nothing; undefined when it
   * cannot be looked into, or is gone. A thread that executes something is interrupted for a few milliseconds.
   *
   * @param pid Its process, as `activity` names it.
   * @param thread Its number there; 0 for the main thread.
   */
  stackOf(pid: number, thread: number): Promise<readonly string[] | undefined>;
}

/** What a server is doing: worker by worker, thread by thread. */
export interface ServerActivity {
  /** Without workers, the process. */
  readonly workers: readonly WorkerActivity[];
  /** What has happened to workers and threads, oldest first: the last 50 events of each process. */
  readonly marks: readonly ServerMark[];
}

/** What one worker is doing. */
export interface WorkerActivity {
  readonly pid: number;
  readonly generation: number;
  /** Those that call handlers: its handler threads, else its main thread. A main thread that is stuck is always among them. */
  readonly threads: readonly ThreadActivity[];
  /** The slowest requests of the last five minutes, slowest first; at most 10. */
  readonly slowest: readonly SlowRequest[];
  /** How long requests took until their answer began, as far as `activity` was asked for within the five seconds before. */
  readonly latency: Durations;
}

/**
 * What a thread is doing. `starting`: it takes no requests yet. `idle`: nothing. `awaiting`: it waits for promises. `running`: it is inside a handler,
 * before its first `await`. `waiting`: inside a call of `filrouge/blocking`. `blocked`: it does not come back from what follows an `await`, or from
 * anything else that is no handler.
 */
export type ThreadState = 'starting' | 'idle' | 'awaiting' | 'running' | 'waiting' | 'blocked';

/** What one thread is doing. */
export interface ThreadActivity {
  /** Its number in its process; 0 is the main thread. */
  readonly thread: number;
  readonly state: ThreadState;
  /** The name of the call it waits in: `database.person`. */
  readonly waitsIn?: string | undefined;
  /** The line of yours at which it stands, when it has stood still for a while: `at work (src/server.ts:12:5)`. */
  readonly place?: string | undefined;
  /** How many requests it has not answered yet. */
  readonly open: number;
  /** The oldest of them, at most 8; first the one whose handler is running. */
  readonly requests: readonly OpenRequest[];
}

/** A request that is not answered yet. Its query, which may hold secrets, is not told. */
export interface OpenRequest {
  readonly method: string;
  readonly path: string;
  /** How long it has taken so far, ms. */
  readonly ms: number;
}

/** A request whose answer took long to begin. */
export interface SlowRequest extends OpenRequest {
  /** When it was answered, ms since the epoch. */
  readonly at: number;
  readonly status: number;
  /** The line at which it stood when that was looked up. */
  readonly place?: string | undefined;
}

/** Something that happened to a worker or a thread. */
export interface ServerMark {
  /** Ms since the epoch. */
  readonly at: number;
  /** As in the server's log: `replaced`, `reloaded`, `stuck`. */
  readonly event: string;
  readonly message: string;
}

/** What a process tells of itself. */
export interface LocalActivity {
  readonly threads: readonly ThreadActivity[];
  readonly slowest: readonly SlowRequest[];
  readonly latency: Durations;
  readonly marks: readonly ServerMark[];
}

/** How many of a thread's requests are told. */
const MOST_REQUESTS = 8;

/** The oldest of the requests of a thread, behind the one whose handler is running. */
export function oldestOf(requests: readonly OpenRequest[], running?: OpenRequest): OpenRequest[] {
  const sorted = requests.toSorted((a, b) => b.ms - a.ms);
  return (running ? [running, ...sorted] : sorted).slice(0, MOST_REQUESTS);
}
