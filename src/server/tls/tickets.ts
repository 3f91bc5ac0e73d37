/**
 * Session tickets (RFC 8446 §4.6.1): a client that comes back takes up its session in any worker of the server, and after a reload.
 *
 * All processes have one secret, made at the start of the server, and derive from it the keys of each span of time. A ticket of the span before is not
 * known any more: its client makes a whole handshake, as it does when it comes for the first time.
 *
 * @module
 */
import { hkdfSync, randomBytes } from 'node:crypto';

/** How long keys are used, ms: whoever gets hold of them can read what was resumed with TLS 1.2 meanwhile. */
const SPAN = 12 * 3_600_000;
/** What Node asks for: a name, a key to sign and one to encrypt. */
const KEYS = 48;
const SECRET = 32;

/** Makes the secret of a server. */
export function createTicketSecret(): string {
  return randomBytes(SECRET).toString('base64url');
}

/**
 * The keys of the span of time that `now` is in.
 *
 * @param trust Who vouches for clients: when that changes, no session counts any more, since its client is not checked again.
 */
export function ticketKeys(secret: string, trust: string, now: number = Date.now()): Buffer {
  const span = Math.floor(now / SPAN);
  return Buffer.from(hkdfSync('sha256', Buffer.from(secret, 'base64url'), '', `filrouge session tickets ${span} ${trust}`, KEYS));
}
