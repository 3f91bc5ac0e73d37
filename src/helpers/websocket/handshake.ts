/**
 * The server's half of the opening handshake, RFC 6455 §4.2.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { namesToken, offeredUpgrade } from '../../http/request/offered-upgrade.ts';
import type { Request } from '../../http/request.ts';
import { HttpError, Response } from '../../http/response.ts';
import { isAllowedOrigin } from './origin.ts';
import { chooseProtocol, parseOffers } from './subprotocol.ts';

/** Appended to the key, so that only a peer that speaks websocket can give the right answer (RFC 6455 §1.3). */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** The only version spoken here; every refusal of another version must name it (RFC 6455 §4.4). */
const VERSION = { 'Sec-WebSocket-Version': '13' };
/** Sixteen bytes in base64. */
const KEY = /^[+/0-9A-Za-z]{22}==$/;

/** A handshake that was accepted. */
export interface Accepted {
  readonly key: string;
  readonly protocol: string;
  /** Of the 101, beside Upgrade and Connection. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Who may connect, and what is spoken. */
export interface Terms {
  readonly protocols: readonly string[];
  readonly origins: readonly string[] | '*' | undefined;
}

/** Looks at a request in the order of RFC 6455 §4.2.1. @returns The refusal, when the handshake cannot be accepted. */
export function acceptHandshake(request: Request, terms: Terms): Accepted | Response {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return refusal(request, 405, 'A websocket is opened with GET', { Allow: 'GET' });
  }
  if (!asksForWebsocket(request)) {
    return refusal(request, 426, 'This resource speaks websocket', { ...VERSION, Upgrade: 'websocket' });
  }
  const [key, ...otherKeys] = request.headerAll('sec-websocket-key');
  if (key === undefined || otherKeys.length > 0 || !KEY.test(key)) {
    return refusal(request, 400, 'Cannot open websocket: Sec-WebSocket-Key is not 16 bytes in base64', VERSION);
  }
  const [version, ...otherVersions] = request.headerAll('sec-websocket-version');
  if (version === undefined || otherVersions.length > 0) {
    return refusal(request, 400, 'Cannot open websocket: Sec-WebSocket-Version is not there, or more than once', VERSION);
  }
  if (version !== '13') {
    return refusal(request, 426, 'Only version 13 of websocket is spoken here', { ...VERSION, Upgrade: 'websocket' }); // §4.4
  }
  if (!isAllowedOrigin(request, terms.origins)) {
    return refusal(request, 403, 'Pages of this origin may not open a websocket here', {}, 'bad-origin');
  }
  const offers = parseOffers(request.headerAll('sec-websocket-protocol'));
  if (!offers) return refusal(request, 400, 'Cannot open websocket: Sec-WebSocket-Protocol is not a list of different tokens');
  const protocol = chooseProtocol(offers, terms.protocols);
  if (protocol === undefined) return refusal(request, 400, `Only these subprotocols are spoken here: ${terms.protocols.join(', ')}`);

  const accept = createHash('sha1').update(key).update(GUID).digest('base64');
  const answer = { 'Sec-WebSocket-Accept': accept };
  return { key, protocol, headers: protocol === '' ? answer : { ...answer, 'Sec-WebSocket-Protocol': protocol } };
}

/** The two fields of RFC 6455 §4.2.1, 3 and 4; over HTTP/2 they stand for an extended CONNECT (RFC 8441). */
function asksForWebsocket(request: Request): boolean {
  return request.method === 'GET' && offeredUpgrade(request) !== undefined && namesToken(request, 'upgrade', 'websocket');
}

function refusal(
  request: Request,
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
  code = 'bad-handshake',
): Response {
  return Response.fromError(new HttpError(status, message, { code, headers }), request);
}
