/**
 * Cross-origin resource sharing (WHATWG Fetch §3.2): which pages of other origins may read our answers.
 *
 * It blocks no request: browsers that do not find the fields hide the answer from the page, and other clients do not look for them.
 *
 * @module
 */

import { badOption, checkBoolean, checkInteger, checkOptions } from '../http/errors/bad-option.ts';
import { isToken } from '../http/grammar.ts';
import type { Request } from '../http/request.ts';
import { Response } from '../http/response.ts';
import { checkResponse, withVary } from './finishing/finisher.ts';

/** Which other origins may do what. */
export interface CorsPolicy {
  /**
   * The allowed origins as browsers write them, `https://app.example`; `*` for all; or a function that returns true for them. `'null'`
   * (sandboxed pages, files) is allowed only when it is named.
   */
  origins: readonly string[] | '*' | ((origin: string) => boolean);
  /** Methods that a preflight allows. Default GET, HEAD, POST, PUT, PATCH, DELETE. */
  methods?: readonly string[] | undefined;
  /** Request fields that a preflight allows beyond those that pages may always set. Default `Content-Type`, which JSON needs. */
  headers?: readonly string[] | undefined;
  /** Response fields that the page may read beyond Content-Type, Cache-Control and the few others it always may. Default none. */
  exposeHeaders?: readonly string[] | undefined;
  /** Seconds for which a browser may cache the answer to a preflight. Default: the browser's own, 5 s. */
  maxAge?: number | undefined;
  /** Whether requests with cookies may be read. Default false. */
  credentials?: boolean | undefined;
}

/** Applies a policy to requests and responses. */
export interface Cors {
  /** 204 for a preflight, whatever its path; undefined for every other request. */
  readonly preflight: (request: Request) => Response | undefined;
  /** Adds the fields that let the page read this response, and Vary. Any that the handler has set are replaced: the policy decides. */
  readonly apply: (request: Request, response: Response) => Response;
}

const SUBJECT = 'Cannot create CORS';
const KNOWN: ReadonlySet<string> = new Set(['origins', 'methods', 'headers', 'exposeHeaders', 'maxAge', 'credentials']);
const DEFAULT_METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
/** A serialized origin (RFC 6454 §6.2): scheme, host in lower case, a port that is not the default one. */
const ORIGIN = /^[a-z][a-z0-9+\-.]*:\/\/(?:[a-z0-9\-._~%]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/;

/**
 * Creates the rules for other origins: once, outside the handler.
 *
 * @throws TypeError or RangeError (code `bad-option`) for a policy that cannot work: `*` with credentials, an origin with a path, a
 *   negative age.
 * @example
 * const cors = createCors({ origins: ['https://app.example'], credentials: true });
 * startServer((request) => cors.preflight(request) ?? finish(request, answer, cors.apply));
 */
export function createCors(policy: CorsPolicy): Cors {
  checkOptions(SUBJECT, policy, KNOWN, 'policy');
  const { origins, methods = DEFAULT_METHODS, headers = ['Content-Type'], exposeHeaders = [], maxAge, credentials = false } = policy;
  checkBoolean(SUBJECT, 'credentials', credentials);
  const isAllowed = originTest(origins, credentials);
  const allowedMethods = listOf('methods', methods, credentials);
  const allowedHeaders = listOf('headers', headers, credentials);
  const exposed = listOf('exposeHeaders', exposeHeaders, credentials);
  if (maxAge !== undefined) checkInteger(SUBJECT, 'maxAge', maxAge, 0, Number.MAX_SAFE_INTEGER, 'seconds');

  function allow(request: Request, response: Response): Response {
    if (origins === '*') return response.withHeader('Access-Control-Allow-Origin', '*');
    const varied = withVary(response, 'Origin'); // a cache must not serve one origin the answer for another
    const lines = request.headerAll('origin');
    const [origin] = lines;
    if (origin === undefined || lines.length > 1 || !isOrigin(origin) || !isAllowed(origin)) return varied;
    const allowed = varied.withHeader('Access-Control-Allow-Origin', origin);
    return credentials ? allowed.withHeader('Access-Control-Allow-Credentials', 'true') : allowed;
  }

  return {
    preflight(request) {
      if (!isPreflight(request)) return undefined;
      const response = allow(request, Response.empty(204));
      if (response.header('Access-Control-Allow-Origin') === undefined) return response;
      return [
        ['Access-Control-Allow-Methods', allowedMethods],
        ['Access-Control-Allow-Headers', allowedHeaders],
        ['Access-Control-Max-Age', maxAge === undefined ? '' : String(maxAge)],
      ].reduce((result, [name = '', value = '']) => (value === '' ? result : result.withHeader(name, value)), response);
    },
    apply(request, response) {
      checkResponse('Cannot apply CORS', response);
      const bare = ['Origin', 'Credentials'].reduce((result, name) => result.withoutHeader(`Access-Control-Allow-${name}`), response);
      const result = allow(request, bare);
      if (exposed === '' || result.header('Access-Control-Allow-Origin') === undefined) return result;
      return result.withHeader('Access-Control-Expose-Headers', exposed);
    },
  };
}

/** WHATWG Fetch §3.2.2: OPTIONS with both fields. Any other OPTIONS goes to the handler. */
function isPreflight(request: Request): boolean {
  return (
    request.method === 'OPTIONS' && request.header('origin') !== undefined && request.header('access-control-request-method') !== undefined
  );
}

function originTest(origins: CorsPolicy['origins'], credentials: boolean): (origin: string) => boolean {
  if (typeof origins === 'function') return (origin) => (origins(origin) as unknown) === true; // a promise does not count as true
  if (origins === '*') {
    if (!credentials) return () => true;
    throw badOption(SUBJECT, 'origins "*" with credentials would let every site read what is meant for the user: name the origins');
  }
  if (!Array.isArray(origins)) throw badOption(SUBJECT, 'origins is not a list, "*" or a function');
  for (const origin of origins as readonly unknown[]) {
    if (typeof origin === 'string' && isOrigin(origin) && !hasDefaultPort(origin)) continue;
    throw badOption(
      SUBJECT,
      `${JSON.stringify(origin)} is not an origin: write it like "https://app.example", in lower case, without path, final slash and default port`,
    );
  }
  const known: ReadonlySet<string> = new Set(origins as readonly string[]);
  return (origin) => known.has(origin);
}

function isOrigin(text: string): boolean {
  return text === 'null' || ORIGIN.test(text);
}

/** Browsers omit the default port, so an origin that names it would match nobody. */
function hasDefaultPort(origin: string): boolean {
  return /^(?:http:.*:80|https:.*:443)$/.test(origin);
}

function listOf(option: string, names: readonly string[], credentials: boolean): string {
  if (!Array.isArray(names)) throw badOption(SUBJECT, `${option} is not a list`);
  for (const name of names as readonly unknown[]) {
    if (typeof name !== 'string' || !isToken(name)) throw badOption(SUBJECT, `${JSON.stringify(name)} in ${option} is not a token`);
    if (name === '*' && credentials) {
      throw badOption(SUBJECT, `"*" in ${option} has no effect in browsers when there are credentials: name them`);
    }
  }
  return names.join(', ');
}
