/**
 * The options of `websocket`, checked.
 *
 * @module
 */
import { checkInteger, checkOptions, MAX_TIMER, MiB } from '../../http/errors/bad-option.ts';
import { checkOrigins } from './origin.ts';
import { checkProtocols } from './subprotocol.ts';

const SUBJECT = 'Cannot open websocket';
const KNOWN: ReadonlySet<string> = new Set(['protocols', 'maxMessageSize', 'maxQueued', 'origins', 'pingInterval']);

/** Options of `websocket`. */
export interface WebSocketOptions {
  /** Subprotocols spoken here, the best first. A client that offers only others is refused with 400. Default: none, and offers are ignored. */
  protocols?: readonly string[] | undefined;
  /** Largest message, bytes; a larger one ends the connection with 1009. Default 1 MiB. */
  maxMessageSize?: number | undefined;
  /** Most bytes that may wait for a slow peer when the next message is sent to it; with more, it is cut off. Default 16 MiB. */
  maxQueued?: number | undefined;
  /** Origins whose pages may connect, written as browsers do, `https://app.example`; `*` for all. Default: only pages of this origin. Clients other than browsers send no Origin and are always allowed. */
  origins?: readonly string[] | '*' | undefined;
  /** Milliseconds between pings; a peer not heard from for that long after a ping is cut off. 0 sends none. Default 30,000. */
  pingInterval?: number | undefined;
}

/** The options with every default filled in. */
export interface ResolvedWebSocketOptions {
  readonly protocols: readonly string[];
  readonly maxMessageSize: number;
  readonly maxQueued: number;
  readonly origins: readonly string[] | '*' | undefined;
  readonly pingInterval: number;
}

/**
 * Checks the options and fills the defaults in.
 *
 * @throws TypeError or RangeError (code `bad-option`).
 */
export function resolveOptions(options: WebSocketOptions): ResolvedWebSocketOptions {
  checkOptions(SUBJECT, options, KNOWN);
  const { protocols = [], maxMessageSize = MiB, maxQueued = 16 * MiB, origins, pingInterval = 30_000 } = options;
  checkProtocols(protocols);
  checkOrigins(origins);
  checkInteger(SUBJECT, 'maxMessageSize', maxMessageSize, 1, 1024 * MiB);
  checkInteger(SUBJECT, 'maxQueued', maxQueued, 0, Number.MAX_SAFE_INTEGER);
  checkInteger(SUBJECT, 'pingInterval', pingInterval, 0, MAX_TIMER);
  return { protocols, maxMessageSize, maxQueued, origins, pingInterval };
}
