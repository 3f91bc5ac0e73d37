/**
 * The header fields that make browsers careful.
 *
 * @module
 */
import { withCode } from '../http/error-codes.ts';
import { HeaderList, type HeadersInit } from '../http/header-list.ts';
import type { Response } from '../http/response.ts';

/** What may be told otherwise. */
export interface SecureHeadersOptions {
  /** Content-Security-Policy; false leaves it out. Default: everything from this origin only, inline styles allowed, no plugins, frames as `frameOptions` says. */
  csp?: string | false;
  /** Who may show the page in a frame: X-Frame-Options, and `frame-ancestors` in the default `csp`. Default `SAMEORIGIN`; false: anybody. */
  frameOptions?: 'DENY' | 'SAMEORIGIN' | false;
  /** Seconds that browsers shall come by TLS only, to subdomains too (Strict-Transport-Security, RFC 6797). Default false: it cannot be taken back. A year is 31_536_000. */
  hsts?: number | false;
  /** More fields, or other values for these. */
  headers?: HeadersInit;
}

const DEFAULT_CSP = "default-src 'self'; base-uri 'self'; form-action 'self'; object-src 'none'; style-src 'self' 'unsafe-inline'";
/** Browsers that know `frame-ancestors` do not look at X-Frame-Options (CSP 3 §6.4.2.1): both must say the same. */
const FRAME_ANCESTORS = { DENY: "; frame-ancestors 'none'", SAMEORIGIN: "; frame-ancestors 'self'" } as const;

/**
 * Adds protective header fields. What the handler has set itself stays as it is: no field is sent twice.
 *
 * Always: `X-Content-Type-Options: nosniff`, `Referrer-Policy: strict-origin-when-cross-origin`, `Cross-Origin-Opener-Policy: same-origin`.
 *
 * @param response The response to protect: any, also of an error.
 * @throws RangeError when `hsts` is not a whole number of seconds.
 * @example
 * startServer((request) => secureHeaders(answer(request), { hsts: 31_536_000 }));
 */
export function secureHeaders(response: Response, options: SecureHeadersOptions = {}): Response {
  const { frameOptions = 'SAMEORIGIN', hsts = false, headers } = options;
  const { csp = DEFAULT_CSP + (frameOptions === false ? '' : FRAME_ANCESTORS[frameOptions]) } = options;
  let result = response;
  for (const [name, value] of HeaderList.of(headers).pairs()) {
    if (response.header(name) === undefined) result = result.withAddedHeader(name, value); // one field may be given several lines
  }
  result = withDefault(result, 'X-Content-Type-Options', 'nosniff');
  result = withDefault(result, 'Referrer-Policy', 'strict-origin-when-cross-origin');
  result = withDefault(result, 'Cross-Origin-Opener-Policy', 'same-origin');
  if (csp !== false) result = withDefault(result, 'Content-Security-Policy', csp);
  if (frameOptions !== false) result = withDefault(result, 'X-Frame-Options', frameOptions);
  if (hsts !== false) result = withDefault(result, 'Strict-Transport-Security', `max-age=${checkedAge(hsts)}; includeSubDomains`);
  return result;
}

function withDefault(response: Response, name: string, value: string): Response {
  return response.header(name) === undefined ? response.withHeader(name, value) : response;
}

function checkedAge(seconds: number): number {
  if (Number.isSafeInteger(seconds) && seconds >= 0) return seconds;
  throw withCode(new RangeError(`Cannot set Strict-Transport-Security: hsts ${seconds} is not a whole number of seconds`), 'bad-option');
}
