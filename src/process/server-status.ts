/**
 * The status that a server reports of itself.
 *
 * @module
 */
import { addDurations, type Durations, NO_DURATIONS } from './durations.ts';

/** How often something has happened, by what it was: `{ '400': 3 }`. What occurs has a name; what does not has none. */
export type Counts = Readonly<Record<string, number>>;

/** What a server does: as a whole, and worker by worker. */
export interface ServerStatus extends Totals {
  /** Counts the reloads, from 1. */
  readonly generation: number;
  /** Workers that were replaced because they died or were stuck. */
  readonly restarts: number;
  /** Upper bounds of the buckets of all `Durations`, seconds. */
  readonly bounds: readonly number[];
  readonly workers: readonly WorkerStatus[];
}

/**
 * The figures that outlive a worker: they count from the start of the server, or of the worker. Those of the server have all workers in them, also
 * those that have ended; of a worker that is killed the last second is not counted.
 */
export interface Totals {
  /** Requests that were handed to the handler. */
  readonly requests: number;
  /** What was refused. */
  readonly refused: Refused;
  /** Requests whose answer has begun to be sent. `requests` are these, those in `abandoned`, and those that wait for their answer now. */
  readonly answered: readonly Answered[];
  /** Requests whose client left before their answer began to be sent. */
  readonly abandoned: number;
  /** Connections that were opened, by what they spoke: `http/1.1` or `h2`. */
  readonly opened: Counts;
  readonly tls: TlsFigures;
  readonly http2: Http2Figures;
  /** Calls of `filrouge/blocking` that have ended, by name: `{ 'database.person': … }`; beyond 60 names, as `other`. */
  readonly calls: Readonly<Record<string, Durations>>;
  /** How late the clock of the event loop was, a few times a second: how long handlers and others hold the loop. */
  readonly loopDelay: Durations;
  /** Collections of garbage in the thread that does the I/O, by kind: `minor`, `major`, `incremental`, `weakcb`. */
  readonly gc: Readonly<Record<string, GcFigures>>;
}

/** Requests that were answered alike. */
export interface Answered {
  /** The pattern that matched last, `/users/{id}`; `none` when none has matched; `other` beyond 200 of them. */
  readonly route: string;
  /** `other` when HTTP does not define it. */
  readonly method: string;
  readonly status: number;
  readonly count: number;
  /**
   * With the option `metrics`: from when they had come until their answer began to be sent. That is what was spent in waiting for a handler, in the
   * handler, and behind other answers of the connection; what the client needs to take the answer is not in it.
   */
  readonly durations: Durations | undefined;
}

/** TLS handshakes. */
export interface TlsFigures {
  /** Those that were completed. */
  readonly handshakes: number;
  /** Of these, those of clients that had been there before, and did without most of it. */
  readonly resumed: number;
  readonly failed: number;
}

/** What happens on connections of HTTP/2. */
export interface Http2Figures {
  /** Streams that clients have opened with a request that could be read. */
  readonly streams: number;
  /** Streams that clients have reset: RST_STREAM. */
  readonly resetsReceived: number;
  /** Streams that the server has reset. */
  readonly resetsSent: number;
  /** GOAWAY frames of clients, by the name of their code: `NO_ERROR`. */
  readonly goAwaysReceived: Counts;
  /** Connections that the server has ended with GOAWAY, by the name of its code. */
  readonly goAwaysSent: Counts;
}

/** Collections of garbage. */
export interface GcFigures {
  readonly count: number;
  readonly seconds: number;
}

/**
 * How often something was refused before a handler saw it, by what it was answered: `{ '400': 3, '503': 1 }`. What occurs has a name; what does
 * not has none.
 *
 * `400` to `507`: requests that the engine itself answered. `503` are the connections beyond `maxConnections`; under TLS they are only closed.
 * `tls`: handshakes that failed. `accept`: how often the system had no descriptor or memory for a connection.
 */
export type Refused = Counts;

/** What one worker does, and what it has done since it started; without workers, what the process does. */
export interface WorkerStatus extends Totals {
  readonly pid: number;
  readonly generation: number;
  readonly connections: number;
  /** Of those, by what they speak: `http/1.1`, `h2`, or `upgraded` to another protocol. Those in their TLS handshake are not among them. */
  readonly protocols: Counts;
  /** Requests that are not answered yet. */
  readonly inFlight: number;
  /** Of those, the requests that wait for a handler thread. */
  readonly queued: number;
  /** Handler threads that take requests. */
  readonly threads: number;
  /** What all handler threads do. */
  readonly threadStates: ThreadStates;
  /** How many threads wait for a call of `filrouge/blocking`, by its name: `{ 'database.person': 3 }`. */
  readonly waiting: Counts;
  /** Resident memory, bytes. */
  readonly rss: number;
  /** Memory of JavaScript objects in the thread that does the I/O, bytes. */
  readonly heapUsed: number;
  /** Processor time since the process started, seconds. */
  readonly cpu: number;
  /** How long the event loop of the thread that does the I/O has been at work, not waiting for events, seconds. */
  readonly loopBusy: number;
}

/** What a process knows about itself. */
export type LocalStatus = Omit<WorkerStatus, 'pid' | 'generation'>;

/** How many handler threads do what. */
export interface ThreadStates {
  /** They do not take requests yet. */
  readonly starting: number;
  /** They are in no handler; promises of handlers may be open. */
  readonly idle: number;
  /** They are in a handler. */
  readonly running: number;
  /** They are in a handler that waits for a call of `filrouge/blocking`. */
  readonly waiting: number;
}

/** Those of a server that has served nobody. */
export const NO_TOTALS: Totals = {
  requests: 0,
  refused: {},
  answered: [],
  abandoned: 0,
  opened: {},
  tls: { handshakes: 0, resumed: 0, failed: 0 },
  http2: { streams: 0, resetsReceived: 0, resetsSent: 0, goAwaysReceived: {}, goAwaysSent: {} },
  calls: {},
  loopDelay: NO_DURATIONS,
  gc: {},
};

/** A worker of which nothing is known but what it has done. */
export const NOTHING_NOW: Omit<LocalStatus, keyof Totals> = {
  connections: 0,
  protocols: {},
  inFlight: 0,
  queued: 0,
  threads: 0,
  threadStates: { starting: 0, idle: 0, running: 0, waiting: 0 },
  waiting: {},
  rss: 0,
  heapUsed: 0,
  cpu: 0,
  loopBusy: 0,
};

/** Routes that have figures of their own: a program that makes them up as it goes must not fill memories, here or in a database of figures. */
export const MAX_ROUTES = 200;
/** The route, method or call of what has no figures of its own. */
export const OTHER = 'other';
/** The route of requests for which no pattern has matched. Patterns begin with a slash. */
export const NONE = 'none';

/** The sum of the figures of two workers. */
export function addTotals(a: Totals, b: Totals): Totals {
  return {
    requests: a.requests + b.requests,
    refused: addCounts(a.refused, b.refused),
    answered: addAnswered(a.answered, b.answered),
    abandoned: a.abandoned + b.abandoned,
    opened: addCounts(a.opened, b.opened),
    tls: {
      handshakes: a.tls.handshakes + b.tls.handshakes,
      resumed: a.tls.resumed + b.tls.resumed,
      failed: a.tls.failed + b.tls.failed,
    },
    http2: {
      streams: a.http2.streams + b.http2.streams,
      resetsReceived: a.http2.resetsReceived + b.http2.resetsReceived,
      resetsSent: a.http2.resetsSent + b.http2.resetsSent,
      goAwaysReceived: addCounts(a.http2.goAwaysReceived, b.http2.goAwaysReceived),
      goAwaysSent: addCounts(a.http2.goAwaysSent, b.http2.goAwaysSent),
    },
    calls: addEach(a.calls, b.calls, addDurations),
    loopDelay: addDurations(a.loopDelay, b.loopDelay),
    gc: addEach(a.gc, b.gc, (x, y) => ({ count: x.count + y.count, seconds: x.seconds + y.seconds })),
  };
}

function addCounts(a: Counts, b: Counts): Counts {
  return addEach(a, b, (x, y) => x + y);
}

/** What has the same name is added. */
export function addEach<T>(a: Readonly<Record<string, T>>, b: Readonly<Record<string, T>>, add: (x: T, y: T) => T): Record<string, T> {
  const sum = { ...a };
  for (const [name, value] of Object.entries(b)) {
    const before = Object.hasOwn(sum, name) ? sum[name] : undefined;
    sum[name] = before === undefined ? value : add(before, value);
  }
  return sum;
}

/** The same routes, methods and statuses are added. Workers that had many routes may have more of them together than one may have. */
function addAnswered(a: readonly Answered[], b: readonly Answered[]): readonly Answered[] {
  const sum = new Map(a.map((one) => [keyOf(one), one]));
  const routes = new Set([NONE, OTHER, ...a.map(({ route }) => route)]);
  for (const one of b) {
    const own = routes.has(one.route) || routes.size < MAX_ROUTES + 2 ? one : { ...one, route: OTHER };
    routes.add(own.route);
    const key = keyOf(own);
    const before = sum.get(key);
    sum.set(key, before ? addAlike(before, own) : own);
  }
  return [...sum.values()];
}

function addAlike(a: Answered, b: Answered): Answered {
  const durations = a.durations && b.durations ? addDurations(a.durations, b.durations) : (a.durations ?? b.durations);
  return { ...a, count: a.count + b.count, durations };
}

function keyOf({ route, method, status }: Answered): string {
  return `${status} ${method} ${route}`;
}
