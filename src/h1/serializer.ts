/**
 * Responses as bytes: status line, field lines, chunks (RFC 9112 §4, §5, §7.1).
 *
 * A head is built as text, one byte per character, so that a head and a small body can leave in one write, and so can all answers of a pipeline.
 *
 * @module
 */
import type { WireFields } from '../http/header-list.ts';
import { lengthWithoutBody, reasonOf } from '../http/status.ts';
import { CHUNKED, NO_BODY } from './framing.ts';
import { serializedOf } from './serialized-fields.ts';

/** `HTTP/1.1 200 OK\r\n`, made once per status. */
const STATUS_LINES: (string | undefined)[] = [];

/** The interim response that asks for a body (RFC 9110 §15.2.1). */
export const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
/** The interim response that says nothing: the answer is still to come (RFC 2518 §10.1). */
export const PROCESSING = 'HTTP/1.1 102 Processing\r\n\r\n';
/** May stand in front of the next chunk, or of the last: sizes may begin with zeros (RFC 9112 §7.1). */
export const CHUNK_NUDGE = '0';
/** Ends a chunked body, without trailers. */
export const LAST_CHUNK = '0\r\n\r\n';
/** Tells HTTP/1.0 clients that the connection goes on; for others it goes without saying (RFC 9112 §9.3). */
export const KEEP_ALIVE = 'Connection: keep-alive\r\n';
/** Says that this response is the last of its connection. */
export const CLOSE = 'Connection: close\r\n';

/** The status line. We answer as HTTP/1.1 whatever the client's minor version is (RFC 9110 §6.2). */
export function statusLine(status: number): string {
  return (STATUS_LINES[status] ??= `HTTP/1.1 ${status} ${reasonOf(status)}\r\n`);
}

/**
 * The head of a response, with the empty line that ends it.
 *
 * The last one made is kept with the list of fields, as one flat string: within a second, answers of the same kind and length share it.
 *
 * @param fields The handler's fields.
 * @param date The Date line, left out when the handler has set its own.
 * @param length See `responseLength`.
 * @param connection `KEEP_ALIVE`, `CLOSE`, the lines of an upgrade, or nothing.
 */
export function serializeHead(status: number, fields: WireFields, date: string, length: number, connection: string): string {
  const kept = serializedOf(fields);
  if (kept.date !== date || kept.status !== status || kept.connection !== connection) {
    kept.status = status;
    kept.date = date;
    kept.connection = connection;
    kept.start = [statusLine(status), fields.text, fields.hasDate ? '' : date, connection].join('');
    kept.length = Number.NaN;
  }
  if (kept.length !== length) {
    kept.length = length;
    kept.head = kept.start + lengthLine(length);
  }
  return kept.head;
}

/** An interim response: it has no body, and says nothing about a length or the connection (RFC 9110 §15.2, §8.6, RFC 9112 §6.1). */
export function serializeInterim(status: number, fields: WireFields): string {
  return `${statusLine(status)}${fields.text}\r\n`;
}

/** The line that states the length, and the empty line that ends the head. */
function lengthLine(length: number): string {
  if (length >= 0) return `Content-Length: ${length}\r\n\r\n`;
  return length === CHUNKED ? 'Transfer-Encoding: chunked\r\n\r\n' : '\r\n';
}

/** The length announced when a status allows no body. */
export function bodylessLength(status: number, fields: WireFields): number {
  return lengthWithoutBody(status, fields.contentLength) ?? NO_BODY;
}

/** The line in front of a chunk of `size` bytes; CR LF follows the chunk. */
export function chunkHead(size: number): string {
  return `${size.toString(16)}\r\n`;
}
