/**
 * How a handler sees the handshake of a websocket over HTTP/2 (RFC 8441).
 *
 * An extended CONNECT says in other words what the handshake of RFC 6455 says over HTTP/1.1, so it is shown as that: a GET with Upgrade and
 * Connection. There is no Sec-WebSocket-Key over HTTP/2, and nobody looks at what is made of it; one is made up, since whatever accepts a handshake
 * asks for it, here or behind a proxy. The other way round, 101 is sent as 200, without Sec-WebSocket-Accept (§5).
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import type { Http2Head } from '../../h2/request-head.ts';
import { FieldLines } from '../../http/field-lines.ts';
import type { ServedHead } from './stream-exchange.ts';

/** Shows an extended CONNECT as the request that it stands for. */
export function asHandshake({ target, httpVersion, lines, protocol = '' }: Http2Head): ServedHead {
  const sent = lines.pairs().filter(([name]) => name !== 'sec-websocket-key');
  const ours: [string, string][] = [
    ['connection', 'upgrade'],
    ['upgrade', protocol],
    ['sec-websocket-key', randomBytes(16).toString('base64')],
  ];
  return { method: 'GET', target, httpVersion, lines: FieldLines.of([...sent, ...ours]), length: 0 };
}
