/**
 * What helpers that finish responses have in common: they refuse what is not a response, and say in Vary (RFC 9110 §12.5.5) what they have looked at.
 *
 * @module
 */
import { badOption, kindOf } from '../../http/errors/bad-option.ts';
import { serializeVary } from '../../http/fields/vary.ts';
import { Request } from '../../http/request.ts';
import { Response } from '../../http/response.ts';
import { isRefusedPromise } from '../../process/refused-promise.ts';

/**
 * Refuses what is not a Response of ours. In a program without types, the promise of an `async` handler has none of a response's fields, and would
 * go uncompressed, or into the log without a status.
 *
 * @throws TypeError (code `bad-option`).
 */
export function checkResponse(subject: string, response: unknown): void {
  if (response instanceof Response) return;
  if (isRefusedPromise(response)) throw badOption(subject, 'the response is a promise: await it first');
  const isWeb = response instanceof globalThis.Response;
  if (isWeb) throw badOption(subject, "the response is a web-standard one: import { Response } from 'filrouge'");
  throw badOption(subject, `the response is ${response instanceof Request ? 'a Request' : kindOf(response)}, not a Response`);
}

/** Tells caches that the response depends on a request field. All lines of Vary become one. */
export function withVary(response: Response, name: string): Response {
  return response.withHeader('Vary', serializeVary(response.headerAll('vary').join(', '), name));
}
