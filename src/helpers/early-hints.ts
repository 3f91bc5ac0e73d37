/**
 * 103 Early Hints (RFC 8297): announces what a page will need before the page is made.
 *
 * @module
 */
import { badOption } from '../http/errors/bad-option.ts';
import { HeaderList, type HeadersInit } from '../http/header-list.ts';
import type { Request } from '../http/request.ts';

/** A link-value begins with its target (RFC 8288 §3). */
const LINK = /^<[^<>"\s]*>/;

/**
 * Sends 103 (Early Hints) with links that the client can begin to load, while the handler makes the response.
 *
 * It is sent at once, even when the handler then blocks. Nothing is sent to an HTTP/1.0 client, to a client that does not read, or after
 * the response; and nothing happens for a request that did not come through a server, as in tests. The response should repeat the links: a
 * hint alone may be ignored.
 *
 * @param links Values of Link: `</style.css>; rel=preload; as=style`. An empty list: nothing is sent.
 * @param headers Further fields.
 * @throws TypeError for a link that does not begin with `<…>` (code `bad-option`), and for a field that cannot be sent (`bad-header`).
 * @example
 * sendEarlyHints(request, '</style.css>; rel=preload; as=style');
 * return Response.html(render(database.prepare('SELECT * FROM articles').all()));
 */
export function sendEarlyHints(request: Request, links: string | readonly string[], headers?: HeadersInit): void {
  const values: readonly string[] = Array.isArray(links) ? links : [links];
  for (const value of values) {
    if (typeof value === 'string' && LINK.test(value)) continue;
    throw badOption('Cannot send early hints', `link ${JSON.stringify(value)} does not begin with <…>`);
  }
  if (values.length === 0) return;
  const pairs = values.map((value) => ['Link', value] as const);
  request.sendInterim(103, [...pairs, ...HeaderList.of(headers).pairs()]);
}
