/**
 * What we tell the upstream about the client: Forwarded (RFC 7239), the older X-Forwarded fields, and Via (RFC 9110 §7.6.3).
 *
 * All of it comes from what we know ourselves. What the client has sent under these names is never passed on, so that the upstream may
 * trust it.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { isHost, trimWhitespace } from '../../http/grammar.ts';
import type { Request } from '../../http/request.ts';

/** Our name in Via: different in each process, so that two servers in a row do not look like a loop. */
const PSEUDONYM = `filrouge-${randomBytes(6).toString('hex')}`;

/** Forwarded and X-Forwarded-*, as name and value pairs. */
export function forwardedFields(request: Request): [name: string, value: string][] {
  const address = request.remoteAddress !== undefined && isIP(request.remoteAddress) !== 0 ? request.remoteAddress : undefined;
  const host = request.host !== undefined && request.host !== '' && isHost(request.host) ? request.host : undefined;
  const protocol = request.secure ? 'https' : 'http';
  const fields: [string, string][] = [];
  if (address !== undefined) fields.push(['X-Forwarded-For', address]);
  fields.push(['X-Forwarded-Proto', protocol]);
  if (host !== undefined) fields.push(['X-Forwarded-Host', host]);
  fields.push(['Forwarded', `for=${nodeOf(address)};${host === undefined ? '' : `host="${host}";`}proto=${protocol}`]);
  return fields;
}

/** RFC 7239 §6: an IPv6 address is put in brackets, and those in quotes. */
function nodeOf(address: string | undefined): string {
  if (address === undefined) return 'unknown';
  return isIP(address) === 6 ? `"[${address}]"` : address;
}

/** Our own line of Via. */
export function viaField(request: Request): [name: string, value: string] {
  return ['Via', `${request.httpVersion} ${PSEUDONYM}`];
}

/** Whether this process has forwarded a request before. */
export function isLoop(request: Request): boolean {
  const members = request.headerAll('via').flatMap((value) => value.split(','));
  return members.some((member) => trimWhitespace(member).split(/[ \t]+/)[1] === PSEUDONYM);
}
