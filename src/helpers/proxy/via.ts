/**
 * What we tell the upstream about the way of a request: Via (RFC 9110 §7.6.3).
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { trimWhitespace } from '../../http/grammar.ts';
import type { Request } from '../../http/request.ts';

/** Our name in Via: different in each process, so that two servers in a row do not look like a loop. */
const PSEUDONYM = `filrouge-${randomBytes(6).toString('hex')}`;

/** Our own line of Via. */
export function viaField(request: Request): [name: string, value: string] {
  return ['Via', `${request.httpVersion} ${PSEUDONYM}`];
}

/** Whether this process has forwarded a request before. */
export function isLoop(request: Request): boolean {
  const members = request.headerAll('via').flatMap((value) => value.split(','));
  return members.some((member) => trimWhitespace(member).split(/[ \t]+/)[1] === PSEUDONYM);
}
