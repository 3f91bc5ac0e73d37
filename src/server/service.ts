/**
 * What all connections of one process share: the handler, the options, the clock, and the counts.
 *
 * @module
 */
import { DEFAULT_LIMITS, type HeadLimits } from '../h1/limits.ts';
import { Clock } from './clock.ts';
import type { Handler, ResolvedOptions } from './options.ts';

/** What a server asks of each of its connections. */
export interface Connection {
  /** Looks whether a time is up. Called at each tick. */
  tick(now: number): void;
  /** One more request at the most: those at rest close after a moment, others after what they owe. */
  drain(): void;
  /** Ends at once, whatever is under way. */
  destroy(): void;
}

/** One process's share of a server. */
export class Service {
  readonly handler: Handler;
  readonly options: ResolvedOptions;
  readonly limits: HeadLimits;
  readonly clock: Clock;
  readonly connections: Set<Connection> = new Set();
  isDraining = false;
  /** Requests handed to the handler since the start. */
  requests = 0;
  /** Requests that the handler has not answered yet. */
  inFlight = 0;

  constructor(handler: Handler, options: ResolvedOptions) {
    this.handler = handler;
    this.options = options;
    this.limits = {
      ...DEFAULT_LIMITS,
      maxRequestLine: options.maxRequestLine,
      maxHeaderSize: options.maxHeaderSize,
      maxHeaders: options.maxHeaders,
    };
    this.clock = new Clock((now) => {
      for (const connection of this.connections) connection.tick(now);
    });
    const { headersTimeout, requestTimeout, keepAliveTimeout, writeTimeout, handlerTimeout } = options;
    this.clock.start(Math.min(headersTimeout, requestTimeout, keepAliveTimeout, writeTimeout, handlerTimeout || Number.POSITIVE_INFINITY));
  }
}
