/**
 * What the status page consists of: each part has the path of the page, and a query of its own.
 *
 * @module
 */
import type { Request } from '../../http/request.ts';
import { HttpError, Response } from '../../http/response.ts';
import type { ObservedServer } from '../../process/watching/server-activity.ts';
import { newsOf } from './news.ts';
import { ICON, PAGE } from './page.ts';
import { SCRIPT } from './script.ts';
import { STYLE } from './style.ts';

/** Nothing but its own parts, and in nobody's frame. */
const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The stack of a thread: its process and its number there. */
const STACK = /^stack=(\d{1,10})\.(\d{1,10})$/;

/** Answers a request for the page or a part of it. */
export async function answerPart(request: Request, server: ObservedServer): Promise<Response> {
  return guarded(await partOf(request, server));
}

async function partOf(request: Request, server: ObservedServer): Promise<Response> {
  const { rawQuery } = request;
  switch (rawQuery) {
    case '':
      return Response.html(PAGE);
    case 'style.css':
      return Response.bytes('text/css; charset=utf-8', STYLE);
    case 'script.js':
      return Response.bytes('text/javascript; charset=utf-8', SCRIPT);
    case 'icon.svg':
      return Response.svg(ICON);
    default:
  }
  // Another site can make a browser ask for these in the name of an operator: it would not see the answer, but it costs something.
  if (isForeign(request)) return Response.fromError(new HttpError(403), request);
  if (rawQuery === 'events') return Response.events(newsOf(server));
  const [, pid, thread] = STACK.exec(rawQuery) ?? [];
  if (pid === undefined) return Response.fromError(new HttpError(404), request);
  return Response.json({ stack: (await server.stackOf(Number(pid), Number(thread))) ?? null });
}

function isForeign(request: Request): boolean {
  const site = request.header('sec-fetch-site');
  return site !== undefined && site !== 'same-origin' && site !== 'none';
}

function guarded(response: Response): Response {
  return response
    .withNoCache()
    .withHeader('Connection', 'close') // the worker that answers may be stuck a moment later: what is asked then is asked of another
    .withHeader('Content-Security-Policy', CSP)
    .withHeader('X-Content-Type-Options', 'nosniff')
    .withHeader('X-Frame-Options', 'DENY')
    .withHeader('X-Robots-Tag', 'noindex')
    .withHeader('Referrer-Policy', 'no-referrer')
    .withHeader('Cross-Origin-Resource-Policy', 'same-origin');
}
