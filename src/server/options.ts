/**
 * The options of `startServer`: what they mean, their defaults, and the check of what the user gave.
 *
 * @module
 */
import { availableParallelism } from 'node:os';
import {
  badOption,
  checkBoolean,
  checkFunction,
  checkInteger,
  checkOptions,
  checkSystemString,
  type Filled,
  MAX_TIMER,
  MiB,
} from '../http/errors/bad-option.ts';
import { checkErrorFormat, type ErrorFormat } from '../http/errors/failure.ts';
import type { Request } from '../http/request.ts';
import type { Response } from '../http/response.ts';
import type { ObservedServer } from '../process/watching/server-activity.ts';
import type { Affinity } from './affinity/option.ts';
import { shareOfDisk } from './body/disk-budget.ts';
import { shareOfMemory } from './body/memory-budget.ts';
import type { LogFormat } from './operator-log.ts';
import { type ProxyHeader, resolveProxies, type TrustedProxies } from './peer.ts';
import { type RecordingOptions, type ResolvedRecording, resolveRecording } from './recording/options.ts';
import type { Recorder } from './recording/recorder.ts';
import type { OnRefused } from './refusals.ts';
import { type ResolvedTls, resolveTls, type TlsOptions } from './tls/options.ts';

/** Options of `startServer`. Sizes are bytes, times milliseconds. */
export interface ServerOptions {
  /** Default `localhost`. Containers want `0.0.0.0` or `::`. */
  host?: string | undefined;
  /** Default 8000; 0 picks a free one, the same for all workers. */
  port?: number | undefined;
  /** A unix socket instead of host and port. */
  path?: string | undefined;
  /**
   * The rights to that socket, as in chmod: whoever may write to it may connect. `0o660` admits the group of the server's user, such as a proxy that
   * has joined it. Needs `path`. Default: what the umask of the process leaves, often 0o755, which admits the same user alone.
   */
  pathMode?: number | undefined;
  /** Worker processes (node:cluster). Default `os.availableParallelism()`; 0 serves in this process, without a fork. */
  workers?: number | undefined;
  /**
   * Handler threads in each process. Default 0: the handler runs on the process's own thread. With threads a handler may block, and one that never
   * returns costs its own thread only. `{ min, max }` starts more when requests wait, and ends them when they have nothing to do.
   */
  threads?: number | { readonly min: number; readonly max: number } | undefined;
  /**
   * Longest a handler may take; then the client gets 503 and `request.signal` aborts. With threads a handler that blocks is stopped too, and the log
   * says where it stood. Default 30,000 with threads, 0 (no bound) without.
   */
  handlerTimeout?: number | undefined;
  /** Log method, path and the line where a request stands that takes longer than this, without stopping it. Default 0: off. */
  slowRequest?: number | undefined;
  /** Measures how long requests take, for `Answered.durations` of the status: one look at the clock for each. Default false: they are only counted. */
  metrics?: boolean | undefined;
  tls?: TlsOptions | undefined;
  /** With `tls`: whether clients may choose HTTP/2, as browsers do (ALPN). Default true. */
  http2?: boolean | undefined;
  /** Without `tls`: serves HTTP/2 to clients that begin with it, besides HTTP/1.1: for balancers such as Cloud Run and Envoy. Default false. */
  h2c?: boolean | undefined;
  /** Largest request body, else 413. Default 10 MiB. A function decides for each request, from its head. */
  maxBodySize?: number | ((head: Request) => number) | undefined;
  /** A body up to this waits in memory, whatever room there is; a larger one if it fits (`maxMemoryForBodies`), else in a file. Default 64 KiB. */
  bodyMemory?: number | undefined;
  /** Bytes of all bodies in memory, in each process; one takes at most a quarter. Default 64 MiB, less where memory is short. 0: large ones go to disk. */
  maxMemoryForBodies?: number | undefined;
  /**
   * Bytes of all bodies on disk together, in each process. When they are used up, further bodies get 503 with Retry-After, and so does one that
   * needs more while others are there. Default: a third of what is free in the temporary folder at the start, divided among the workers.
   */
  maxDiskForBodies?: number | undefined;
  /** True for requests whose handler wants the body as it arrives (`request.body.stream()`), and not before. Default: none. */
  streamBody?: ((head: Request) => boolean) | undefined;
  /** Longest request line, else 414. Default 8 KiB. */
  maxRequestLine?: number | undefined;
  /** All header lines together, else 431. Default 16 KiB. */
  maxHeaderSize?: number | undefined;
  /** Number of header lines, else 431. Default 100. */
  maxHeaders?: number | undefined;
  /** Connections of the whole server, all workers together. Default 10,000. Beyond: 503 and close. */
  maxConnections?: number | undefined;
  /** From the first byte to the end of the head, else 408. Default 30,000. */
  headersTimeout?: number | undefined;
  /** A body must bring 1 KiB for each second of this, in each span of this length, else 408. Default 30,000. */
  requestTimeout?: number | undefined;
  /** How long an idle connection is kept. Default 65,000: longer than the 60 s of common balancers. */
  keepAliveTimeout?: number | undefined;
  /** A client that takes nothing of its response for so long is cut off. Default 30,000. */
  writeTimeout?: number | undefined;
  /** Proxies whose word about the client is believed: addresses, CIDR ranges, and `unix` for whoever connects to `path`. Default: none. */
  trustProxy?: readonly string[] | undefined;
  /**
   * The fields in which they tell of it: `x-forwarded` (X-Forwarded-For, -Proto and -Host) or `forwarded` (RFC 7239). The other ones are ignored.
   * Default `x-forwarded`.
   */
  proxyHeader?: ProxyHeader | undefined;
  /** SIGTERM and SIGINT drain, a second one half a second later ends at once. SIGHUP reloads; without workers, and when its terminal is closed, it drains. Default true. */
  signals?: boolean | undefined;
  /** How long a drain may take before connections are cut. Default 30,000; under `node --watch`, which waits for it, 250. */
  shutdownTimeout?: number | undefined;
  /** After SIGTERM or SIGINT the server goes on for so long, while `readiness` says 503: time for balancers to look elsewhere. Default 0. */
  shutdownDelay?: number | undefined;
  /**
   * Requests for which it gives the same key are answered by the same worker, wherever they were accepted. `undefined`: by the one that accepted it. What
   * it throws is answered 500. Without effect below two workers. Default: none.
   *
   * @example
   * const affinity = (head: Request): string | undefined => head.header('session-id');
   */
  affinity?: Affinity | undefined;
  /** How long a worker may take until it listens, and a handler thread until it has called `startServer`, before it is ended. Default 60,000. */
  startTimeout?: number | undefined;
  /** How the events of the server (workers ready, replaced, recycled, handlers stuck) are written to stderr: `text`, `json` or `off`. Default `text`. */
  log?: LogFormat | undefined;
  /** Replace a worker after so many requests (±10 %). Default: never. */
  maxRequestsPerWorker?: number | undefined;
  /** Replace a worker whose resident memory exceeds so many bytes. Default: never. */
  maxMemoryPerWorker?: number | undefined;
  /**
   * How errors are answered: `text`, `json`, `problem` (application/problem+json, RFC 9457), or `auto`: JSON for clients that prefer it by their
   * Accept, text for others. A function decides for each request. Default `auto`.
   */
  errors?: ErrorFormat | ((head: Request) => ErrorFormat) | undefined;
  /** Sees every error that became a 500; may answer instead. Default: prints method, path, request id and the error with its stack to stderr. */
  onError?: ((error: unknown, request: Request) => Response | void) | undefined;
  /**
   * Sees every request that the engine itself refuses, before any handler: malformed (400), too slow (408), too large (413, 414, 431), not
   * implemented (405, 501), and connections beyond `maxConnections` (503). May give the answer: text or bytes of at most 64 KiB. A status below 400
   * is replaced by that of the refusal. What it throws is printed, and the client gets the default answer. Called in the process that listens, also
   * where handlers run in threads. Default: the answer is `reason`, written as `errors` says.
   *
   * @example
   * const onRefused = (status: number, head: RefusedHead, reason: HttpError) => Response.html(`<h1>${status}</h1><p>${reason.message}</p>`);
   */
  onRefused?: OnRefused | undefined;
  /** Writes requests that fail, are slow or refused into files that can be played again, secrets hidden: `{ onError: 'requests' }`. Default: none. */
  record?: RecordingOptions | undefined;
}

/** A server that runs. */
export interface RunningServer extends ObservedServer, AsyncDisposable {
  /** `http://localhost:8000` or `https://…`: with the port that is really bound. */
  readonly url: string;
  readonly address: { host: string; port: number } | { path: string };
  /** `single` without workers; else which of the processes this is. */
  readonly role: 'single' | 'primary' | 'worker' | 'thread';
  /** Settles when the server has stopped. */
  readonly closed: Promise<void>;
  /** Stops accepting, finishes what is in flight, cuts the rest after `timeout` ms (default: `shutdownTimeout`). A later call can bring the end forward. */
  close(options?: { timeout?: number | undefined }): Promise<void>;
  /** In the primary: replaces every worker; new ones listen before old ones stop, so that no request fails. Rejects when the new ones cannot start: the old ones go on. */
  reload(): Promise<void>;
}

/** The options with every default filled in. */
export interface ResolvedOptions
  extends Filled<
    Omit<
      ServerOptions,
      | 'threads'
      | 'path'
      | 'pathMode'
      | 'tls'
      | 'streamBody'
      | 'affinity'
      | 'onError'
      | 'onRefused'
      | 'record'
      | 'trustProxy'
      | 'proxyHeader'
      | 'maxRequestsPerWorker'
      | 'maxMemoryPerWorker'
    >
  > {
  /** None when `max` is 0. */
  readonly threads: { readonly min: number; readonly max: number };
  readonly path: string | undefined;
  readonly pathMode: number | undefined;
  readonly tls: ResolvedTls | undefined;
  readonly streamBody: ((head: Request) => boolean) | undefined;
  readonly affinity: Affinity | undefined;
  readonly onError: ((error: unknown, request: Request) => Response | void) | undefined;
  readonly onRefused: OnRefused | undefined;
  readonly record: ResolvedRecording | undefined;
  /** Made of it by the process that listens. */
  readonly recorder?: Recorder | undefined;
  readonly trustProxy: TrustedProxies | undefined;
  /** See `ErrorAnswers`: undefined in production. */
  readonly explainsTo: ((address: string) => boolean) | undefined;
  /** Infinity: never. */
  readonly maxRequestsPerWorker: number;
  /** Infinity: never. */
  readonly maxMemoryPerWorker: number;
}

const SUBJECT = 'Cannot start server';
/** `node --watch` starts the program again when a file has changed, and waits for its end before. */
const isWatched = process.env['WATCH_REPORT_DEPENDENCIES'] !== undefined;
/** A thread takes about 10 MiB. */
const MAX_THREADS = 512;
/** What a handler may take in a thread when nothing is said, ms. */
const THREAD_TIMEOUT = 30_000;

/** Each numeric option: default, least and greatest value. */
const NUMBERS = {
  port: [8000, 0, 65_535],
  workers: [Number.NaN, 0, 1024],
  handlerTimeout: [0, 0, MAX_TIMER],
  slowRequest: [0, 0, MAX_TIMER],
  bodyMemory: [64 * 1024, 0, 1024 * MiB],
  maxMemoryForBodies: [Number.NaN, 0, Number.POSITIVE_INFINITY],
  maxDiskForBodies: [Number.NaN, 0, Number.POSITIVE_INFINITY],
  maxRequestLine: [8 * 1024, 64, MiB],
  maxHeaderSize: [16 * 1024, 64, 16 * MiB],
  maxHeaders: [100, 1, 10_000],
  maxConnections: [10_000, 1, 10_000_000],
  headersTimeout: [30_000, 1, MAX_TIMER],
  requestTimeout: [30_000, 1, MAX_TIMER],
  keepAliveTimeout: [65_000, 1, MAX_TIMER],
  writeTimeout: [30_000, 1, MAX_TIMER],
  shutdownTimeout: [isWatched ? 250 : 30_000, 0, MAX_TIMER],
  shutdownDelay: [0, 0, MAX_TIMER],
  startTimeout: [60_000, 1, 24 * 3_600_000],
  maxRequestsPerWorker: [Number.POSITIVE_INFINITY, 1, Number.POSITIVE_INFINITY],
  maxMemoryPerWorker: [Number.POSITIVE_INFINITY, 32 * MiB, Number.POSITIVE_INFINITY],
} as const satisfies Record<string, readonly [fallback: number, least: number, most: number]>;

const OTHERS: ReadonlySet<string> = new Set([
  'threads',
  'host',
  'path',
  'pathMode',
  'tls',
  'http2',
  'h2c',
  'metrics',
  'maxBodySize',
  'streamBody',
  'affinity',
  'trustProxy',
  'proxyHeader',
  'signals',
  'log',
  'errors',
  'onError',
  'onRefused',
  'record',
]);
const KNOWN: ReadonlySet<string> = new Set([...Object.keys(NUMBERS), ...OTHERS]);
const OF_THREADS: ReadonlySet<string> = new Set(['min', 'max']);

/**
 * Checks options and fills in the defaults.
 *
 * @throws TypeError or RangeError with code `bad-option`: which option, what is wrong, what to do.
 */
export function resolveOptions(options: ServerOptions = {}): ResolvedOptions {
  checkOptions(SUBJECT, options, KNOWN);
  const {
    host,
    path,
    pathMode,
    signals = true,
    http2 = true,
    h2c = false,
    metrics = false,
    log = 'text',
    maxBodySize = 10 * MiB,
    streamBody,
    affinity,
    errors = 'auto',
    onError,
    onRefused,
  } = options;
  if (path !== undefined && (host !== undefined || options.port !== undefined)) {
    throw badOption(SUBJECT, 'path is a unix socket and excludes host and port');
  }
  for (const [name, value] of Object.entries({ host, path })) {
    if (value !== undefined) checkSystemString(SUBJECT, name, value);
  }
  if (pathMode !== undefined) {
    checkInteger(SUBJECT, 'pathMode', pathMode, 0, 0o777);
    if (path === undefined) throw badOption(SUBJECT, 'pathMode has no effect without path');
  }
  for (const [name, value] of Object.entries({ signals, http2, h2c, metrics })) checkBoolean(SUBJECT, name, value);
  if (h2c && options.tls !== undefined) throw badOption(SUBJECT, 'h2c has no effect with tls: there, clients choose HTTP/2 themselves');
  if (options.http2 === true && options.tls === undefined) {
    throw badOption(SUBJECT, 'http2 has no effect without tls: for clients that speak HTTP/2 in the clear there is h2c');
  }
  if (log !== 'text' && log !== 'json' && log !== 'off') throw badOption(SUBJECT, `log is neither 'text' nor 'json' nor 'off'`);
  if (typeof maxBodySize !== 'function') checkInteger(SUBJECT, 'maxBodySize', maxBodySize, 0, Number.MAX_SAFE_INTEGER);
  checkErrorFormat(SUBJECT, errors);
  for (const [name, value] of Object.entries({ streamBody, affinity, onError, onRefused })) {
    if (value !== undefined) checkFunction(SUBJECT, name, value);
  }
  const numbers = Object.fromEntries(Object.keys(NUMBERS).map((name) => [name, numberOf(options, name as keyof typeof NUMBERS)])) as Record<
    keyof typeof NUMBERS,
    number
  >;
  const threads = resolveThreads(options.threads);
  const trustProxy = resolveProxies(SUBJECT, options);
  return {
    ...numbers,
    maxMemoryForBodies: options.maxMemoryForBodies ?? shareOfMemory(numbers.workers),
    maxDiskForBodies: options.maxDiskForBodies ?? shareOfDisk(numbers.workers),
    handlerTimeout: options.handlerTimeout ?? (threads.max > 0 ? THREAD_TIMEOUT : 0),
    threads,
    host: host ?? 'localhost',
    path,
    pathMode,
    tls: options.tls === undefined ? undefined : resolveTls(options.tls),
    http2,
    h2c,
    metrics,
    maxBodySize,
    streamBody,
    affinity,
    errors,
    onError,
    onRefused,
    record: resolveRecording(SUBJECT, options.record, numbers.slowRequest),
    trustProxy,
    explainsTo: process.env['NODE_ENV'] === 'production' ? undefined : (address) => !trustProxy?.has(address),
    signals,
    log,
  };
}

function resolveThreads(threads: ServerOptions['threads'] = 0): { readonly min: number; readonly max: number } {
  const { min, max } = typeof threads === 'object' && threads !== null ? threads : { min: threads, max: threads };
  if (typeof threads === 'object' && threads !== null) checkOptions(SUBJECT, threads, OF_THREADS, 'threads');
  checkInteger(SUBJECT, 'threads', max, 0, MAX_THREADS);
  checkInteger(SUBJECT, 'threads.min', min, max === 0 ? 0 : 1, max);
  return { min, max };
}

function numberOf(options: ServerOptions, name: keyof typeof NUMBERS): number {
  const value = options[name];
  const [fallback, least, most] = NUMBERS[name];
  if (value === undefined) return name === 'workers' ? availableParallelism() : fallback;
  checkInteger(SUBJECT, name, value, least, most);
  return value;
}
