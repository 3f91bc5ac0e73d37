/**
 * A response as a value: immutable, so that a constant of a module may be returned a million times.
 *
 * @module
 */

import type { Duplex } from 'node:stream';
import { prefersJson } from './accept.ts';
import { serializeDate } from './date.ts';
import { withCode } from './error-codes.ts';
import { type ServerSentEvent, serializeEvents } from './event-stream.ts';
import { serializeAttachment } from './fields/content-disposition.ts';
import { type CookieOptions, serializeSetCookie } from './fields/set-cookie.ts';
import { FileContent, lookAtFile } from './file/file-content.ts';
import { fileValidators } from './file/file-validators.ts';
import { mediaTypeOf } from './file/media-type.ts';
import { HeaderList, type HeadersInit } from './header-list.ts';
import { answerErrorsWith, HttpError } from './http-error.ts';
import type { Request } from './request.ts';
import { type BodyInit, type Content, collectContent, contentOf, StreamContent } from './response-body.ts';
import { isFinalStatus } from './status.ts';

/** What a Response can be given besides its body. */
export interface ResponseInit {
  /** Default 200. */
  status?: number;
  headers?: HeadersInit;
}

/** What the server still says to, and hears from, whoever has taken a connection over. */
export interface Takeover {
  /** Aborts when the server begins to stop: say goodbye now, for what is still open after `shutdownTimeout` is cut. */
  readonly stopping: AbortSignal;
  /** Hands an error to the server's `onError`. Nothing is answered: there is no response any more. */
  report(error: unknown): void;
}

/** Takes a connection over after its 101 has been written. `head` is what the client has sent already. */
export type TakeConnection = (socket: Duplex, head: Uint8Array, takeover: Takeover) => void;

/** A list for each Content-Type, checked and serialized once. Types may be made of what clients send: so many are kept, of this length. */
const TYPE_LISTS = new Map<string, HeaderList>();
const MOST_TYPES = 100;
const LONGEST_TYPE = 100;
const TEXT = typeList('text/plain; charset=utf-8');
const HTML = typeList('text/html; charset=utf-8');
const JSON_TYPE = typeList('application/json; charset=utf-8');
const SVG = typeList('image/svg+xml; charset=utf-8');

/**
 * An HTTP response. `with…` gives a new one and leaves this one as it is; both share the body.
 *
 * @example
 * const notFound = Response.html('<h1>Not here</h1>').withStatus(404);
 */
export class Response {
  readonly #brand = true;
  readonly status: number;
  /** @internal */
  readonly list: HeaderList;
  /** @internal */
  readonly content: Content;
  /** @internal */
  readonly take: TakeConnection | undefined;

  /**
   * @param body Text (sent as UTF-8, `text/plain` unless told), bytes, or a stream or iterable of them.
   * @param init Status (default 200) and header fields.
   * @throws TypeError when a header name is not a token or a value holds CR, LF or NUL; RangeError for a status that cannot be sent.
   */
  constructor(body?: BodyInit, init?: ResponseInit);
  /** @internal Of parts that have been checked. */
  constructor(marker: typeof CHECKED, status: number, list: HeaderList, content: Content, take: TakeConnection | undefined);
  constructor(
    body?: BodyInit | typeof CHECKED,
    init: ResponseInit | number = {},
    list?: HeaderList,
    content?: Content,
    take?: TakeConnection,
  ) {
    void this.#brand;
    if (body === CHECKED) {
      this.status = init as number;
      this.list = list as HeaderList;
      this.content = content;
      this.take = take;
      return;
    }
    const { status = 200, headers } = init as ResponseInit;
    const given = HeaderList.of(headers);
    this.status = checkedStatus(status);
    this.list =
      typeof body === 'string' && given.get('content-type') === undefined ? given.with('Content-Type', 'text/plain; charset=utf-8') : given;
    this.content = contentOf(body);
    this.take = undefined;
  }

  /** @internal Of parts that have been checked. */
  static ofParts(status: number, list: HeaderList, content: Content, take: TakeConnection | undefined): Response {
    return new Response(CHECKED, status, list, content, take);
  }

  /** Plain text, UTF-8. */
  static text(body: string): Response {
    return typed(TEXT, checkedText(body));
  }

  /** A page, UTF-8. Nothing is escaped. */
  static html(body: string): Response {
    return typed(HTML, checkedText(body));
  }

  /** An SVG image. */
  static svg(body: string): Response {
    return typed(SVG, checkedText(body));
  }

  /**
   * A value as JSON.
   *
   * @throws TypeError when it has no JSON form: undefined, a function, a cycle, a bigint.
   */
  static json(value: unknown): Response {
    let text: string | undefined;
    try {
      text = JSON.stringify(value);
    } catch (cause) {
      throw withCode(new TypeError(`Cannot make JSON: ${(cause as Error).message}`, { cause }), 'not-serializable');
    }
    if (text === undefined) throw withCode(new TypeError(`Cannot make JSON: ${typeof value} has no JSON form`), 'not-serializable');
    return typed(JSON_TYPE, text);
  }

  /** Bytes or text of any type. */
  static bytes(contentType: string, body: Uint8Array | string): Response {
    return typed(typeList(contentType), contentOf(body));
  }

  /**
   * A file, sent in pieces with its length, ETag and Last-Modified (RFC 9110 §8.8). Give it to `conditional` to have 304 and ranges.
   *
   * It is opened again when it is sent. Make one for each request when the file may change: ETag and Last-Modified are those of now.
   *
   * @param path Yours, not the client's: nothing is checked against a root. For paths of clients there is `serveDir`.
   * @param contentType Default: by extension, `application/octet-stream` when that says nothing.
   * @throws HttpError 404 when there is no regular file; any other failure (no permission) as it comes.
   * @example
   * if (match(request, 'GET /report')) return Response.file('/srv/report.pdf').withAttachment('report.pdf');
   */
  static file(path: string, contentType?: string): Response {
    const version = lookAtFile(path);
    const { etag, lastModified } = fileValidators(version, Date.now());
    const type = contentType ?? mediaTypeOf(path);
    const list = typeList(type).with('ETag', etag).with('Last-Modified', lastModified);
    return typed(list, new FileContent(path, version.size, version));
  }

  /**
   * A body that is produced while it is sent. When the source fails midway the connection is cut, so that nobody takes the body for whole.
   *
   * @param size Bytes, when they are known: sent as Content-Length.
   */
  static stream(contentType: string, body: BodyInit, size?: number): Response {
    return typed(typeList(contentType), contentOf(body, size));
  }

  /** Server-sent events: each is sent as soon as it comes. */
  static events(events: AsyncIterable<string | ServerSentEvent>): Response {
    return Response.stream('text/event-stream', serializeEvents(events)).withHeader('Cache-Control', 'no-cache');
  }

  /**
   * Sends the client elsewhere.
   *
   * @param location A URL or a path. Characters beyond ASCII are percent-encoded; CR and LF throw.
   * @param status Default 303: look there with GET.
   */
  static redirect(location: string, status: 301 | 302 | 303 | 307 | 308 = 303): Response {
    if (![301, 302, 303, 307, 308].includes(status)) {
      throw withCode(new RangeError(`Cannot redirect: status ${status} is not a redirect`), 'bad-status');
    }
    return Response.empty(status).withHeader('Location', encodeLocation(location));
  }

  /** No body; 204 unless told. */
  static empty(status = 204): Response {
    return new Response(CHECKED, checkedStatus(status), HeaderList.EMPTY, undefined, undefined);
  }

  /**
   * What the server would have answered: an HttpError its own, anything else a bare 500, of which `onError` does not hear.
   *
   * An error that is thrown goes past what finishes responses; one that is answered by this does not.
   *
   * @param error Anything that was thrown.
   * @param request Its Accept chooses JSON or text; without it the answer is text.
   * @example
   * try {
   *   return cors.apply(request, answer(request));
   * } catch (error) {
   *   if (error instanceof HttpError) return cors.apply(request, Response.fromError(error, request));
   *   throw error; // a bug: `onError` hears of it
   * }
   */
  static fromError(error: unknown, request?: Request): Response {
    const known = error instanceof HttpError ? error : new HttpError(500);
    return known.toResponse(request !== undefined && prefersJson(request.header('accept')));
  }

  /**
   * 101 Switching Protocols: after its head the connection is yours. The server need not know what for.
   *
   * @param protocol The value of Upgrade.
   * @param take Called with the socket, the bytes that came behind the request, and what ties it to the server.
   * @param headers Further fields of the 101.
   */
  static upgrade(protocol: string, take: TakeConnection, headers?: HeadersInit): Response {
    const list = HeaderList.of(headers).with('Upgrade', protocol);
    return new Response(CHECKED, 101, list, undefined, take);
  }

  /** In order. Fields that the server adds (Date, framing) are not among them. */
  get headers(): readonly (readonly [name: string, value: string])[] {
    return this.list.pairs();
  }

  /** The first value of a field; any case of `name` will do. */
  header(name: string): string | undefined {
    return this.list.get(name);
  }

  /** Whether the status is from 200 to 399. */
  get ok(): boolean {
    return this.status >= 200 && this.status <= 399;
  }

  /** Another status, from 200 to 999. */
  withStatus(status: number): Response {
    return this.#with(checkedStatus(status), this.list, this.content);
  }

  /** Replaces a field, or adds it. */
  withHeader(name: string, value: string): Response {
    return this.#with(this.status, this.list.with(name, value), this.content);
  }

  /** Adds a field line, whatever is there. */
  withAddedHeader(name: string, value: string): Response {
    return this.#with(this.status, this.list.withAdded(name, value), this.content);
  }

  /** Drops every line of a field. */
  withoutHeader(name: string): Response {
    return this.#with(this.status, this.list.without(name), this.content);
  }

  /** Another Content-Type. */
  withType(contentType: string): Response {
    return this.withHeader('Content-Type', contentType);
  }

  /** Another body; the header fields stay. */
  withBody(body: BodyInit): Response {
    return this.#with(this.status, this.list, contentOf(body));
  }

  /** Adds a cookie: HttpOnly, SameSite=Lax, Path=/ unless told. */
  withCookie(name: string, value: string, options?: CookieOptions): Response {
    return this.withAddedHeader('Set-Cookie', serializeSetCookie(name, value, options));
  }

  /** Removes a cookie from the browser; domain and path must be those it was set with. */
  withoutCookie(name: string, options?: Pick<CookieOptions, 'domain' | 'path'>): Response {
    const secure = /^__(?:Secure|Host)-/i.test(name);
    return this.withCookie(name, '', { ...options, maxAge: 0, expires: new Date(0), secure });
  }

  /**
   * Sets ETag (RFC 9110 §8.8.3).
   *
   * @param tag With or without its quotes; `W/"…"` makes it weak.
   */
  withEtag(tag: string): Response {
    const quoted = /^(?:W\/)?".*"$/.test(tag) ? tag : `"${tag}"`;
    if (!/^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/.test(quoted)) {
      throw withCode(new TypeError(`Cannot set ETag: ${JSON.stringify(tag)} holds a quote, a space or a control character`), 'bad-header');
    }
    return this.withHeader('ETag', quoted);
  }

  /** Sets Last-Modified, to the second. */
  withLastModified(at: Date): Response {
    if (Number.isNaN(at.getTime())) throw withCode(new RangeError('Cannot set Last-Modified: the date is invalid'), 'bad-header');
    return this.withHeader('Last-Modified', serializeDate(at));
  }

  /** Makes browsers save the body under a name: `attachment; filename="ascii"; filename*=UTF-8''…`. */
  withAttachment(filename: string): Response {
    return this.withHeader('Content-Disposition', serializeAttachment(filename));
  }

  /** Every cache may keep it for `maxAge` seconds. */
  withPublicCache(maxAge: number): Response {
    return this.withHeader('Cache-Control', `public, max-age=${checkedAge(maxAge)}`);
  }

  /** Only the client's own cache may keep it, for `maxAge` seconds. */
  withPrivateCache(maxAge: number): Response {
    return this.withHeader('Cache-Control', `private, max-age=${checkedAge(maxAge)}`);
  }

  /** Nobody may keep it. */
  withNoCache(): Response {
    return this.withHeader('Cache-Control', 'no-store');
  }

  /** The body as bytes; undefined when it is a stream. A file is read. */
  bytes(): Buffer | undefined {
    const content = this.content;
    if (content === undefined) return Buffer.alloc(0);
    if (typeof content === 'string') return Buffer.from(content);
    if (content instanceof StreamContent) return undefined;
    if (content instanceof FileContent) return content.bytes();
    return Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  }

  /** The body as text; undefined when it is a stream. */
  text(): string | undefined {
    return typeof this.content === 'string' ? this.content : this.bytes()?.toString('utf8');
  }

  /** The whole body, streams included. A stream is used up by it. */
  async collect(): Promise<Buffer> {
    if (this.content instanceof StreamContent) return collectContent(this.content.take());
    return this.bytes() as Buffer; // only a stream has none
  }

  /** @internal Lets go of a body that will not be sent. */
  dispose(): void {
    if (this.content instanceof StreamContent || this.content instanceof FileContent) this.content.drop();
  }

  /** @internal Another body, in one of its forms. */
  withContent(content: Content): Response {
    return this.#with(this.status, this.list, content);
  }

  #with(status: number, list: HeaderList, content: Content): Response {
    return new Response(CHECKED, status, list, content, this.take);
  }
}

/** Marks the constructor call that takes parts already checked. */
const CHECKED: unique symbol = Symbol('checked');

answerErrorsWith(answerTo);

function answerTo(error: HttpError, asJson: boolean): Response {
  const list = HeaderList.of(error.headers).with('X-Content-Type-Options', 'nosniff');
  if (!asJson) return typed(list.with('Content-Type', 'text/plain; charset=utf-8'), error.message, error.status);
  const body = JSON.stringify({ status: error.status, code: error.code, message: error.message, ...error.details });
  return typed(list.with('Content-Type', 'application/json; charset=utf-8'), body, error.status);
}

function typed(list: HeaderList, content: Content, status = 200): Response {
  return new Response(CHECKED, status, list, content, undefined);
}

function typeList(contentType: string): HeaderList {
  const known = TYPE_LISTS.get(contentType);
  if (known) return known;
  const list = HeaderList.of([['Content-Type', contentType]]);
  if (TYPE_LISTS.size < MOST_TYPES && contentType.length <= LONGEST_TYPE) TYPE_LISTS.set(contentType, list);
  return list;
}

function checkedText(body: string): string {
  if (typeof body === 'string') return body;
  throw new TypeError(`Cannot make a response: body is ${body === null ? 'null' : typeof body}, not a string`);
}

function checkedStatus(status: number): number {
  if (isFinalStatus(status)) return status;
  throw withCode(new RangeError(`Cannot make a response: status is ${status}, not a whole number from 200 to 999`), 'bad-status');
}

function checkedAge(seconds: number): number {
  if (Number.isSafeInteger(seconds) && seconds >= 0) return seconds;
  throw new RangeError(`Cannot set Cache-Control: max-age is ${seconds}, not a whole number of seconds`);
}

/** Percent-encodes what a URL cannot hold and leaves escapes alone; CR, LF and NUL stay, so that the header check refuses them. */
function encodeLocation(location: string): string {
  return location.toWellFormed().replace(/[^\x00-\x7f]+|[ "<>\\^`{|}]/g, encodeURIComponent);
}
