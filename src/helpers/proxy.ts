/**
 * The reverse proxy: another server answers the request (RFC 9110 §3.7, §7.6).
 *
 * What goes upstream is rebuilt from what we have parsed: method, canonical path, checked fields, our own framing. No byte of the client's
 * framing is passed on, so the two servers cannot disagree about where a request ends. The same holds for the response on its way back.
 *
 * @module
 */

import { isIP } from 'node:net';
import { StreamContent } from '../http/body/response-body.ts';
import { badOption, checkBoolean, checkFunction, checkInteger, checkOptions, type Filled, MAX_TIMER } from '../http/errors/bad-option.ts';
import { forwardedFields } from '../http/fields/forwarded.ts';
import { isHost } from '../http/grammar.ts';
import { HeaderList } from '../http/header-list.ts';
import { whileAsked } from '../http/request/while-asked.ts';
import { withFields } from '../http/request/with-fields.ts';
import type { Request } from '../http/request.ts';
import { HttpError, Response } from '../http/response.ts';
import { isBodyless, isFinalStatus } from '../http/status.ts';
import { type CallMessage, callChannel, fieldsWith, traceCall } from '../process/watching/call-channel.ts';
import { UpstreamExchange, type UpstreamRequest } from './proxy/exchange.ts';
import { gatewayError, UpstreamFailure } from './proxy/failure.ts';
import { type Field, isOffered, offeredUpgrade, requestFields, type UpstreamHead, withoutLeftOut } from './proxy/fields.ts';
import { type Dispatch, requestTarget, type Target, targetOf } from './proxy/target.ts';
import { tunnelTo } from './proxy/tunnel.ts';
import { isLoop, viaField } from './proxy/via.ts';

/** Options of `proxy`. */
export interface ProxyOptions {
  /** The Host sent upstream. Default: name and port of the target. */
  host?: string | undefined;
  /**
   * Whether to send the upstream X-Forwarded-For, -Proto, -Host and Forwarded, made from what we know ourselves. What the client sends
   * under these names is never passed on. Default true.
   */
  forwarded?: boolean | undefined;
  /** How long to wait for a connection, ms; 0: no limit. Default 10,000. */
  connectTimeout?: number | undefined;
  /** How long the upstream may go without reading the body, and then without answering, ms; 0: no limit. Default 60,000. */
  headersTimeout?: number | undefined;
  /** How long it may pause within a body, ms; 0: no limit. Waiting for the client does not count. Default 60,000. */
  bodyTimeout?: number | undefined;
  /**
   * Sends the requests in place of our own connections: an Agent, Client or MockAgent of undici 7, with your certificates, your socket or
   * your answers. Default: connections that are kept to each target.
   */
  dispatcher?: Dispatch | undefined;
  /** Maps the request's path to the upstream's, both without escapes. Default: the same path, less what `withoutPrefix` has removed. */
  rewritePath?: ((path: string) => string) | undefined;
}

type Checked = ProxyOptions & Filled<Pick<ProxyOptions, 'forwarded' | 'connectTimeout' | 'headersTimeout' | 'bodyTimeout'>>;

const SUBJECT = 'Cannot proxy';
const KNOWN: ReadonlySet<string> = new Set([
  'host',
  'forwarded',
  'connectTimeout',
  'headersTimeout',
  'bodyTimeout',
  'dispatcher',
  'rewritePath',
]);
/** Methods that change nothing, so that they can be sent again (RFC 9110 §9.2.1). */
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Has another server answer the request.
 *
 * Bodies are streamed both ways, as fast as the other end reads them. Connections are kept and reused. Websockets and other protocols that
 * the client offers to switch to pass through. When the client leaves, the connection to the upstream is closed.
 *
 * @param target An http or https URL; its path, if any, is put in front of the request's.
 * @throws HttpError 502 (code `bad-gateway`) when the upstream sends no usable response, 504 (`gateway-timeout`) when it sends none in
 *   time, 508 (`proxy-loop`) for a request that has been here before, 499 (`client-gone`) when the client has left; TypeError or RangeError
 *   (`bad-option`) for a wrong target or options. The response's body fails with `bad-gateway` or `gateway-timeout` when the upstream does
 *   not finish it; the connection is then cut.
 * @example
 * startServer((request) => proxy(request, 'http://localhost:9000'));
 */
export function proxy(request: Request, target: string, options: ProxyOptions = {}): Promise<Response> {
  return whileAsked(request, forward(request, target, options));
}

async function forward(request: Request, target: string, options: ProxyOptions): Promise<Response> {
  const checked = checkedOptions(options);
  const upstream = targetOf(target, checked.connectTimeout, checked.dispatcher);
  if (request.method === 'CONNECT') throw new HttpError(501, undefined, { code: 'method-not-implemented' });
  if (isLoop(request)) {
    throw new HttpError(508, 'This server has forwarded this request before', { code: 'proxy-loop' });
  }
  if (request.path === '*' || isLastHop(request)) return Response.empty(); // OPTIONS, addressed to us
  const path = requestTarget(request, upstream.base, checked.rewritePath);
  if (!callChannel.hasSubscribers) return send(request, upstream, path, checked);
  const { method, original } = request;
  const message: CallMessage = { kind: 'proxy', name: target, request: original, method, url: upstream.origin + path, fields: [] };
  return traceCall(message, () => send(withFields(request, fieldsWith(message)), upstream, path, checked, message.fields));
}

/** @param replaced The fields of the request that those who watch have replaced, or have left out. */
async function send(
  request: Request,
  upstream: Target,
  path: string,
  checked: Checked,
  replaced: CallMessage['fields'] = [],
): Promise<Response> {
  const fields = replaced.length > 0 ? withoutLeftOut(requestFields(request), replaced) : requestFields(request);
  const sent: UpstreamRequest = {
    path,
    host: checked.host ?? upstream.host,
    fields: [...fields, viaField(request), ...(checked.forwarded ? forwardedFields(addressOf(request), request.host, request.secure) : [])],
    upgrade: offeredUpgrade(request),
  };
  // An idle connection may be closed just as we write to it, which says nothing about the upstream: try once more (RFC 9110 §9.2.2).
  for (let mayRepeat = SAFE.has(request.method) && request.body.size === 0; ; mayRepeat = false) {
    const exchange = UpstreamExchange.start(request, upstream, sent, checked);
    try {
      return responseOf(request, await exchange.head(), exchange, sent.upgrade);
    } catch (error) {
      if (!mayRepeat || !exchange.wasClosed) throw answerable(error, request, upstream);
    }
  }
}

/** The client's address, if it is one: a request made by hand may name anything. */
function addressOf({ remoteAddress }: Request): string | undefined {
  return remoteAddress !== undefined && isIP(remoteAddress) !== 0 ? remoteAddress : undefined;
}

/** Whether an OPTIONS request must go no further (RFC 9110 §7.6.2). */
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
  if (isEmpty && head.size !== undefined) fields.push(['Content-Length', String(head.size)]); // as for GET (RFC 9110 §8.6)
  const content = isEmpty ? new StreamContent([], undefined) : (exchange.whole() ?? new StreamContent(exchange, head.size));
  return Response.ofParts(status, HeaderList.of(fields), content);
}

function checkedOptions(options: ProxyOptions): Checked {
  checkOptions(SUBJECT, options, KNOWN);
  const {
    host,
    forwarded = true,
    connectTimeout = 10_000,
    headersTimeout = 60_000,
    bodyTimeout = 60_000,
    dispatcher,
    rewritePath,
  } = options;
  if (host !== undefined && (typeof host !== 'string' || host === '' || !isHost(host))) {
    throw badOption(SUBJECT, `host ${JSON.stringify(host)} is not a host name, with or without a port`);
  }
  checkBoolean(SUBJECT, 'forwarded', forwarded);
  if (dispatcher !== undefined && typeof (dispatcher as { dispatch?: unknown } | null)?.dispatch !== 'function') {
    throw badOption(SUBJECT, 'dispatcher is not one of undici: it lacks dispatch');
  }
  if (rewritePath !== undefined) checkFunction(SUBJECT, 'rewritePath', rewritePath);
  for (const [name, value] of Object.entries({ connectTimeout, headersTimeout, bodyTimeout })) {
    checkInteger(SUBJECT, name, value, 0, MAX_TIMER, 'ms');
  }
  return { ...options, forwarded, connectTimeout, headersTimeout, bodyTimeout };
}
