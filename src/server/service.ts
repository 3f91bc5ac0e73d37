/**
 * What all connections of one process share: the handler, the options, the clock, and the counts.
 *
 * @module
 */

import type { Handler } from '../exchange/respond.ts';
import { DEFAULT_LIMITS, type HeadLimits } from '../h1/limits.ts';
import type { Request } from '../http/request.ts';
import { Clock } from './clock.ts';
import type { ResolvedOptions } from './options.ts';

/** What a server asks of each of its connections. */
export interface ManagedConnection {
  /** Looks whether a time is up. Called at each tick. */
  tick(now: number): void;
  /** One more request at the most: those at rest close after a moment, others after what they owe. */
  drain(): void;
  /** Ends at once, whatever is under way. */
  destroy(): void;
}

/** Bounds for handlers are kept more closely than those for clients: to a twentieth. */
const PRECISION = 0.4;

/** One process's share of a server. */
export class Service {
  readonly handler: Handler;
  readonly options: ResolvedOptions;
  readonly limits: HeadLimits;
  readonly clock: Clock;
  readonly connections: Set<ManagedConnection> = new Set();
  /** Tells those who have taken a connection over that the server stops. */
  readonly takeovers: Set<() => void> = new Set();
  /** The request whose handler is being called: for whoever looks at a thread that is stuck. */
  current: Request | undefined;
  isDraining = false;
  /** It has been told to stop; it drains now, or after `shutdownDelay`. */
  isStopping = false;
  /** Requests handed to the handler since the start. */
  requests = 0;
  /** Requests that the handler has not answered yet. */
  inFlight = 0;

  /** Called at each tick, besides the connections. */
  onTick: (now: number) => void = () => {};

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
      this.onTick(now);
    });
    const { headersTimeout, requestTimeout, keepAliveTimeout, writeTimeout, handlerTimeout, slowRequest } = options;
    const forHandlers = (handlerTimeout || Number.POSITIVE_INFINITY) * PRECISION;
    this.clock.start(Math.min(headersTimeout, requestTimeout, keepAliveTimeout, writeTimeout, forHandlers, slowRequest || forHandlers));
  }
}
