/**
 * 206 (Partial Content): one range of a file, or several as multipart/byteranges (RFC 9110 §14.6, §15.3.7).
 *
 * @module
 */

import { type ByteRange, serializeContentRange } from '../../http/fields/range.ts';
import type { FileContent, FileRange } from '../../http/file/file-content.ts';
import { Response } from '../../http/response.ts';

/**
 * Makes a 206 out of a 200.
 *
 * @param whole The response with the whole file.
 * @param content Its body.
 * @param ranges What the client wants of it, one range or more.
 * @param makeBoundary Makes the boundary between several ranges: of characters that need no quotes, and occurring in no file.
 */
export function partialContent(whole: Response, content: FileContent, ranges: readonly ByteRange[], makeBoundary: () => string): Response {
  const size = content.fileSize;
  const [first] = ranges;
  if (first && ranges.length === 1) {
    return partOf(whole, content.withParts([first])).withHeader('Content-Range', serializeContentRange(first, size));
  }
  const boundary = makeBoundary();
  const type = whole.header('content-type');
  const typeLine = type === undefined ? '' : `Content-Type: ${type}\r\n`;
  const parts = ranges.flatMap((range): [Uint8Array, FileRange] => [
    Buffer.from(`\r\n--${boundary}\r\n${typeLine}Content-Range: ${serializeContentRange(range, size)}\r\n\r\n`, 'latin1'),
    range,
  ]);
  const body = content.withParts([...parts, Buffer.from(`\r\n--${boundary}--\r\n`)]);
  return partOf(whole, body).withHeader('Content-Type', `multipart/byteranges; boundary=${boundary}`);
}

function partOf(whole: Response, content: FileContent): Response {
  return Response.ofParts(206, whole.list, content, undefined, whole);
}
