/**
 * Where requests go: targets, the connections kept to them, and the path requested there.
 *
 * @module
 */
import { isIP } from 'node:net';
import { buildConnector, Pool } from 'undici/index.js'; // by its file: Bun puts a stub of its own in the place of the package
import { badOption } from '../../http/errors/bad-option.ts';
import type { Request } from '../../http/request.ts';
import { encodePath } from '../../http/target.ts';
import { dropUnaskedContinue } from './unasked-continue.ts';

const SUBJECT = 'Cannot proxy';
/** Connections to one target at a time; a request beyond that waits for one until `connectTimeout`. Upgraded ones do not count. */
const MAX_CONNECTIONS = 1024;
/** Most targets remembered: the least recently used one is forgotten, and its connections close when their requests are done. */
const MAX_TARGETS = 256;
/** Largest head of a response, bytes. */
const MAX_HEAD = 64 * 1024;

/** What sends requests: any `Dispatcher` of undici, of whatever copy of it. */
export interface Dispatch {
  dispatch(options: object, handler: object): boolean;
}

/** A target, with its connections. */
export interface Target {
  /** Ours, which is a pool, or the application's. */
  readonly dispatcher: Dispatch;
  /** `http://localhost:9000` */
  readonly origin: string;
  /** Name and port. */
  readonly host: string;
  /** The prefix of each path; empty, or with a slash at the start and none at the end. */
  readonly base: string;
  /** The name that a certificate must be for; undefined without TLS, or for an address. */
  readonly servername: string | undefined;
}

const targets = new Map<string, Target & { readonly dispatcher: Pool }>();

/**
 * Returns the target for a URL.
 *
 * @param connectTimeout Ms; 0: no limit.
 * @param dispatcher Has connections of its own: then none are kept here.
 * @throws TypeError (code `bad-option`) when `text` is not an http or https URL, or has more than a path.
 */
export function targetOf(text: string, connectTimeout: number, dispatcher?: Dispatch): Target {
  if (dispatcher) return { ...parsed(text), dispatcher };
  const key = `${connectTimeout} ${text}`;
  const known = targets.get(key);
  if (known) targets.delete(key);
  const target = known ?? open(text, connectTimeout);
  targets.set(key, target); // to the end: a Map keeps the order of insertion
  if (targets.size > MAX_TARGETS) forgetOldest();
  return target;
}

function open(text: string, connectTimeout: number): Target & { readonly dispatcher: Pool } {
  const target = parsed(text);
  const pool = new Pool(target.origin, {
    connections: MAX_CONNECTIONS,
    pipelining: 1, // so that a slow or broken answer affects no other request
    maxHeaderSize: MAX_HEAD,
    connect: strictConnector(connectTimeout),
  });
  return { ...target, dispatcher: pool };
}

function parsed(text: string): Omit<Target, 'dispatcher'> {
  const url = checkedUrl(text);
  const isNamed = url.protocol === 'https:' && isIP(url.hostname.replace(/^\[|\]$/g, '')) === 0;
  const base = withoutFinalSlashes(url.pathname);
  return { origin: url.origin, host: url.host, base, servername: isNamed ? url.hostname : undefined };
}

function withoutFinalSlashes(path: string): string {
  let end = path.length;
  while (end > 0 && path.charCodeAt(end - 1) === 0x2f /* / */) end--;
  return path.slice(0, end);
}

function checkedUrl(text: string): URL {
  const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw badOption(SUBJECT, `target ${JSON.stringify(text)} is not a URL that starts with http:// or https://`);
  }
  if (url.username !== '' || url.password !== '') throw badOption(SUBJECT, 'target holds a user or a password; send Authorization instead');
  if (/[?#]/.test(text)) throw badOption(SUBJECT, `target ${JSON.stringify(text)} has a query or a fragment`);
  return url;
}

/**
 * Makes a reset visible to undici, which would otherwise take it for the end of a body that ends with its connection (RFC 9112 §8: such a
 * body is complete when the connection was closed, not when it failed).
 */
function strictConnector(timeout: number): buildConnector.connector {
  const connect = buildConnector({ allowH2: false, timeout });
  return (options, callback) =>
    connect(options, (...[error, socket]) => {
      if (error) return callback(error, null);
      socket?.prependListener('error', (failure: NodeJS.ErrnoException) => {
        if (failure.code === 'ECONNRESET') failure.code = RESET;
      });
      if (!socket) return;
      dropUnaskedContinue(socket);
      callback(null, socket);
    });
}

/** The error code of a connection that was reset after it had been established. */
export const RESET = 'UPSTREAM_RESET';

function forgetOldest(): void {
  for (const [key, { dispatcher }] of targets) {
    targets.delete(key);
    dispatcher.close(() => {});
    return;
  }
}

/** The request target: canonical path and query, never the bytes that the client has sent. */
export function requestTarget(request: Request, base: string, rewritePath: ((path: string) => string) | undefined): string {
  const path = rewritePath ? rewritten(rewritePath(request.path)) : request.path;
  const query = request.rawQuery.replace(/[^\x21-\x7e]/gu, escapeByte);
  return `${base}${spell(path)}${query === '' ? '' : `?${query}`}`;
}

function rewritten(path: string): string {
  if (typeof path !== 'string' || !path.startsWith('/')) {
    throw badOption(SUBJECT, `rewritePath returned ${JSON.stringify(path)}, not a path that starts with a slash`);
  }
  if (/\/\.\.?(?:\/|$)/.test(path)) throw badOption(SUBJECT, `rewritePath returned ${JSON.stringify(path)}, which has a dot segment`);
  return path;
}

/**
 * Percent-encodes a path, and `;` as well: some servers cut it off with what follows it, and would see a different path than our routes
 * did.
 */
function spell(path: string): string {
  return encodePath(path.toWellFormed()).replaceAll(';', '%3B');
}

/** Escapes a byte above ASCII, which came as one character. */
function escapeByte(character: string): string {
  const code = character.charCodeAt(0);
  return code <= 0xff ? `%${code.toString(16).padStart(2, '0').toUpperCase()}` : encodeURIComponent(character.toWellFormed());
}
