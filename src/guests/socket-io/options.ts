/**
 * The options of `createSocketIO`, checked.
 *
 * @module
 */
import type { ServerOptions } from 'socket.io';
import { badOption, checkOptions } from '../../http/errors/bad-option.ts';

const SUBJECT = 'Cannot create a Socket.IO server';

/** @internal Those of Socket.IO and its engine, but for what to do with upgrades that are not its own: they are never seen here. */
export const KNOWN_OPTIONS: ReadonlySet<string> = new Set([
  'path',
  'addTrailingSlash',
  'serveClient',
  'adapter',
  'parser',
  'connectTimeout',
  'connectionStateRecovery',
  'cleanupEmptyChildNamespaces',
  'pingTimeout',
  'pingInterval',
  'upgradeTimeout',
  'maxHttpBufferSize',
  'httpRequestBodyTimeout',
  'maxBufferedChunks',
  'allowRequest',
  'transports',
  'allowUpgrades',
  'perMessageDeflate',
  'httpCompression',
  'wsEngine',
  'initialPacket',
  'cookie',
  'cors',
  'allowEIO3',
]);

const TRANSPORTS: ReadonlySet<unknown> = new Set(['polling', 'websocket']);

/**
 * Options of `createSocketIO`: those of Socket.IO, which documents them.
 *
 * `path` is `/socket.io` by default. `transports: ['websocket']` serves websockets alone, and tells clients that poll so. Without `adapter`, what is
 * emitted reaches the clients of all workers and handler threads of this server.
 */
export type SocketIOOptions = Partial<Omit<ServerOptions, 'destroyUpgrade' | 'destroyUpgradeTimeout'>>;

/** Checks the options. @returns Those that are not undefined, which Socket.IO would take for values. @throws TypeError (code `bad-option`). */
export function checkedOptions(options: SocketIOOptions): SocketIOOptions {
  checkOptions(SUBJECT, options, KNOWN_OPTIONS);
  const { path = '/socket.io', transports } = options as { path?: unknown; transports?: unknown };
  if (typeof path !== 'string' || !/^(?:\/[\w.-]+)+\/?$/.test(path)) throw badOption(SUBJECT, 'path is not a path such as "/socket.io"');
  if (
    transports !== undefined &&
    (!Array.isArray(transports) || transports.length === 0 || !transports.every((name) => TRANSPORTS.has(name)))
  ) {
    throw badOption(SUBJECT, "transports is not a list of 'polling' and 'websocket'");
  }
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
