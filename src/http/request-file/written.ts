/**
 * The head of a recorded request, as text: what editors with an HTTP client open (`.http`), and what any client can send.
 *
 *     # recorded: 2026-11-28T18:06:36.123Z
 *     # why: 500, TypeError at answer (server.js:12:9)
 *     # request: 0b6f…
 *     # client: 203.0.113.7, TLS, HTTP/2.0
 *     # masked: authorization, cookie, x-api-key, password
 *     # body: 17 bytes
 *     POST http://localhost:8000/notes?page=2 HTTP/1.1
 *     Host: notes.example
 *     Content-Length: 17
 *
 *     {"text":"milk"}
 *
 * There are always `COMMENTS` lines in front. The URL leads to the machine of whoever plays the request again, never to where the client wanted to go:
 * Host is that of the client, and the origin of a target in absolute-form stands behind the id (`, for http://notes.example`). The body follows as it came, byte by byte, up to the end of the file, and its length is that in Content-Length,
 * also where it came in chunks. A Content-Length that is more than that says that not all of the body is there.
 *
 * @module
 */
import { isToken } from '../grammar.ts';
import type { Request } from '../request.ts';
import { maskedField, maskedQueries, SECRET_FIELDS } from './masking.ts';
import { MASK } from './names.ts';

/** The origin of a target in absolute-form (RFC 9112 §3.2.2). */
const ORIGIN = /^https?:\/\/[^/?#]*/i;
/** Lines in front of the request line. */
export const COMMENTS = 6;
/** Where a request goes that came over a unix socket, or by a proxy: the default port of a server. */
const PORT = 8000;
/** Most characters of what went wrong. */
const MAX_WHY = 300;
/** Not written: chunks are not recorded as such, and what is hop by hop in their wake. */
const OF_CHUNKS: ReadonlySet<string> = new Set(['transfer-encoding', 'trailer']);

/** What is told of a request besides its head. */
export interface Account {
  readonly at: Date;
  readonly why: string;
  readonly id: string;
  /** What is said of the body. */
  readonly body: string;
  /** For Content-Length; undefined: the request has no body, and says nothing of one. */
  readonly length: number | undefined;
}

/** The head of the file, with its empty line: one character for each byte. */
export function writtenHead(request: Request, names: ReadonlySet<string>, account: Account): string {
  const { original } = request;
  const [origin = ''] = ORIGIN.exec(original.target) ?? [];
  const masked = ['authorization', 'proxy-authorization', 'cookie', ...SECRET_FIELDS, ...names];
  const lines = [
    `# recorded: ${account.at.toISOString()}`,
    `# why: ${printable(account.why).slice(0, MAX_WHY)}`,
    `# request: ${account.id}${origin === '' ? '' : `, for ${escapedUrl(withoutUser(origin))}`}`,
    `# client: ${printable(original.remoteAddress ?? '-').replaceAll(' ', '')}${original.secure ? ', TLS' : ''}, HTTP/${original.httpVersion}`,
    `# masked: ${masked.map(printable).join(', ')}`,
    `# body: ${account.body}`,
    `${original.method} ${urlOf(original, origin, names)} HTTP/${original.httpVersion === '1.0' ? '1.0' : '1.1'}`,
    ...fieldsOf(original, names, account.length),
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** An origin whose name and password are masked. */
function withoutUser(origin: string): string {
  const start = origin.indexOf('//') + 2;
  const end = origin.lastIndexOf('@');
  return end < start ? origin : `${origin.slice(0, start)}${MASK}${origin.slice(end)}`;
}

/** The target behind the address of a server on this machine. */
function urlOf({ target, peer }: Request, origin: string, names: ReadonlySet<string>): string {
  if (target === '*') return target;
  const path = escapedUrl(maskedQueries(names, target.slice(origin.length)));
  return `http://localhost:${peer.port ?? PORT}${path.startsWith('/') ? '' : '/'}${path}`;
}

/** What a request made by hand may have in its target, and no request line can. */
function escapedUrl(text: string): string {
  return text.replace(/[^\x21-\x7e\x80-\xff]+/g, (part) => encodeURIComponent(part.toWellFormed()));
}

function fieldsOf(request: Request, names: ReadonlySet<string>, length: number | undefined): string[] {
  let isPlaced = length === undefined;
  const lines = request.headers.flatMap(([name, value]) => {
    const key = name.toLowerCase();
    if (OF_CHUNKS.has(key) || !isToken(name)) return [];
    if (key !== 'content-length') return [`${name}: ${printable(maskedField(names, name, value))}`];
    if (isPlaced) return [];
    isPlaced = true;
    return [`${name}: ${length}`];
  });
  return isPlaced ? lines : [...lines, `Content-Length: ${length}`];
}

/** A text that cannot end its line. */
function printable(text: string): string {
  return text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '?');
}
