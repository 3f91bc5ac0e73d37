/**
 * Conditional requests (RFC 9110 §13): 304 when the client has it already, 412 when it is not what the client thinks.
 *
 * @module
 */
import { type EntityTag, matchesStrongly, matchesWeakly, parseEntityTag, parseEntityTags } from '../fields/etag.ts';
import { parseDate } from '../http/date.ts';
import { HttpError } from '../http/http-error.ts';
import type { Request } from '../http/request.ts';
import { Response } from '../http/response.ts';

/** What describes the body that a 304 or 412 does not have (RFC 9110 §8, §15.4.5). Content-Location, Content-Security-Policy and others stay. */
const OF_THE_BODY: ReadonlySet<string> = new Set([
  'content-digest',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-length',
  'content-md5',
  'content-range',
  'content-type',
  'digest',
  'repr-digest',
  'transfer-encoding',
]);
/** What is said of the resource, and would be untrue of an error. */
const OF_THE_RESOURCE: ReadonlySet<string> = new Set([
  ...OF_THE_BODY,
  'accept-ranges',
  'cache-control',
  'content-location',
  'etag',
  'expires',
  'last-modified',
]);

/** Methods that neither choose nor change a representation: their preconditions are ignored (RFC 9110 §13.2.1). */
const WITHOUT_REPRESENTATION: ReadonlySet<string> = new Set(['CONNECT', 'OPTIONS', 'TRACE']);

/**
 * Answers the conditions of a request by the ETag and the Last-Modified of the response.
 *
 * A GET whose client has the current version becomes a 304 without body. A condition that does not hold becomes a 412. Responses other than 2xx
 * pass as they are. Before a change (PUT, PATCH, DELETE) ask with a response that carries the validators of what is there *now*: afterwards is
 * too late.
 *
 * @param request The request with its If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since.
 * @param response What would be sent without them.
 * @returns `response`, or a 304 or 412 in its place; the body of `response` is then let go of.
 * @example
 * return conditional(request, Response.json(note).withEtag(note.version));
 */
export function conditional(request: Request, response: Response): Response {
  if (response.status < 200 || response.status > 299 || WITHOUT_REPRESENTATION.has(request.method)) return response;
  const status = evaluate(request, new Representation(response));
  if (status === undefined) return response;
  response.dispose();
  return status === 304 ? notModified(response) : preconditionFailed(response);
}

/** The representation the conditions are about, as far as the response tells. */
class Representation {
  /** 201 says that there was none, and that the validators are of the new one. */
  readonly exists: boolean;
  readonly etag: EntityTag | undefined;
  readonly lastModified: Date | undefined;

  constructor(response: Response) {
    this.exists = response.status !== 201;
    this.etag = this.exists ? parseEntityTag(response.header('etag')) : undefined;
    this.lastModified = this.exists ? parseDate(response.header('last-modified') ?? '') : undefined;
  }

  isIn(list: string, matches: (a: EntityTag, b: EntityTag) => boolean): boolean {
    const tags = parseEntityTags(list);
    if (tags === '*') return this.exists;
    const own = this.etag;
    return own !== undefined && tags.some((tag) => matches(tag, own));
  }
}

/** RFC 9110 §13.2.2, in its order. @returns 304, 412, or undefined when the request is to be answered as if it had no condition. */
function evaluate(request: Request, current: Representation): 304 | 412 | undefined {
  const isRead = request.method === 'GET' || request.method === 'HEAD';

  const ifMatch = listOf(request, 'if-match');
  const unmodifiedSince = dateOf(request, 'if-unmodified-since');
  if (ifMatch !== undefined) {
    if (!current.isIn(ifMatch, matchesStrongly)) return 412;
  } else if (unmodifiedSince && current.lastModified && current.lastModified > unmodifiedSince) return 412;

  const ifNoneMatch = listOf(request, 'if-none-match');
  if (ifNoneMatch !== undefined) {
    if (!current.isIn(ifNoneMatch, matchesWeakly)) return undefined;
    return isRead ? 304 : 412;
  }
  const modifiedSince = isRead ? dateOf(request, 'if-modified-since') : undefined;
  return modifiedSince && current.lastModified && current.lastModified <= modifiedSince ? 304 : undefined;
}

function listOf(request: Request, name: string): string | undefined {
  const lines = request.headerAll(name);
  return lines.length > 1 ? lines.join(',') : lines[0];
}

/** A field that is no date, or stands twice, is ignored (RFC 9110 §13.1.3, §13.1.4). */
function dateOf(request: Request, name: string): Date | undefined {
  const lines = request.headerAll(name);
  return lines.length === 1 ? parseDate(lines[0] ?? '') : undefined;
}

/** RFC 9110 §15.4.5: Last-Modified guides a cache only where there is no ETag. */
function notModified(response: Response): Response {
  const hasEtag = response.header('etag') !== undefined;
  return bare(304, response, (name) => OF_THE_BODY.has(name) || (hasEtag && name === 'last-modified'));
}

function preconditionFailed(response: Response): Response {
  const kept = bare(412, response, (name) => OF_THE_RESOURCE.has(name));
  return new HttpError(412).response.headers.reduce(
    (result, [name, value]) => result.withHeader(name, value),
    kept.withBody('Precondition Failed'),
  );
}

function bare(status: number, response: Response, isDropped: (name: string) => boolean): Response {
  return new Response(undefined, { status, headers: response.headers.filter(([name]) => !isDropped(name.toLowerCase())) });
}
