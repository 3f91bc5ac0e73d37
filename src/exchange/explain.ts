/**
 * A 500 that says why: for the programmer who sits at this machine, and for nobody else.
 *
 * Everything must speak for it, and any doubt gives the bare 500. The server must not run in production, and the connection must come from a
 * loopback address that is no trusted proxy. The request must be for this machine by name: under DNS rebinding a browser comes from loopback
 * too, but with the name of the attacker. No field may tell of a proxy, and the client must say `Connection: keep-alive`, as browsers do: a proxy
 * removes that field (RFC 9110 §7.6.1), also one that says nothing of itself and puts its upstream's name into Host.
 *
 * What the answer says is made in `explain/`, which is loaded when the first one is sent.
 *
 * @module
 */
import { unmapped } from '../http/address.ts';
import { errorFormatOf, formFor } from '../http/errors/failure.ts';
import { parseWeightedRanges } from '../http/fields/accept.ts';
import { isAboutClient } from '../http/fields/forwarded.ts';
import { namedByConnection } from '../http/fields/hop-by-hop.ts';
import type { ErrorAnswers, Request } from '../http/request.ts';
import { HttpError, Response } from '../http/response.ts';
import type { ExplanationForm } from './explain/forms.ts';

const TYPES = {
  page: 'text/html; charset=utf-8',
  text: 'text/plain; charset=utf-8',
  json: 'application/json; charset=utf-8',
  problem: 'application/problem+json',
} as const;

/** 127.0.0.0/8 and ::1 (RFC 6890 §2.2). */
const LOOPBACK = /^(?:127\.\d+\.\d+\.\d+|::1)$/;
/** The names by which this machine calls itself. */
const LOCAL_HOST = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i;
const LOCAL_ORIGIN = /^https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i;
/** Fields that proxies, tunnels and content networks add, besides those that tell of the client. */
const OF_A_PROXY =
  /^(?:via|cdn-loop)$|(?:^|-)client-ip$|^(?:proxy|x-(?:original|proxy|envoy|amzn?|azure|cluster|appengine)|cf|fly|tailscale)-/;

/** Nothing of it is kept, shown in a frame, or run: it holds no script, and may hold what the client sent. */
const FIELDS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
} as const;

/**
 * The answer that explains an error to the programmer.
 *
 * @returns Undefined for everybody else, and in production.
 * @throws What the option `errors` throws.
 */
export function explanationFor({ options }: { readonly options: ErrorAnswers }, request: Request, error: unknown): Response | undefined {
  if (!options.explainsTo || !isFromHere(request, options.explainsTo)) return undefined;
  const known = formFor(request, errorFormatOf(options.errors, request));
  const form = known === 'text' && wantsPage(request) ? 'page' : known;
  return new Response(explained(form, request, error), { status: 500, headers: { ...FIELDS, 'Content-Type': TYPES[form] } });
}

/** Whether a request can only come from this machine; the head of the file has the reasons. */
function isFromHere(request: Request, explainsTo: (address: string) => boolean): boolean {
  const address = unmapped(request.peer.remoteAddress ?? '');
  if (!LOOPBACK.test(address) || !explainsTo(address)) return false;
  if (request.httpVersion === '1.0' || request.parts.authority !== undefined) return false; // as proxies ask, browsers do not
  if (!LOCAL_HOST.test(request.header('host') ?? '')) return false;
  if (!LOCAL_ORIGIN.test(request.header('origin') ?? 'http://localhost')) return false; // a page of somebody else's that may read answers
  if (!namedByConnection(request.headerAll('connection')).has('keep-alive')) return false;
  return !request.headers.some(([name]) => isAboutClient(name) || OF_A_PROXY.test(name.toLowerCase().replaceAll('_', '-')));
}

/** Whether a client names HTML among what it accepts: browsers that open a page do. */
function wantsPage(request: Request): boolean {
  const ranges = parseWeightedRanges(request.headerAll('accept').join(', ')) ?? [];
  return ranges.some(({ range, quality }) => range === 'text/html' && quality > 0);
}

async function* explained(form: ExplanationForm, request: Request, error: unknown): AsyncGenerator<string> {
  try {
    const { explain } = await import('./explain/forms.ts');
    yield explain(form, request, error);
  } catch {
    yield new HttpError(500).toResponse(form === 'page' ? 'text' : form).text() ?? ''; // it is text: there is no stream
  }
}
