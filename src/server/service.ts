/**
 * What all connections of one process share: handler, options, clock, counts.
 *
 * @module
 */
import type { Exchange, ExchangeHost } from '../exchange/exchange.ts';
import type { Handler } from '../exchange/respond.ts';
import { Stopping } from '../exchange/stopping.ts';
import { DEFAULT_LIMITS, type HeadLimits } from '../http/request/head-limits.ts';
import type { Request } from '../http/request.ts';
import { DiskBudget } from './body/disk-budget.ts';
import { MemoryBudget } from './body/memory-budget.ts';
import { Clock } from './clock.ts';
import { type Protocol, Traffic } from './figures/traffic.ts';
import { logTimedOut } from './operator-log.ts';
import type { ResolvedOptions } from './options.ts';
import { Refusals } from './refusals.ts';

/** What a server asks of each of its connections. */
export interface ManagedConnection {
  /** As in `WorkerStatus.protocols`; undefined as long as it has not shown. */
  readonly protocol: Protocol | undefined;
  /** Checks whether its time is up. Called at each tick. */
  tick(now: number): void;
  /** Its exchanges: those whose handler has not answered yet are looked at when somebody asks what the server does. */
  readonly exchanges: { readonly open: readonly Exchange[] };
  /** Takes one more request at most: connections at rest close after a moment, others after the answers they owe. */
  drain(): void;
  /** Ends at once, whatever it is doing. */
  destroy(): void;
}

/** Bounds for handlers are kept more closely than those for clients: the tick is 0.4 / 8 of them, a twentieth. */
const PRECISION = 0.4;

/** The owner of a connection that was taken over. */
export interface Leaving {
  /** The server stops. */
  stop(): void;
}

/** One process's share of a server. */
export class Service {
  readonly handler: Handler;
  readonly options: ResolvedOptions;
  readonly limits: HeadLimits;
  readonly clock: Clock;
  readonly refusals: Refusals;
  readonly traffic: Traffic;
  /** What waits for clients over HTTP/2, in memory. */
  readonly unread: { held: number } = { held: 0 };
  /** Room for bodies in memory. */
  readonly memory: MemoryBudget;
  /** Room for bodies on disk. */
  readonly disk: DiskBudget;
  readonly connections: Set<ManagedConnection> = new Set();
  /** Who has taken connections over, and is to hear that the server stops. */
  readonly takeovers: Set<Leaving> = new Set();
  /** See `ExchangeHost`. With handler threads a request may wait for one, and then be in it, for `handlerTimeout` each: that is for their pool to judge. */
  readonly answerTimeout: number;
  readonly timedOut: ExchangeHost['timedOut'] = logTimedOut;
  /** Whether handler threads answer. */
  readonly handsOn: boolean;
  /** The request whose handler is being called: the watching thread names it when this thread is stuck. */
  current: Request | undefined;
  isDraining = false;
  /** How long a connection at rest is kept while it drains, ms. */
  drainGrace: number = Number.POSITIVE_INFINITY;
  /** Tells requests that the drain begins. */
  readonly stopping: Stopping = new Stopping();
  /** It was asked to stop; it drains now, or after `shutdownDelay`. */
  isStopping = false;
  /** The port it listens on; undefined for a unix socket. */
  port: number | undefined;
  /** Requests handed to the handler since the start. */
  requests = 0;
  /** Requests that are not answered yet. */
  inFlight = 0;
  /** Requests that are answered behind others of their connections. */
  behind = 0;

  /** Called at each tick, besides the connections. */
  onTick: (now: number) => void = () => {};

  /** @param handsOn See `Answering`. */
  constructor(handler: Handler, options: ResolvedOptions, handsOn: boolean = options.threads.max > 0) {
    this.handler = handler;
    this.options = options;
    this.handsOn = handsOn;
    this.answerTimeout = options.handlerTimeout * (options.threads.max > 0 ? 2 : 1);
    this.refusals = new Refusals(options.onRefused, options.recorder);
    const copies = options.threads.max > 0 ? 2 : 1; // a thread gets its own
    this.memory = new MemoryBudget(options.maxMemoryForBodies / copies);
    this.disk = new DiskBudget(options.maxDiskForBodies);
    this.limits = {
      ...DEFAULT_LIMITS,
      maxRequestLine: options.maxRequestLine,
      maxHeaderSize: options.maxHeaderSize,
      maxHeaders: options.maxHeaders,
    };
    this.clock = new Clock((now) => {
      this.onTick(now);
      setImmediate(this.#judge, now); // what has come by then is read first: a tick may be late, and no client is to blame for that
    });
    this.traffic = new Traffic(options.metrics, this.clock);
    const { headersTimeout, requestTimeout, keepAliveTimeout, writeTimeout, handlerTimeout, slowRequest } = options;
    const forHandlers = (handlerTimeout || Number.POSITIVE_INFINITY) * PRECISION;
    this.clock.start(Math.min(headersTimeout, requestTimeout, keepAliveTimeout, writeTimeout, forHandlers, slowRequest || forHandlers));
  }

  readonly #judge = (now: number): void => {
    for (const connection of this.connections) connection.tick(now);
  };

  /** A connection has begun to speak its protocol. */
  opened(connection: ManagedConnection, protocol: keyof Traffic['opened']): void {
    this.connections.add(connection);
    this.traffic.opened[protocol]++;
  }
}
