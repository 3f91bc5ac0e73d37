/**
 * Conditional and range requests (RFC 9110 §13, §14): 304 when the client already has the current version, 412 when its version is out of
 * date, 206 for a part.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import type { Request } from '../http/request.ts';
import type { Response } from '../http/response.ts';
import { answerConditions } from './conditions/answer.ts';
import { checkResponse } from './finishing/finisher.ts';

/**
 * Answers the conditions of a request by the ETag and the Last-Modified of the response, and its Range when the response is a file.
 *
 * A GET whose client has the current version becomes a 304 without a body. A condition that does not hold becomes a 412. A GET with Range
 * for a `Response.file` becomes a 206 with one range or several (RFC 9110 §14.6), or a 416 when the file ends before they begin. Responses
 * other than 2xx pass unchanged. Before a change (PUT, PATCH, DELETE), call this with a response that carries the validators of what is
 * there *now*: afterwards is too late.
 *
 * @param request The request with its If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since, If-Range, Range.
 * @param response What would be sent without them.
 * @returns `response`, or a 304, 412, 206 or 416 in its place; a body that is not sent is released.
 * @throws TypeError (code `bad-option`) when `response` is none.
 * @example
 * if (match(request, 'GET /note')) return conditional(request, Response.json(note).withEtag(note.version));
 * if (match(request, 'GET /film')) return conditional(request, Response.file('/srv/film.mp4'));
 */
export function conditional(request: Request, response: Response): Response {
  checkResponse('Cannot answer conditions', response);
  return answerConditions(request, response, Date.now(), randomUUID);
}
