/**
 * A request file read back: one that was recorded, and one that somebody has written or changed in an editor.
 *
 * Understood is what `written.ts` writes and what the HTTP clients of editors have in common: comments in front, which begin with `#` or `//`, a
 * request line with a URL or a path, fields, an empty line, and the body. Lines of the head may end with CR LF or LF.
 *
 * @module
 */
import { isFieldValue, isToken, trimWhitespace } from '../grammar.ts';
import type { RequestInit } from '../request.ts';
import { parseTarget } from '../target.ts';

/** What a test wants of a file whose body is not whole. */
export interface ParseOptions {
  /** Whether a body that is not all there will do. */
  readonly isPartial: boolean;
}

const REQUEST_LINE = /^(\S+) +(\S+)(?: +HTTP\/\d(?:\.\d)?)?$/;
const AN_EXAMPLE = '"GET http://localhost:8000/ HTTP/1.1"';
const URL_ORIGIN = /^(https?):\/\/([^/?#]*)/i;
const CLIENT = /^# client: (\S+?)(, TLS)?, HTTP\/[\d.]+$/;
const ASKED = /^# request: [^,]*, for (https?:\/\/[^\s/?#]*)$/i;

/** The lines in front of the body, and where that begins. */
interface Head {
  readonly lines: readonly string[];
  readonly end: number;
}

/** Something that is wrong with a file: which line, and what. */
export class BadLine extends Error {
  /** @param line Counted from 1. */
  constructor(line: number, why: string) {
    super(`line ${line}: ${why}`);
  }
}

/** @throws BadLine. */
export function parsedRequest(file: Buffer, { isPartial }: ParseOptions): RequestInit {
  const { lines, end } = headOf(file);
  const at = lines.findIndex((line) => !isComment(line) && line.trim() !== '');
  if (at === -1) throw new BadLine(Math.max(lines.length, 1), `the file ends before a request line such as ${AN_EXAMPLE}`);
  const comments = lines.slice(0, at);
  const client = comments.map((line) => CLIENT.exec(line)).find((found) => found !== null);
  const asked = comments.map((line) => ASKED.exec(line)?.[1]).find((origin) => origin !== undefined);
  const { method, target, host, isSecure } = requestLine(lines[at] as string, at + 1, asked);
  const headers: [string, string][] = [];
  let length: { readonly value: number; readonly line: number } | undefined;
  for (let i = at + 1; i < lines.length; i++) {
    const field = fieldIn(lines[i] as string, i + 1);
    if (!field) continue;
    headers.push(field);
    if (field[0].toLowerCase() === 'content-length') length = { value: lengthOf(field[1], i + 1), line: i + 1 };
  }
  const isRecorded = comments.some((line) => line.startsWith('# recorded: ')); // it has the fields that came, and no others
  if (!isRecorded && host !== undefined && !headers.some(([name]) => name.toLowerCase() === 'host')) headers.unshift(['Host', host]);
  const body = bodyOf(file.subarray(end), length, isPartial, lines.length + 2);
  return {
    method,
    target,
    headers,
    secure: isSecure || client?.[2] !== undefined,
    ...(body.length > 0 && { body }),
    ...(client && client[1] !== '-' && { remoteAddress: client[1] }),
  };
}

/** The lines up to the first empty one behind the request line; or all of them. */
function headOf(file: Buffer): Head {
  const lines: string[] = [];
  let hasBegun = false;
  for (let at = 0; at < file.length; ) {
    const lineEnd = file.indexOf(0x0a, at);
    const line = file.toString('latin1', at, lineEnd === -1 ? file.length : lineEnd).replace(/\r$/, '');
    at = lineEnd === -1 ? file.length : lineEnd + 1;
    if (hasBegun && line === '') return { lines, end: at };
    lines.push(lines.length === 0 ? line.replace(/^\xef\xbb\xbf/, '') : line); // editors may put a byte order mark there
    hasBegun ||= !isComment(line) && line.trim() !== '';
  }
  return { lines, end: file.length };
}

function isComment(line: string): boolean {
  return line.startsWith('#') || line.startsWith('//');
}

/** @param asked The origin in the target of the client; undefined: it had none, as most. */
function requestLine(
  line: string,
  number: number,
  asked: string | undefined,
): { method: string; target: string; host: string | undefined; isSecure: boolean } {
  const [, method = '', url = ''] = REQUEST_LINE.exec(line) ?? [];
  if (!isToken(method)) {
    throw new BadLine(number, `${shown(line)} is not a request line such as ${AN_EXAMPLE}`);
  }
  const [origin = '', scheme = '', host] = URL_ORIGIN.exec(url) ?? [];
  const path = url.slice(origin.length);
  const target = `${asked ?? ''}${origin === '' || path.startsWith('/') ? path : `/${path}`}`;
  if (!parseTarget(target)) throw new BadLine(number, `${shown(url)} is neither a URL nor a path that a server would take`);
  return { method, target, host: host === '' ? undefined : host, isSecure: scheme.toLowerCase() === 'https' };
}

/** A field; undefined for a comment. A name may begin with `#`, but a comment has a blank behind it. */
function fieldIn(line: string, number: number): [name: string, value: string] | undefined {
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(colon, 0));
  if (!isToken(name)) {
    if (isComment(line)) return undefined;
    throw new BadLine(number, `${shown(line)} is neither a field such as "Accept: text/html" nor the empty line in front of the body`);
  }
  const value = trimWhitespace(line.slice(colon + 1));
  if (!isFieldValue(value)) throw new BadLine(number, `the value of ${shown(name)} holds a character that no field can have`);
  return [name, value];
}

function lengthOf(value: string, number: number): number {
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw new BadLine(number, `Content-Length is ${shown(value)}, not a number of bytes`);
}

/** @param number The line at which the body begins. */
function bodyOf(
  bytes: Buffer,
  length: { readonly value: number; readonly line: number } | undefined,
  isPartial: boolean,
  number: number,
): Buffer {
  if (length === undefined) {
    const several = bytes.toString('latin1').search(/^###/m);
    if (several === -1) return withoutLastLineEnd(bytes);
    const line = number + bytes.toString('latin1', 0, several).split('\n').length - 1;
    throw new BadLine(line, '"###" begins another request, and only one can be read: put each into a file of its own');
  }
  if (bytes.length === length.value) return bytes;
  const trimmed = withoutLastLineEnd(bytes);
  if (trimmed.length === length.value) return trimmed;
  if (bytes.length < length.value) {
    if (isPartial) return bytes;
    throw new BadLine(
      length.line,
      `Content-Length is ${length.value}, but the body has ${bytes.length} bytes: not all of it was recorded; { partial: true } takes what is there`,
    );
  }
  throw new BadLine(
    length.line,
    `Content-Length is ${length.value}, but the body has ${bytes.length} bytes: leave the line out of a file that you have changed`,
  );
}

/** Editors end a file with a line end. */
function withoutLastLineEnd(bytes: Buffer): Buffer {
  if (bytes.at(-1) !== 0x0a) return bytes;
  return bytes.subarray(0, bytes.length - (bytes.at(-2) === 0x0d ? 2 : 1));
}

function shown(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
