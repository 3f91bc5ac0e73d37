/**
 * Answers the conditions and the range of a request: with 304, 412, 206, 416, or the response itself (RFC 9110 §13.2.2, §14.2).
 *
 * @module
 */

import { parseRange, serializeContentRange } from '../../http/fields/range.ts';
import { FileContent } from '../../http/file/file-content.ts';
import type { Request } from '../../http/request.ts';
import { HttpError, Response } from '../../http/response.ts';
import { partialContent } from './byteranges.ts';
import { allowsRange, evaluateConditions, Representation } from './evaluate.ts';

/**
 * Fields that describe the body, which a 304 or 412 lacks (RFC 9110 §8, §15.4.5). Content-Location, Content-Security-Policy and others
 * stay.
 */
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
/** What describes the resource, and would not be true of an error. */
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
 * Answers the conditions of a request, and its Range when the response is a file.
 *
 * @param response What would be sent without them. Its body is released when it is not sent.
 * @param now Milliseconds since 1970.
 * @param makeBoundary Called when several ranges are sent.
 */
export function answerConditions(request: Request, response: Response, now: number, makeBoundary: () => string): Response {
  if (response.status < 200 || response.status > 299 || WITHOUT_REPRESENTATION.has(request.method)) return response;
  const current = new Representation(response, now);
  const status = evaluateConditions(request, current, now);
  if (status !== undefined) {
    response.dispose();
    return status === 304 ? notModified(response) : refused(412, response);
  }
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  return isRead && response.status === 200 ? offerRanges(request, response, current, now, makeBoundary) : response;
}

/** RFC 9110 §14.2: after the conditions, for whole files and GET only. */
function offerRanges(request: Request, response: Response, current: Representation, now: number, makeBoundary: () => string): Response {
  const { content } = response;
  const offer = response.header('accept-ranges');
  if (!(content instanceof FileContent) || content.parts || (offer !== undefined && offer !== 'bytes')) return response;
  const offered = offer === undefined ? response.withHeader('Accept-Ranges', 'bytes') : response;
  const lines = request.method === 'GET' ? request.headerAll('range') : [];
  if (lines.length !== 1 || !allowsRange(request, current, now)) return offered;
  const size = content.fileSize;
  const ranges = parseRange(lines[0], size);
  if (ranges === undefined) return offered;
  if (ranges === 'unsatisfiable') {
    response.dispose();
    return refused(416, offered).withHeader('Content-Range', serializeContentRange(undefined, size));
  }
  // Several ranges of a coded file are not sent: clients differ in whether they decode each part or the body as a whole.
  if (ranges.length > 1 && offered.header('content-encoding') !== undefined) return offered;
  return partialContent(offered, content, ranges, makeBoundary);
}

/** A 304 (RFC 9110 §15.4.5): Last-Modified is sent only where there is no ETag. */
function notModified(response: Response): Response {
  const hasEtag = response.header('etag') !== undefined;
  const { list } = bare(304, response, (name) => OF_THE_BODY.has(name) || (hasEtag && name === 'last-modified'));
  return Response.ofParts(304, list, undefined, undefined, response);
}

function refused(status: 412 | 416, response: Response): Response {
  const error = new HttpError(status);
  const kept = bare(status, response, (name) => OF_THE_RESOURCE.has(name));
  return error.response.headers.reduce((result, [name, value]) => result.withHeader(name, value), kept.withBody(error.message));
}

function bare(status: number, response: Response, isDropped: (name: string) => boolean): Response {
  return new Response(undefined, { status, headers: response.headers.filter(([name]) => !isDropped(name.toLowerCase())) });
}
