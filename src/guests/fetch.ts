/**
 * `fetch(request)`: a handler as the function that web-standard servers and test tools call, and such a function as an answer
 * (WHATWG Fetch §5.3, §5.5).
 *
 * @module
 */
import { isIP } from 'node:net';
import { Readable } from 'node:stream';
import { Dispatch } from '../exchange/dispatch.ts';
import { type Outgoing, withoutConnection } from '../exchange/outgoing.ts';
import { isWebResponse, measuredWebResponse } from '../exchange/web-response.ts';
import { CheckedPieces } from '../http/body/body-source.ts';
import { clientLeft } from '../http/errors/abort-reason.ts';
import { FieldLines } from '../http/field-lines.ts';
import { forwardedFields, isAboutClient } from '../http/fields/forwarded.ts';
import type { Request } from '../http/request.ts';
import { HttpError, type Response } from '../http/response.ts';
import { isBodyless } from '../http/status.ts';
import { encodePath } from '../http/target.ts';
import { COMMON_METHODS, lazyRequest } from './fetch/lazy-request.ts';
import { type Arrival, bodyIncomplete, Guest, type GuestHandler, type GuestOptions } from './guest.ts';

/** Who has sent a request: the second argument of a `fetch` function, where servers of the web give what a Request cannot say. */
export interface FetchClient {
  /** The address, through trusted proxies only; undefined when it is not known. */
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  /** The same where `getConnInfo` of `@hono/node-server/conninfo` looks for it. */
  readonly incoming: {
    readonly socket: {
      readonly remoteAddress: string | undefined;
      readonly remotePort: number | undefined;
      readonly remoteFamily: 'IPv4' | 'IPv6' | undefined;
    };
  };
}

/** A web-standard handler. */
export type FetchFunction = (request: globalThis.Request, client: FetchClient) => globalThis.Response | Promise<globalThis.Response>;

/** A `fetch` function, or an object that has one, as the applications of several frameworks do. */
export type FetchApp = FetchFunction | { readonly fetch: FetchFunction };

/** The highest status of a web-standard Response (WHATWG Fetch §5.5). */
const MAX_STATUS = 599;
/** Methods that a web-standard Request cannot have (WHATWG Fetch §2.2.1). */
const FORBIDDEN: ReadonlySet<string> = new Set(['CONNECT', 'TRACE', 'TRACK']);
/** A target that a URL leaves as it is: our path has no dot segments, and nothing here is encoded (WHATWG URL §1.3). */
const PLAIN = /^\/[\w!$%&()*+,\-./:;=?@~]*$/;

/** The last origin: nearly all requests of a server have the same. */
let lastOrigin: { readonly secure: boolean; readonly host: string; readonly origin: string } | undefined;

/**
 * Turns a handler into a web-standard `fetch` function.
 *
 * The path is canonical, the body is complete when the handler runs, and errors are answered as in `startServer`. A websocket cannot be
 * opened through it: the client gets 426.
 *
 * @returns The function. Its promise never rejects. A web-standard request does not carry the client's address: give it as `remoteAddress` in
 *   the second argument, or it is undefined in the handler.
 * @throws TypeError (code `bad-option`) for a wrong option.
 * @example
 * const fetch = toFetch(handler);
 * const response = await fetch(new Request('http://localhost/hello'));
 */
export function toFetch(
  handler: GuestHandler,
  options: GuestOptions = {},
): (request: globalThis.Request, client?: object) => Promise<globalThis.Response> {
  const guest = new Guest(handler, options);
  return (request, client) => serve(guest, request, client);
}

/**
 * Answers with a web-standard `fetch` function: a whole application built on one can be one route of ours.
 *
 * The function sees the canonical path, the same that our routes and guards have seen. Both bodies are streamed; `request.signal` aborts
 * when the client leaves. GET and HEAD have no body there, whatever was sent.
 *
 * The client's address, as we know it, is in the second argument, in `request.ip`, and in X-Forwarded-For: what the client itself has sent
 * in that field, in the other X-Forwarded ones, Forwarded and X-Real-IP is replaced.
 *
 * @returns Its response. What it throws is passed on.
 * @throws HttpError 400 for a Host that no URL can have, such as `a:99999`; 501 for a method that a web-standard Request cannot have: CONNECT,
 *   TRACE, TRACK.
 * @example
 * startServer((request) => (request.path.startsWith('/api/') ? answerWithFetch(request, app) : answer(request)));
 */
export async function answerWithFetch(request: Request, app: FetchApp): Promise<Response> {
  const { remoteAddress, remotePort } = request;
  const family = isIP(remoteAddress ?? '');
  const web = toWebRequest(request);
  const remoteFamily = family === 6 ? 'IPv6' : family === 4 ? 'IPv4' : undefined;
  const client: FetchClient = { remoteAddress, remotePort, incoming: { socket: { remoteAddress, remotePort, remoteFamily } } };
  const result: unknown = await (typeof app === 'function' ? app(web, client) : app.fetch(web, client));
  if (!isWebResponse(result)) {
    throw new TypeError(
      `Cannot answer with fetch: the function returned ${result === null ? 'null' : typeof result}, not a web-standard Response`,
    );
  }
  return measuredWebResponse(result);
}

/**
 * The web-standard Request that `answerWithFetch` gives to its function, for a library that takes one: to find a session, to check a signature.
 *
 * It has the canonical path, our host and scheme, the client's address in X-Forwarded-For in place of what the client says of itself, the body, and a
 * signal that aborts when the client leaves. GET and HEAD have no body there.
 *
 * @throws HttpError 400 for a Host that no URL can have; 501 for a method that a web-standard Request cannot have.
 * @example
 * const session = await auth.api.getSession({ headers: toWebRequest(request).headers });
 */
export function toWebRequest(request: Request): globalThis.Request {
  const { remoteAddress } = request;
  return webRequestOf(request, isIP(remoteAddress ?? '') === 0 ? undefined : remoteAddress);
}

async function serve(guest: Guest, web: globalThis.Request, client?: object): Promise<globalThis.Response> {
  let current: Request | undefined;
  const leave = (): void => current?.abort(clientLeft(web.signal.reason));
  const { request, response } = await guest.answer(arrivalOf(web, client), (begun) => {
    current = begun;
    if (web.signal.aborted) leave();
    else web.signal.addEventListener('abort', leave);
  });
  const outgoing = await guest.outgoing(response, request, MAX_STATUS);
  const dispatch = Dispatch.of(request, response, outgoing);
  const end = (isWhole: boolean): void => {
    web.signal.removeEventListener('abort', leave);
    request.release();
    dispatch.end(isWhole);
  };
  return webResponseOf(outgoing, guest, { request, response }, dispatch, end);
}

function arrivalOf(web: globalThis.Request, client: object | undefined): Arrival {
  const { remoteAddress, remotePort } = (client ?? {}) as Partial<FetchClient>; // whatever a server of the web gives
  const url = new URL(web.url);
  const fields = [...web.headers];
  if (!web.headers.has('host')) fields.unshift(['host', url.host]);
  const peer = {
    remoteAddress: typeof remoteAddress === 'string' ? remoteAddress : undefined,
    remotePort: typeof remotePort === 'number' ? remotePort : undefined,
    secure: url.protocol === 'https:',
    host: undefined,
    readAt: performance.now(),
  };
  const head = { method: web.method, target: url.pathname + url.search, httpVersion: '1.1', lines: FieldLines.of(fields) } as const;
  const length = web.headers.get('content-length');
  const size = length !== null && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
  return { head, peer, body: web.body ? wholeBody(web.body) : undefined, size };
}

async function* wholeBody(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw bodyIncomplete(error);
  }
}

function webResponseOf(
  { status, headers, length, body }: Outgoing,
  guest: Guest,
  { request, response }: { readonly request: Request; readonly response: Response },
  dispatch: Dispatch,
  end: (isWhole: boolean) => void,
): globalThis.Response {
  const fields = new Headers();
  for (const [name, value] of headers) fields.append(name, value);
  if (length !== undefined && !isBodyless(status)) fields.set('Content-Length', String(length));
  const init = { status, headers: fields, encodeBody: 'manual' }; // or workerd would apply Content-Encoding to a body that has it already
  if (body instanceof CheckedPieces && !isBodyless(status)) {
    return new globalThis.Response(streamOf(body, guest, { request, response }, dispatch, end), init);
  }
  if (body instanceof CheckedPieces) body.drop();
  end(true);
  return new globalThis.Response(body instanceof Uint8Array && !isBodyless(status) ? body : null, init);
}

/** Pieces as a web-standard stream, each produced on demand. */
function streamOf(
  pieces: CheckedPieces,
  guest: Guest,
  { request, response }: { readonly request: Request; readonly response: Response },
  dispatch: Dispatch,
  end: (isWhole: boolean) => void,
): ReadableStream<Uint8Array> {
  let isCancelled = false;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const step = await pieces.next();
          if (isCancelled) return;
          if (!step.done) return controller.enqueue(step.value);
          controller.close();
          end(true);
        } catch (error) {
          dispatch.hasFailed = true;
          guest.report(error, request, response);
          controller.error(error);
          end(false);
        }
      },
      cancel(reason) {
        isCancelled = true;
        request.abort(clientLeft(reason));
        pieces.drop();
        end(false);
      },
    },
    { highWaterMark: 0 },
  );
}

function webRequestOf(request: Request, address: string | undefined): globalThis.Request {
  const { method, body } = request;
  if (FORBIDDEN.has(method.toUpperCase())) throw new HttpError(501, `${method} is not served here`);
  const url = urlOf(request);
  const hasBody = method !== 'GET' && method !== 'HEAD' && body.size !== 0;
  const Lazy = COMMON_METHODS.has(method) ? lazyRequest() : undefined;
  if (!Lazy) {
    const web = realRequest(request, url, headersOf(request, address), hasBody);
    return Object.defineProperty(web, 'ip', { value: address });
  }
  return new Lazy({
    method,
    url,
    ip: address,
    hasBody,
    headers: () => headersOf(request, address),
    signal: () => request.signal,
    bytes: () => (body.isInMemory ? (body.bytes() as Uint8Array<ArrayBuffer>) : undefined),
    real: (headers) => realRequest(request, url, headers, hasBody),
  });
}

function realRequest(request: Request, url: string, headers: Headers, hasBody: boolean): globalThis.Request {
  const init = { method: request.method, headers, signal: request.signal };
  const web = new globalThis.Request(url, hasBody ? { ...init, body: webBodyOf(request), duplex: 'half' } : init);
  request.onEnd(() => void web); // its signal aborts only while something references it
  return web;
}

/** As `new URL` spells it. */
function urlOf({ secure, host, path, rawQuery }: Request): string {
  const origin = originOf(secure, host || 'localhost');
  const target = (path === '*' ? '/' : encodePath(path)) + (rawQuery === '' ? '' : `?${rawQuery}`);
  return PLAIN.test(target) ? origin + target : new URL(origin + target).href;
}

function originOf(secure: boolean, host: string): string {
  if (lastOrigin?.secure === secure && lastOrigin.host === host) return lastOrigin.origin;
  const url = `${secure ? 'https' : 'http'}://${host}`;
  if (!URL.canParse(url)) throw new HttpError(400, 'Host cannot stand in a URL'); // RFC 9110 §7.2 allows more than WHATWG URL §3.5
  const { origin } = new URL(url);
  lastOrigin = { secure, host, origin };
  return origin;
}

function headersOf(request: Request, address: string | undefined): Headers {
  const { method, body, host, secure } = request;
  const headers = new Headers(forwardedFields(address, host, secure));
  for (const [name, value] of withoutConnection(request.headers)) if (!isAboutClient(name)) headers.append(name, value);
  // In one spelling, whatever zeros were sent before it: two readers must not take the number for two (RFC 9110 §8.6).
  const hasLength = method !== 'GET' && method !== 'HEAD' && body.size >= 0 && request.header('content-length') !== undefined;
  if (hasLength) headers.set('Content-Length', String(body.size));
  return headers;
}

function webBodyOf({ body }: Request): Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> {
  return body.isInMemory ? (body.bytes() as Uint8Array<ArrayBuffer>) : (Readable.toWeb(body.stream()) as ReadableStream<Uint8Array>);
}
