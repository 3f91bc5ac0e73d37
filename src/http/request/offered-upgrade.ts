/**
 * What a request offers to switch to, RFC 9110 §7.8.
 *
 * @module
 */
import { trimWhitespace } from '../grammar.ts';
import type { Request } from '../request.ts';

/**
 * The protocols that a request offers to switch to, as Upgrade names them: only with `Connection: upgrade`. HEAD and HTTP/1.0 ask for nothing that
 * could be switched to.
 */
export function offeredUpgrade(request: Request): string | undefined {
  if (request.method === 'HEAD' || request.httpVersion === '1.0' || !namesToken(request, 'connection', 'upgrade')) return undefined;
  return request.header('upgrade');
}

/** Whether a field that is a list of tokens names one, in any case. */
export function namesToken(request: Request, field: string, token: string): boolean {
  return request.headerAll(field).some((line) => line.split(',').some((part) => trimWhitespace(part).toLowerCase() === token));
}
