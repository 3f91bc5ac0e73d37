/**
 * The header fields that make browsers careful.
 *
 * @module
 */
import { badOption, checkInteger, checkOptions } from '../http/errors/bad-option.ts';
import { HeaderList, type HeadersInit } from '../http/header-list.ts';
import type { Request } from '../http/request.ts';
import type { Response } from '../http/response.ts';
import { checkResponse } from './finishing/finisher.ts';

/** Options of `secureHeaders`. */
export interface SecureHeadersOptions {
  /**
   * Content-Security-Policy; false leaves it out. Default: everything from this origin only, inline styles allowed, no plugins, frames
   * according to `frameOptions`.
   */
  csp?: string | false | undefined;
  /**
   * Who may show the page in a frame: X-Frame-Options, and `frame-ancestors` in the default `csp`. Default `SAMEORIGIN`; false: anybody.
   */
  frameOptions?: 'DENY' | 'SAMEORIGIN' | false | undefined;
  /**
   * Seconds for which browsers must use TLS only, for subdomains too (Strict-Transport-Security, RFC 6797). Sent only over TLS. Default
   * false: it cannot be revoked. A year is 31_536_000.
   */
  hsts?: number | false | undefined;
  /** More fields, or other values for these. */
  headers?: HeadersInit | undefined;
}

const SUBJECT = 'Cannot secure headers';
const KNOWN: ReadonlySet<string> = new Set(['csp', 'frameOptions', 'hsts', 'headers']);
const DEFAULT_CSP = "default-src 'self'; base-uri 'self'; form-action 'self'; object-src 'none'; style-src 'self' 'unsafe-inline'";
/** Browsers that know `frame-ancestors` ignore X-Frame-Options (CSP 3 §6.4.2.1): the two must agree. */
const FRAME_ANCESTORS = { DENY: "; frame-ancestors 'none'", SAMEORIGIN: "; frame-ancestors 'self'" } as const;

/**
 * Adds protective header fields. Fields that the handler has set are kept as they are: no field is sent twice.
 *
 * Always added: `X-Content-Type-Options: nosniff`, `Referrer-Policy: strict-origin-when-cross-origin`, `Cross-Origin-Opener-Policy:
 * same-origin`.
 *
 * @param request Whether it came over TLS, to us or to a trusted proxy, decides on Strict-Transport-Security (RFC 6797 §7.2).
 * @param response The response to protect: any, including error responses.
 * @throws TypeError or RangeError (code `bad-option`) for a wrong option, such as an `hsts` that is not a whole number of seconds;
 *   TypeError (`bad-header`) for a field that cannot be sent.
 * @example
 * startServer((request) => finish(request, answer, secureHeaders));
 */
export function secureHeaders(request: Request, response: Response, options: SecureHeadersOptions = {}): Response {
  checkResponse(SUBJECT, response);
  checkOptions(SUBJECT, options, KNOWN);
  const { frameOptions = 'SAMEORIGIN', hsts = false, headers } = options;
  if (frameOptions !== false && !Object.hasOwn(FRAME_ANCESTORS, frameOptions)) {
    throw badOption(SUBJECT, `frameOptions is ${JSON.stringify(frameOptions)}, not "DENY", "SAMEORIGIN" or false`);
  }
  if (hsts !== false) checkInteger(SUBJECT, 'hsts', hsts, 0, Number.MAX_SAFE_INTEGER, 'seconds');
  const { csp = DEFAULT_CSP + (frameOptions === false ? '' : FRAME_ANCESTORS[frameOptions]) } = options;
  let result = response;
  for (const [name, value] of HeaderList.of(headers).pairs()) {
    if (response.header(name) === undefined) result = result.withAddedHeader(name, value); // a field may have several lines
  }
  result = withDefault(result, 'X-Content-Type-Options', 'nosniff');
  result = withDefault(result, 'Referrer-Policy', 'strict-origin-when-cross-origin');
  result = withDefault(result, 'Cross-Origin-Opener-Policy', 'same-origin');
  if (csp !== false) result = withDefault(result, 'Content-Security-Policy', csp);
  if (frameOptions !== false) result = withDefault(result, 'X-Frame-Options', frameOptions);
  if (hsts !== false && request.secure) result = withDefault(result, 'Strict-Transport-Security', `max-age=${hsts}; includeSubDomains`);
  return result;
}

function withDefault(response: Response, name: string, value: string): Response {
  return response.header(name) === undefined ? response.withHeader(name, value) : response;
}
