/**
 * The reverse proxy: another server answers the request (RFC 9110 §3.7, §7.6).
 *
 * What goes upstream is made anew of what we have understood: method, canonical path, checked fields, a framing of our own. No byte of the
 * client's framing goes on, so the two servers cannot disagree about where a request ends. The same holds for the response on its way back.
 *
 * @module
 */

import { StreamContent } from '../http/body/response-body.ts';
import { badOption, checkBoolean, checkFunction, checkInteger, checkOptions, MAX_TIMER } from '../http/errors/bad-option.ts';
import { isHost } from '../http/grammar.ts';
import { HeaderList } from '../http/header-list.ts';
import type { Request } from '../http/request.ts';
import { HttpError, Response } from '../http/response.ts';
import { isBodyless, isFinalStatus } from '../http/status.ts';
import { UpstreamExchange } from './proxy/exchange.ts';
import { gatewayError, UpstreamFailure } from './proxy/failure.ts';
import { type Field, isOffered, offeredUpgrade, requestFields, type UpstreamHead } from './proxy/fields.ts';
import { forwardedFields, isLoop, viaField } from './proxy/forwarded.ts';
import { requestTarget, type Target, targetOf } from './proxy/target.ts';
import { tunnelTo } from './proxy/tunnel.ts';

/** Options of `proxy`. */
export interface ProxyOptions {
  /** The Host sent upstream. Default: name and port of the target. */
  host?: string;
  /** Whether the upstream is told who asks: X-Forwarded-For, -Proto, -Host and Forwarded, of what we know ourselves. What the client says of it never goes on. Default true. */
  forwarded?: boolean;
  /** How long it may take to have a connection, ms; 0: any time. Default 10,000. */
  connectTimeout?: number;
  /** How long the upstream may take nothing of the body, and then how long not answer, ms; 0: any time. Default 60,000. */
  headersTimeout?: number;
  /** How long it may send nothing within a body, ms; 0: any time. Waiting for the client does not count. Default 60,000. */
  bodyTimeout?: number;
  /** Makes the path that is asked for of the request's, both without escapes. Default: the same; `withoutPrefix` has cut its own. */
  rewritePath?: (path: string) => string;
}

type Checked = ProxyOptions & Required<Pick<ProxyOptions, 'forwarded' | 'connectTimeout' | 'headersTimeout' | 'bodyTimeout'>>;

const SUBJECT = 'Cannot proxy';
const KNOWN: ReadonlySet<string> = new Set(['host', 'forwarded', 'connectTimeout', 'headersTimeout', 'bodyTimeout', 'rewritePath']);
/** Asked twice, these change nothing (RFC 9110 §9.2.1). */
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Has another server answer the request.
 *
 * Bodies are streamed both ways, as fast as the other end takes them. Connections are kept and used again. Websockets and other protocols
 * that the client offers to switch to pass through. When the client leaves, the connection to the upstream is closed.
 *
 * @param target An http or https URL; its path, if any, is put in front of the request's.
 * @throws HttpError 502 (code `bad-gateway`) when the upstream gives no response that can be sent, 504 (`gateway-timeout`) when it gives none in
 *   time, 508 (`proxy-loop`) for a request that has been here before, 499 (`client-gone`) when nobody waits any more; TypeError or RangeError
 *   (`bad-option`) for a wrong target or options. The response's body fails with `bad-gateway` or `gateway-timeout` when the upstream does not
 *   finish it: the connection is cut then.
 * @example
 * startServer((request) => proxy(request, 'http://localhost:9000'));
 */
export async function proxy(request: Request, target: string, options: ProxyOptions = {}): Promise<Response> {
  const checked = checkedOptions(options);
  const upstream = targetOf(target, checked.connectTimeout);
  if (request.method === 'CONNECT') throw new HttpError(501, undefined, { code: 'method-not-implemented' });
  if (isLoop(request)) {
    throw new HttpError(508, 'This request has been sent on by this server before', { code: 'proxy-loop' });
  }
  if (request.path === '*' || isLastHop(request)) return Response.empty(); // OPTIONS, and it is we who are asked
  const upgrade = offeredUpgrade(request);
  const sent = {
    path: requestTarget(request, upstream.base, checked.rewritePath),
    host: checked.host ?? upstream.host,
    fields: [...requestFields(request), viaField(request), ...(checked.forwarded ? forwardedFields(request) : [])],
    upgrade,
  };
  // An idle connection may be closed while we write to it, which says nothing about the upstream: then once more (RFC 9110 §9.2.2).
  for (let mayRepeat = SAFE.has(request.method) && request.body.size === 0; ; mayRepeat = false) {
    const exchange = UpstreamExchange.start(request, upstream, sent, checked);
    try {
      return responseOf(request, await exchange.head(), exchange, upgrade);
    } catch (error) {
      if (!mayRepeat || !exchange.wasClosed) throw answerable(error, request, upstream);
    }
  }
}

/** Whether an OPTIONS request is to go no further (RFC 9110 §7.6.2). */
function isLastHop(request: Request): boolean {
  return request.method === 'OPTIONS' && /^0+$/.test(request.header('max-forwards') ?? '');
}

function answerable(error: unknown, request: Request, { origin }: Target): unknown {
  return error instanceof UpstreamFailure ? gatewayError(error, request, origin) : error;
}

function responseOf(request: Request, head: UpstreamHead, exchange: UpstreamExchange, offered: string | undefined): Response {
  if (exchange.socket) {
    if (offered !== undefined && isOffered(head.upgrade, offered)) {
      return Response.upgrade(head.upgrade, tunnelTo(exchange.socket), head.fields);
    }
    exchange.socket.destroy();
    throw new UpstreamFailure('it has switched to a protocol that nobody offered', false);
  }
  if (offered !== undefined) exchange.endWithRequest();
  const { status } = head;
  if (!isFinalStatus(status)) {
    void exchange.return();
    throw new UpstreamFailure(`its status is ${status}`, false);
  }
  const fields: Field[] = [...head.fields];
  if (status === 426 && head.upgrade !== undefined) fields.push(['Upgrade', head.upgrade]);
  const isEmpty = request.method === 'HEAD' || isBodyless(status);
  if (isEmpty && head.size !== undefined) fields.push(['Content-Length', String(head.size)]); // what GET would say (RFC 9110 §8.6)
  const content = new StreamContent(isEmpty ? [] : exchange, isEmpty ? undefined : head.size);
  return Response.ofParts(status, HeaderList.of(fields), content, undefined);
}

function checkedOptions(options: ProxyOptions): Checked {
  checkOptions(SUBJECT, options, KNOWN);
  const { host, forwarded = true, connectTimeout = 10_000, headersTimeout = 60_000, bodyTimeout = 60_000, rewritePath } = options;
  if (host !== undefined && (typeof host !== 'string' || host === '' || !isHost(host))) {
    throw badOption(SUBJECT, `host ${JSON.stringify(host)} is not a host name, with or without a port`);
  }
  checkBoolean(SUBJECT, 'forwarded', forwarded);
  if (rewritePath !== undefined) checkFunction(SUBJECT, 'rewritePath', rewritePath);
  for (const [name, value] of Object.entries({ connectTimeout, headersTimeout, bodyTimeout })) {
    checkInteger(SUBJECT, name, value, 0, MAX_TIMER, 'ms');
  }
  return { ...options, forwarded, connectTimeout, headersTimeout, bodyTimeout };
}
