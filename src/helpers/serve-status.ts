/**
 * A page that shows what the server is doing: its figures as they change, what every worker and thread is doing now, and where it stands.
 *
 * @module
 */
import { badOption, checkBoolean, checkOptions, kindOf } from '../http/errors/bad-option.ts';
import type { Request } from '../http/request.ts';
import { HttpError, Response } from '../http/response.ts';
import type { ObservedServer } from '../process/watching/server-activity.ts';

/** Options of `serveStatus`. */
export interface ServeStatusOptions {
  /**
   * Whether whoever sends this request may see the page. There is no default: only you know who your operators are. That the client is this machine says
   * nothing where a proxy runs on it, since then everybody comes from there.
   */
  readonly allow: boolean;
}

const SUBJECT = 'Cannot serve status';
const KNOWN: ReadonlySet<string> = new Set(['allow']);

/**
 * Answers with a page that shows what the server is doing, and with what the page loads, from the same path: its style, its script, its events.
 *
 * It shows requests, errors, latency, connections, memory and delay of the event loop as they change; what each worker and each handler thread is doing
 * now, where it stands when it does not get on, and on a click its whole stack; the slowest requests of the last minutes; and restarts and reloads.
 * While nobody looks, nothing is collected for it.
 *
 * @param request GET and HEAD; others are answered 405. Its path is yours to choose, its query is the page's own.
 * @param server What `startServer` gave, in whichever process or thread this runs.
 * @returns The answer: 403 where `allow` is false.
 * @throws TypeError (code `bad-option`) when `allow` does not say who may see it, and for what is no server.
 * @example
 * const server = await startServer(answer);
 *
 * function answer(request: Request): Response | Promise<Response> {
 *   if (match(request, 'GET /status')) return serveStatus(request, server, { allow: isOperator(request) });
 *   return Response.text('hello');
 * }
 */
export async function serveStatus(request: Request, server: ObservedServer, options: ServeStatusOptions): Promise<Response> {
  checkServer(server);
  if (options !== undefined) checkOptions(SUBJECT, options, KNOWN);
  if ((options as Partial<ServeStatusOptions> | undefined)?.allow === undefined) {
    throw badOption(SUBJECT, 'allow does not say who may see it: { allow: isOperator(request) }');
  }
  checkBoolean(SUBJECT, 'allow', options.allow); // a promise would let everybody in
  if (!options.allow) return Response.fromError(new HttpError(403), request);
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return Response.fromError(new HttpError(405, undefined, { headers: { Allow: 'GET, HEAD' } }), request);
  }
  const { answerPart } = await import('./serve-status/parts.ts'); // no program loads it before somebody looks
  return answerPart(request, server);
}

function checkServer(server: Partial<ObservedServer> | undefined): void {
  if (typeof server?.activity === 'function' && typeof server.status === 'function') return;
  throw badOption(SUBJECT, `the server is ${kindOf(server)}, not what startServer gave: give it, not its status`);
}
