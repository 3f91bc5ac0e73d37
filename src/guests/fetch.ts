/**
 * `fetch(request)`: a handler as the function that web-standard servers and test tools call, and such a function as an answer
 * (WHATWG Fetch §5.3, §5.5).
 *
 * @module
 */
import { Readable } from 'node:stream';
import { type Outgoing, withoutConnection } from '../exchange/outgoing.ts';
import { isWebResponse, measuredWebResponse } from '../exchange/web-response.ts';
import { CheckedPieces } from '../http/body/body-source.ts';
import { FieldLines } from '../http/field-lines.ts';
import type { Request } from '../http/request.ts';
import { HttpError, type Response } from '../http/response.ts';
import { encodePath } from '../http/target.ts';
import { type Arrival, bodyIncomplete, Guest, type GuestHandler, type GuestOptions } from './guest.ts';

/** A web-standard handler. */
export type FetchFunction = (request: globalThis.Request) => globalThis.Response | Promise<globalThis.Response>;

/** A `fetch` function, or an object that has one, as the applications of several frameworks do. */
export type FetchApp = FetchFunction | { readonly fetch: FetchFunction };

/** The highest status of a web-standard Response (WHATWG Fetch §5.5). */
const MAX_STATUS = 599;
/** A Response that has one of these must not have a body (WHATWG Fetch §2.2.3). */
const NULL_BODY: ReadonlySet<number> = new Set([204, 205, 304]);
/** Methods that a web-standard Request cannot have (WHATWG Fetch §2.2.1). */
const FORBIDDEN: ReadonlySet<string> = new Set(['CONNECT', 'TRACE', 'TRACK']);

/**
 * Turns a handler into a web-standard `fetch` function.
 *
 * The path is canonical, the body is complete when the handler runs, and errors are answered as in `startServer`. `remoteAddress` is
 * undefined: a web-standard request does not carry it. A websocket cannot be opened through it: the client gets 426.
 *
 * @returns The function. Its promise never rejects.
 * @throws TypeError (code `bad-option`) for a wrong option.
 * @example
 * const fetch = toFetch(handler);
 * const response = await fetch(new Request('http://localhost/hello'));
 */
export function toFetch(handler: GuestHandler, options: GuestOptions = {}): (request: globalThis.Request) => Promise<globalThis.Response> {
  const guest = new Guest(handler, options);
  return (request) => serve(guest, request);
}

/**
 * Answers with a web-standard `fetch` function: a whole application built on one can be one route of ours.
 *
 * The function sees the canonical path, the same that our routes and guards have seen. Both bodies are streamed; `request.signal` aborts
 * when the client leaves. GET and HEAD have no body there, whatever was sent.
 *
 * @returns Its response. What it throws is passed on.
 * @throws HttpError 400 for a Host that no URL can have, such as `a:99999`; 501 for a method that a web-standard Request cannot have: CONNECT,
 *   TRACE, TRACK.
 * @example
 * startServer((request) => (request.path.startsWith('/api/') ? answerWithFetch(request, app) : answer(request)));
 */
export async function answerWithFetch(request: Request, app: FetchApp): Promise<Response> {
  const call = typeof app === 'function' ? app : (asked: globalThis.Request) => app.fetch(asked);
  const web = webRequestOf(request);
  request.onEnd(() => void web); // its signal aborts only while something references it
  const result: unknown = await call(web);
  if (!isWebResponse(result)) {
    throw new TypeError(
      `Cannot answer with fetch: the function returned ${result === null ? 'null' : typeof result}, not a web-standard Response`,
    );
  }
  return measuredWebResponse(result);
}

async function serve(guest: Guest, web: globalThis.Request): Promise<globalThis.Response> {
  let current: Request | undefined;
  const leave = (): void => current?.abort(new Error('The client has gone away', { cause: web.signal.reason }));
  const { request, response } = await guest.answer(arrivalOf(web), (begun) => {
    current = begun;
    if (web.signal.aborted) leave();
    else web.signal.addEventListener('abort', leave);
  });
  const end = (): void => {
    web.signal.removeEventListener('abort', leave);
    request.release();
  };
  return webResponseOf(await guest.outgoing(response, request, MAX_STATUS), guest, request, end);
}

function arrivalOf(web: globalThis.Request): Arrival {
  const url = new URL(web.url);
  const fields = [...web.headers];
  if (!web.headers.has('host')) fields.unshift(['host', url.host]);
  const peer = {
    remoteAddress: undefined,
    remotePort: undefined,
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

function webResponseOf({ status, headers, length, body }: Outgoing, guest: Guest, request: Request, end: () => void): globalThis.Response {
  const fields = new Headers();
  for (const [name, value] of headers) fields.append(name, value);
  if (length !== undefined && !NULL_BODY.has(status)) fields.set('Content-Length', String(length));
  const init = { status, headers: fields };
  if (body instanceof CheckedPieces && !NULL_BODY.has(status)) return new globalThis.Response(streamOf(body, guest, request, end), init);
  if (body instanceof CheckedPieces) body.drop();
  end();
  return new globalThis.Response(body instanceof Uint8Array && !NULL_BODY.has(status) ? body : null, init);
}

/** Pieces as a web-standard stream, each produced on demand. */
function streamOf(pieces: CheckedPieces, guest: Guest, request: Request, end: () => void): ReadableStream<Uint8Array> {
  let isCancelled = false;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const step = await pieces.next();
          if (isCancelled) return;
          if (!step.done) return controller.enqueue(step.value);
          controller.close();
        } catch (error) {
          guest.report(error, request);
          controller.error(error);
        }
        end();
      },
      cancel(reason) {
        isCancelled = true;
        request.abort(new Error('The client has gone away', { cause: reason }));
        pieces.drop();
        end();
      },
    },
    { highWaterMark: 0 },
  );
}

function webRequestOf(request: Request): globalThis.Request {
  if (FORBIDDEN.has(request.method.toUpperCase())) throw new HttpError(501, `${request.method} is not served here`);
  const url = `${request.secure ? 'https' : 'http'}://${request.host || 'localhost'}`;
  if (!URL.canParse(url)) throw new HttpError(400, 'Host cannot stand in a URL'); // RFC 9110 §7.2 allows more than WHATWG URL §3.5
  const path = request.path === '*' ? '/' : encodePath(request.path);
  const headers = new Headers();
  for (const [name, value] of withoutConnection(request.headers)) headers.append(name, value);
  const init = { method: request.method, headers, signal: request.signal };
  const target = `${url}${path}${request.rawQuery === '' ? '' : `?${request.rawQuery}`}`;
  if (request.method === 'GET' || request.method === 'HEAD' || request.body.size === 0) return new globalThis.Request(target, init);
  const body = request.body.isInMemory ? request.body.bytes() : (Readable.toWeb(request.body.stream()) as ReadableStream<Uint8Array>);
  return new globalThis.Request(target, { ...init, body, duplex: 'half' });
}
