/**
 * The header fields that make browsers careful.
 *
 * @module
 */
import { HeaderList, type HeadersInit } from '../http/header-list.ts';
import type { Response } from '../http/response.ts';

/** What may be told otherwise. */
export interface SecureHeadersOptions {
  /** Content-Security-Policy; false leaves it out. Default: everything from this origin only, inline styles allowed, no plugins, no foreign frames. */
  csp?: string | false;
  /** X-Frame-Options, for browsers without `frame-ancestors`. Default `SAMEORIGIN`. */
  frameOptions?: 'DENY' | 'SAMEORIGIN' | false;
  /** Seconds that browsers shall come by TLS only (Strict-Transport-Security). Default false: it cannot be taken back. A year is 31_536_000. */
  hsts?: number | false;
  /** More fields, or other values for these. */
  headers?: HeadersInit;
}

const DEFAULT_CSP =
  "default-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'; object-src 'none'; style-src 'self' 'unsafe-inline'";

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
  const { csp = DEFAULT_CSP, frameOptions = 'SAMEORIGIN', hsts = false, headers } = options;
  let result = response;
  for (const [name, value] of HeaderList.of(headers).pairs()) result = withDefault(result, name, value);
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
  throw new RangeError(`Cannot set Strict-Transport-Security: hsts ${seconds} is not a whole number of seconds`);
}
