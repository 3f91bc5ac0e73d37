/**
 * Request targets, and the one spelling of a path that routes, guards, files, CGI and proxy share (RFC 3986 §5.2.4, §6.2.2).
 *
 * Guard and file server must never see two spellings of one resource. So there is one function, called once for every request before
 * the handler runs: each segment is percent-decoded once, dot segments are resolved after decoding, empty segments are merged.
 * A decoded slash stays `%2F`: it is data inside a segment; and what is `%2F` after decoding is spelled `%252F`. Anything without a safe meaning (NUL, backslash, broken escapes, broken UTF-8) is refused.
 *
 * @module
 */
import { checkString } from './errors/bad-option.ts';
import { withCode } from './errors/error-codes.ts';

const ORIGIN = /^https?:\/\/([^/?#]*)/i;

/** A request target taken apart (RFC 9112 §3.2). */
export interface TargetParts {
  /** The canonical path. */
  readonly path: string;
  /** What follows the first `?`, as sent, or an empty string. */
  readonly rawQuery: string;
  /** The authority of an absolute-form target, which wins over Host (RFC 9112 §3.2.2). */
  readonly authority: string | undefined;
}

/** What stands for the target of a request that is refused: nobody routes it. */
export const NO_TARGET: TargetParts = { path: '/', rawQuery: '', authority: undefined };

/**
 * Takes a request target apart.
 *
 * @param target In origin-form, absolute-form, or `*`.
 * @returns The parts, or `undefined` for a target that must not reach a handler.
 */
export function parseTarget(target: string): TargetParts | undefined {
  if (target.charCodeAt(0) === 0x2f /* / */ && isCanonical(target)) return { path: target, rawQuery: '', authority: undefined };
  if (target === '*') return { path: '*', rawQuery: '', authority: undefined };
  let authority: string | undefined;
  let rest = target;
  if (target.charCodeAt(0) !== 0x2f /* / */) {
    const origin = ORIGIN.exec(target);
    if (!origin?.[1]) return undefined; // RFC 9110 §4.2.1: an http URI with an empty host is invalid
    authority = origin[1];
    rest = target.slice(origin[0].length);
    if (rest.charCodeAt(0) !== 0x2f) rest = `/${rest}`;
  }
  const fragment = rest.indexOf('#');
  if (fragment !== -1) rest = rest.slice(0, fragment); // not part of a target, but clients send it: it never takes part in routing
  const mark = rest.indexOf('?');
  const path = canonicalPath(mark === -1 ? rest : rest.slice(0, mark));
  return path === undefined ? undefined : { path, rawQuery: mark === -1 ? '' : rest.slice(mark + 1), authority };
}

/**
 * Gives the canonical spelling of a path.
 *
 * @param raw Starts with a slash, holds no query.
 * @returns The path, or `undefined` when it holds NUL, a backslash, a broken escape or broken UTF-8.
 */
export function canonicalPath(raw: string): string | undefined {
  if (isCanonical(raw)) return raw; // nearly every path: no segment is built
  const segments: string[] = [];
  const parts = raw.split('/');
  let endsInSlash = false;
  for (let i = 1; i < parts.length; i++) {
    const segment = decodeSegment(parts[i] as string); // i < length
    if (segment === undefined) return undefined;
    const isLast = i === parts.length - 1;
    if (segment === '' || segment === '.') {
      endsInSlash = isLast;
    } else if (segment === '..') {
      segments.pop();
      endsInSlash = isLast;
    } else {
      segments.push(segment);
    }
  }
  const joined = `/${segments.join('/')}`;
  return endsInSlash && segments.length > 0 ? `${joined}/` : joined;
}

/** Spells a canonical path as a request target: what a derived request sends on. */
export function encodePath(path: string): string {
  if (STANDS_FOR_ITSELF.test(path)) return path;
  return path.split('/').map(encodeSegment).join('/');
}

/**
 * Percent-encodes what a URL cannot hold and leaves escapes alone.
 *
 * @throws TypeError (code `bad-header`) for control characters: browsers strip them, and `/\t/evil.example` becomes `//evil.example` (WHATWG URL §4.4);
 *   (`bad-option`) for what is no string, such as a Referer that did not come.
 */
export function encodeLocation(location: string): string {
  checkString('Cannot redirect', 'location', location);
  if (/[\x00-\x1f\x7f]/.test(location)) {
    throw withCode(new TypeError('Cannot redirect: the location holds a control character (CR, LF, tab or another)'), 'bad-header');
  }
  return location.toWellFormed().replace(/[^\x00-\x7f]+|[ "<>\\^`{|}]/g, encodeURIComponent);
}

/** The names that a canonical path stands for in a file system, where no name has a slash in it: a path with `%2F` stands for none. */
export function namesIn(path: string): string {
  return path.includes('%25') ? path.replace(/%25((?:25)*2F)/g, '%$1') : path;
}

/** A slash that is data has kept its escape. What RFC 3986 §3.3 allows in a path is sent as it is. */
function encodeSegment(segment: string): string {
  const parts = segment.split(/(%(?:25)*2F)/);
  return parts.map((part, i) => (i % 2 === 1 ? part : encodeURIComponent(part).replace(IN_SEGMENT, decodeURIComponent))).join('');
}

/** A path without an escape and without anything that needs one. */
const STANDS_FOR_ITSELF = /^[\w\-.~!$&'()*+,:;=@/]*$/;

/** The escapes that `encodeURIComponent` makes of characters which a segment may hold. */
const IN_SEGMENT = /%(?:24|26|2B|2C|3A|3B|3D|40)/g;

function decodeSegment(raw: string): string | undefined {
  if (raw.includes('\\') || raw.includes('\0')) return undefined;
  if (!raw.includes('%') && isAscii(raw)) return raw;
  let text: string;
  try {
    // Bytes above 0x7f that came unescaped are one character each here: escape them, so that all is judged as UTF-8 once.
    text = decodeURIComponent(raw.replace(/[\x80-\xff]/g, escapeByte));
  } catch {
    return undefined;
  }
  if (text.includes('\\') || text.includes('\0')) return undefined;
  return text.includes('/') || text.includes('%2') ? text.replace(/%(?=(?:25)*2F)/g, '%25').replaceAll('/', '%2F') : text;
}

function escapeByte(character: string): string {
  return `%${character.charCodeAt(0).toString(16)}`;
}

function isAscii(text: string): boolean {
  return /^[\x00-\x7f]*$/.test(text);
}

/** 1 for characters that a path holds unescaped: visible ASCII and space, except `%` and `\\`, and `?` and `#`, which end it. */
const IN_PATH = Uint8Array.from({ length: 256 }, (_, code) =>
  code >= 0x20 && code < 0x7f && !'%\\?#'.includes(String.fromCharCode(code)) ? 1 : 0,
);

/** Whether a raw path is its own canonical spelling: no escape, no odd character, no empty or dot segment, and nothing after it. */
function isCanonical(raw: string): boolean {
  let previous = 0;
  for (let i = 0; i < raw.length; i++) {
    const code = raw.charCodeAt(i);
    if (IN_PATH[code] !== 1) return false;
    if (previous === 0x2f /* / */ && (code === 0x2f || code === 0x2e) /* // or /. */) return false;
    previous = code;
  }
  return true;
}
