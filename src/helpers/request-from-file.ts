/**
 * A request file as a Request: for the test that a failure in production becomes.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { checkBoolean, checkOptions, checkSystemString } from '../http/errors/bad-option.ts';
import { withCode } from '../http/errors/error-codes.ts';
import { Request } from '../http/request.ts';
import { BadLine, parsedRequest } from '../http/request-file/parsed.ts';

/** Options of `requestFromFile`. */
export interface RequestFileOptions {
  /** Takes a file in which not all of the body was recorded: the request then has what there is. Default false: such a file is an error. */
  readonly partial?: boolean | undefined;
}

const SUBJECT = 'Cannot read request file';
const KNOWN: ReadonlySet<string> = new Set(['partial']);

/**
 * Makes the request that a file holds: one that was recorded (`recordRequest`, or the option `record` of `startServer`), or one written for the HTTP
 * client of an editor: comments, `POST http://localhost:8000/notes HTTP/1.1`, fields, an empty line, the body. Each file holds one request.
 *
 * The request has the method, target, fields and body of the one that was recorded, but for what is masked (`***`), and its address and `secure`. It
 * is always read as HTTP/1.1, with Content-Length instead of Transfer-Encoding.
 *
 * @param path Of the file, or its URL: `new URL('empty-cart.http', import.meta.url)`.
 * @throws The error of the file system. TypeError (code `bad-request-file`) with the line that is wrong, and (code `bad-option`) for a wrong option.
 * @example
 * assert.equal(answer(requestFromFile('test/requests/empty-cart.http')).status, 200);
 */
export function requestFromFile(path: string | URL, options: RequestFileOptions = {}): Request {
  if (!(path instanceof URL)) checkSystemString(SUBJECT, 'path', path);
  checkOptions(SUBJECT, options, KNOWN);
  const { partial = false } = options;
  checkBoolean(SUBJECT, 'partial', partial);
  const file = readFileSync(path);
  try {
    return new Request(parsedRequest(file, { isPartial: partial }));
  } catch (error) {
    if (!(error instanceof BadLine)) throw error;
    throw withCode(new TypeError(`${SUBJECT} ${JSON.stringify(String(path))}: ${error.message}`), 'bad-request-file');
  }
}
