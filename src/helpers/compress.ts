/**
 * Content codings: bodies that travel compressed (RFC 9110 §8.4, §12.5.3).
 *
 * @module
 */

import { StreamContent } from '../http/body/response-body.ts';
import { encodingQuality, parseWeightedRanges } from '../http/fields/accept.ts';
import { parseContentType } from '../http/fields/content-type.ts';
import { parseEntityTag, parseEntityTags } from '../http/fields/etag.ts';
import { FileContent } from '../http/file/file-content.ts';
import type { Request } from '../http/request.ts';
import type { Response } from '../http/response.ts';
import { isBodyless } from '../http/status.ts';
import { CODINGS, CODINGS_FOR_EVENTS, type Coding, compressNow, isAvailable, type Task } from './compress/codings.ts';
import { CompressedBody, CompressedContent, type Compressible } from './compress/compressed-body.ts';
import { isCompressible } from './compress/compressible.ts';
import { isWorthKeeping, keepForm, keptForm } from './compress/kept.ts';
import { type CompressOptions, resolveOptions } from './compress/options.ts';
import { checkResponse, withVary } from './finishing/finisher.ts';

export type { CompressOptions } from './compress/options.ts';

/**
 * Bodies in memory up to this many bytes are compressed in place: 20 to 95 µs, whatever the coding and level. Handing one to another thread, and
 * sending what comes back piece by piece, costs this thread 80 µs (measured), and the answer would lose its Content-Length.
 */
const SMALL = 8 * 1024;
/** Each says something about the bytes as they are: their digest, or that they are already coded. */
const OF_THE_BYTES: readonly string[] = ['content-encoding', 'content-digest', 'repr-digest', 'digest', 'content-md5'];

/**
 * Compresses the body of a response in the coding that the client likes best: br, zstd (where node:zlib has it), gzip; of equally welcome ones the
 * first of these. For events (`text/event-stream`) gzip comes first, since it holds the least memory.
 *
 * Bodies up to 8 KiB are compressed at once. Larger ones are compressed outside of the event loop while they are sent, two pieces of 64 KiB at a
 * time; further responses wait for their turn. A stream is sent on whenever its source pauses, so that server-sent events arrive at once. The text of a
 * Response that is sent again and again is compressed once.
 *
 * The compressed answer has no Content-Length of the body before, its ETag becomes weak, and `Vary: Accept-Encoding` is added, also where this
 * client gets the body as it is.
 *
 * Left alone: bodies below `minSize`, types that do not become smaller (images, archives), 204 and the like, and whatever has Content-Encoding, a
 * digest, or `Cache-Control: no-transform`. A 206 or 304 is sent as it is, with the Vary of the 200 that it stands for.
 *
 * @param request Its Accept-Encoding decides. HEAD is answered with the head of GET; a large body is not compressed for it.
 * @param response What would be sent uncompressed.
 * @param options See CompressOptions.
 * @returns The response with its body compressed, or with Vary alone, or as it was.
 * @throws TypeError or RangeError (code `bad-option`) for a wrong option, at the first request, and when `response` is none.
 * @example
 * startServer((request) => finish(request, answer, compress));
 */
export function compress(request: Request, response: Response, options?: CompressOptions): Response {
  checkResponse('Cannot compress', response);
  const { minSize, encodings, level } = resolveOptions(options);
  if (response.status === 206 || response.status === 304) return standIn(request, response, minSize);
  const { content } = response;
  if (content === undefined || isBelow(minSize, content, response) || !isOpenToIt(response)) return response;
  const isOfEvents = parseContentType(response.header('content-type'))?.type === 'text/event-stream';
  const coding = chooseCoding(request, encodings ?? (isOfEvents ? CODINGS_FOR_EVENTS : CODINGS));
  const form = `${coding} ${level}`;
  const known = keptForm(response, form);
  if (known) return known;
  const keep = isWorthKeeping(response) ? (made: Response): void => keepForm(response, form, made) : undefined;
  const varied = withVary(response, 'Accept-Encoding');
  if (coding === undefined) {
    keep?.(varied);
    return varied;
  }
  return coded(varied, content, { coding, level, isOfEvents }, keep);
}

function isOpenToIt(response: Response): boolean {
  if (response.take !== undefined || isBodyless(response.status) || response.header('content-range') !== undefined) return false;
  return mayBeTransformed(response) && isCompressible(response.header('content-type'));
}

/** Whether the bytes may be others than those that the handler gave. */
function mayBeTransformed(response: Response): boolean {
  if (OF_THE_BYTES.some((name) => response.header(name) !== undefined)) return false;
  // RFC 9111 §5.2.2.6
  return !/(?:^|[\s,])no-transform(?:$|[\s,])/i.test(response.headerAll('cache-control').join(','));
}

/** Whether a body is known to have fewer than `minSize` bytes. */
function isBelow(minSize: number, content: Compressible, response: Response): boolean {
  if (typeof content === 'string') return content.length < minSize && Buffer.byteLength(content) < minSize; // a character is a byte or more
  if (content instanceof Uint8Array) return content.length < minSize;
  return (content.size ?? announcedBy(response) ?? Number.POSITIVE_INFINITY) < minSize;
}

/** What the handler's own Content-Length says. */
function announcedBy(response: Response): number | undefined {
  const value = response.header('content-length');
  return value === undefined ? undefined : Number(value);
}

/** RFC 9110 §12.5.3. @returns Undefined when the body as it is suits the client as well, or nothing suits it. */
function chooseCoding(request: Request, encodings: readonly Coding[]): Coding | undefined {
  const lines = request.headerAll('accept-encoding');
  const ranges = lines.length === 0 ? undefined : parseWeightedRanges(lines.join(','));
  if (!ranges) return undefined;
  let chosen: Coding | undefined;
  let highest = 0;
  for (const coding of encodings) {
    const quality = isAvailable(coding) ? encodingQuality(ranges, coding) : 0;
    if (quality <= highest) continue;
    highest = quality;
    chosen = coding;
  }
  return highest >= encodingQuality(ranges, 'identity') ? chosen : undefined;
}

function coded(varied: Response, content: Compressible, task: Task, keep: ((made: Response) => void) | undefined): Response {
  if (content instanceof StreamContent || content instanceof FileContent) {
    return withCoding(varied, task).withContent(new CompressedContent(new CompressedBody(content, task, announcedBy(varied))));
  }
  if (content.length > SMALL) {
    const head = withCoding(varied, task);
    const body = new CompressedBody(content, task, undefined, keep && ((bytes) => keep(head.withContent(bytes))));
    return head.withContent(new CompressedContent(body));
  }
  const before = typeof content === 'string' ? Buffer.from(content) : content;
  const bytes = compressNow(task, before);
  const made = bytes.length < before.length ? withCoding(varied, task).withContent(bytes) : varied;
  keep?.(made);
  return made;
}

/** The head of a response whose body is compressed. */
function withCoding(response: Response, { coding }: Task): Response {
  const tag = parseEntityTag(response.header('etag'));
  return (tag && !tag.isWeak ? response.withHeader('ETag', `W/"${tag.opaque}"`) : response) // RFC 9110 §8.8.3: other bytes, so no longer the strong one
    .withHeader('Content-Encoding', coding)
    .withoutHeader('Content-Length')
    .withoutHeader('Accept-Ranges'); // a part of the file could not continue what has been coded
}

/** A 206 or 304, with the Vary of the 200 that it stands for (RFC 9110 §15.3.7, §15.4.5); a 304 has its ETag as well. */
function standIn(request: Request, response: Response, minSize: number): Response {
  const { whole } = response;
  const varies = mayBeTransformed(response) && (whole ? isCompressed(whole, minSize) : isPerhapsCompressed(response));
  const varied = varies ? withVary(response, 'Accept-Encoding') : response;
  return response.status === 304 ? withTagOf(request, varied) : varied;
}

/** Whether some clients get another body than the one of this response. */
function isCompressed(whole: Response, minSize: number): boolean {
  return whole.content !== undefined && !isBelow(minSize, whole.content, whole) && isOpenToIt(whole);
}

/** The same of the 200 that nobody here has seen, such as that of an upstream server: a Vary too many does no harm. */
function isPerhapsCompressed(part: Response): boolean {
  const type = part.header('content-type');
  return type === undefined || isCompressible(type);
}

/** A client that asks with the weak form of our strong tag got it here. */
function withTagOf(request: Request, response: Response): Response {
  const tag = parseEntityTag(response.header('etag'));
  if (!tag || tag.isWeak) return response;
  const known = parseEntityTags(request.headerAll('if-none-match').join(','));
  if (known === '*' || !known.some(({ isWeak, opaque }) => isWeak && opaque === tag.opaque)) return response;
  return withVary(response.withHeader('ETag', `W/"${tag.opaque}"`), 'Accept-Encoding');
}
