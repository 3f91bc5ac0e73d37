/// <reference types="node" preserve="true" />
/**
 * The door `filrouge/blocking`: calls functions that return promises, and other servers, without `await`.
 *
 * The thread that calls waits; the promise runs in an I/O thread of the same process, which all its handler threads share, and with it one pool of
 * connections.
 *
 * @module
 */
import { type BlockingCalls, callsInto } from './blocking/create.ts';
import { type CheckForm, type CheckInit, type FetchedParts, fetchBy } from './blocking/fetch.ts';
import type { FetchInit } from './blocking/wire.ts';
import { checkBySchema, firstIssue, isStandardSchema, type StandardSchema } from './helpers/reading/schema.ts';
import {
  badOption,
  checkInteger,
  checkOptions,
  checkString,
  checkSystemString,
  MAX_TIMER,
  MiB,
  ofWrongKind,
} from './http/errors/bad-option.ts';
import { HeaderList } from './http/header-list.ts';

export { type BlockingCalls, type BlockingWords, blocking, type CallResult, type Handle, type HandleCalls } from './blocking/create.ts';
export type { FetchedParts } from './blocking/fetch.ts';
export type { FetchInit } from './blocking/wire.ts';
export type { StandardSchema } from './helpers/reading/schema.ts';

/** How another server has answered. */
export interface Fetched extends FetchedParts {
  /** The body as JSON. @throws SyntaxError (code `fetch-bad-json`) when it is none. */
  json(): unknown;
  /**
   * The body as JSON, checked by a schema of any library that implements Standard Schema (zod, valibot, arktype…).
   *
   * @throws Error (code `fetch-schema-mismatch`) with the `issues` when the schema rejects it. TypeError (code `bad-option`) for an asynchronous schema.
   */
  json<T>(schema: StandardSchema<T>): T;
  /** The body, parsed as JSON and then given to a function, such as a schema's `parse`. */
  json<T>(parse: (value: unknown) => T): T;
}

/** Asks another server, and waits for its answer. */
export type Fetch = (url: string | URL, init?: FetchInit) => Fetched;

/** Options of `createBlocking`. */
export interface BlockingOptions {
  /** How long a call may take, ms; 0: no bound. Default 30,000. */
  timeout?: number | undefined;
  /** What the module is called in logs and messages. Default: the name of its file, `database` for `database.js`. */
  name?: string | undefined;
  /** Modules with the same thread share one I/O thread. Default: each module has one of its own. */
  thread?: string | undefined;
}

/** Options of `createFetch`. */
export interface FetchOptions {
  /** Connections to each origin, for all threads of a worker process together. Default 64. */
  connections?: number | undefined;
  /** How long a request may take until its answer has begun, and then each wait for more of its body, ms; 0: no bound. Default 30,000. */
  timeout?: number | undefined;
  /** The largest body, bytes; 0: no bound. Default 16 MiB. */
  maxSize?: number | undefined;
}

const BLOCKING_OPTIONS: ReadonlySet<string> = new Set(['timeout', 'name', 'thread']);
const FETCH_OPTIONS: ReadonlySet<string> = new Set(['connections', 'timeout', 'maxSize']);
const FETCH_INIT: ReadonlySet<string> = new Set(['method', 'headers', 'body']);
const CANNOT_FETCH = 'Cannot fetch';
const DEFAULT_TIMEOUT = 30_000;
const DEFAULT_CONNECTIONS = 64;
const DEFAULT_MAX_SIZE: number = 16 * MiB;

/**
 * Makes the functions that a module exports callable without `await`.
 *
 * The module is loaded once in each worker process, in an I/O thread, when the server starts; without a server, at the first call. Its functions may be
 * called from all handler threads, and from the main thread, which they then hold. To be called where the script begins, so that the server knows of it.
 *
 * A call returns what its promise resolves to, by structured clone; an async iterable or a stream as an iterable; what `blocking.handle` has marked, as
 * an object of calls. A function named `close` that the module exports is called when the server has drained.
 *
 * @param module The URL of the module, as it is when the program runs: `new URL('./database.js', import.meta.url)`.
 * @returns An object with a function for each that the module exports. They throw what the promise rejects with, at the line of the caller; and errors
 *   with code `blocking-timeout`, `blocking-aborted` when the client has left or `handlerTimeout` is over, `blocking-thread-died` and
 *   `blocking-not-loaded`. A DataCloneError for arguments or results that cannot be cloned, such as functions.
 * @throws TypeError or RangeError (code `bad-option`). That a module does not load is an error of `startServer`.
 * @example
 * interface Database { // or the types of the module itself, by `import type * as Database`
 *   person(id: number): Promise<{ name: string } | undefined>;
 * }
 * const database = createBlocking<Database>(new URL('./database.js', import.meta.url));
 * const person = database.person(7);
 */
export function createBlocking<M extends object>(module: URL | string, options: BlockingOptions = {}): BlockingCalls<M> {
  const subject = 'Cannot call a module';
  checkOptions(subject, options, BLOCKING_OPTIONS);
  const { timeout = DEFAULT_TIMEOUT, name, thread } = options;
  checkInteger(subject, 'timeout', timeout, 0, MAX_TIMER, 'milliseconds');
  if (name !== undefined) checkSystemString(subject, 'name', name);
  if (thread !== undefined) checkSystemString(subject, 'thread', thread);
  return callsInto(urlOf(subject, module), { timeout, name, thread }) as BlockingCalls<M>;
}

/**
 * Makes a function that asks another server and waits for its answer.
 *
 * All threads of a worker process share its connections, which are kept. A redirect is not followed, and no body is decompressed unless the request asks
 * for a coding.
 *
 * @returns Throws the errors of undici (`UND_ERR_…`) and of the system (`ECONNREFUSED`) at the line of the caller, and those of `createBlocking`; TypeError
 *   (code `bad-option`) for what a call says and it does not know, such as `signal`.
 * @throws TypeError or RangeError (code `bad-option`).
 * @example
 * const get = createFetch({ timeout: 2000 });
 * const weather = get('http://localhost:9000/weather').json();
 */
export function createFetch(options: FetchOptions = {}): Fetch {
  checkOptions(CANNOT_FETCH, options, FETCH_OPTIONS);
  const { connections = DEFAULT_CONNECTIONS, timeout = DEFAULT_TIMEOUT, maxSize = DEFAULT_MAX_SIZE } = options;
  checkInteger(CANNOT_FETCH, 'connections', connections, 1, Number.MAX_SAFE_INTEGER);
  checkInteger(CANNOT_FETCH, 'timeout', timeout, 0, MAX_TIMER, 'milliseconds');
  checkInteger(CANNOT_FETCH, 'maxSize', maxSize, 0, Number.MAX_SAFE_INTEGER, 'bytes');
  return fetchBy({ connections, timeout, maxSize }, checkForm, checkInit);
}

/** What a call says, checked, with its fields in a form that can travel. */
function checkInit(init: FetchInit): ReturnType<CheckInit> {
  checkOptions(CANNOT_FETCH, init, FETCH_INIT);
  const { method, headers, body } = init;
  if (method !== undefined) checkString(CANNOT_FETCH, 'method', method);
  if (headers !== undefined && (typeof headers !== 'object' || headers === null)) {
    throw ofWrongKind(CANNOT_FETCH, 'headers', headers, 'an object');
  }
  const fields = headers && Symbol.iterator in headers ? checkedPairs(headers as Iterable<readonly [string, string]>) : headers;
  return { method: method && normalized(method), headers: fields, body };
}

function checkedPairs(headers: Iterable<readonly [string, string]>): [name: string, value: string][] {
  const pairs = [...headers];
  if (!pairs.every(Array.isArray)) throw badOption(CANNOT_FETCH, 'headers is a list, but not of pairs: write [[name, value], …]');
  return HeaderList.of(pairs).pairs();
}

/** A method as `fetch` has it: in upper case when it is one of these six. */
function normalized(method: string): string {
  return /^(?:delete|get|head|options|post|put)$/i.test(method) ? method.toUpperCase() : method;
}

/** The `json` of an answer: by what it was given, which is not undefined. */
function checkForm(form: unknown, value: unknown): ReturnType<CheckForm> {
  const subject = 'Cannot read the answer as JSON';
  if (isStandardSchema(form)) {
    const checked = checkBySchema(subject, form, value);
    return checked.issues ? { issues: checked.issues, why: firstIssue(checked.issues) } : checked;
  }
  if (typeof form === 'function') return { value: (form as (value: unknown) => unknown)(value) };
  throw badOption(subject, `the schema is ${form === null ? 'null' : typeof form}, not a Standard Schema or a function`);
}

function urlOf(subject: string, module: unknown): string {
  const url = module instanceof URL ? module.href : module;
  if (typeof url === 'string' && URL.canParse(url) && /^(?:file|data|node):/.test(url)) return url;
  throw badOption(subject, `the module is ${typeof url === 'string' ? JSON.stringify(url) : typeof url}, not the URL of a file`);
}
