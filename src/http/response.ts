/**
 * A response as a value: immutable, so that a constant of a module can be returned a million times.
 *
 * @module
 */
import { type BodyInit, bytesOf, type Content, collectContent, contentOf, StreamContent } from './body/response-body.ts';
import { checkedMarkup, checkedText, type HtmlText, jsonOf, refuseInit } from './body/text.ts';
import { checkOptions } from './errors/bad-option.ts';
import { bodyOfFailure, type ErrorReader, Failure, type FailureForm, fieldsOfFailure, formFor } from './errors/failure.ts';
import { type EventStreamOptions, eventContent, type ServerSentEvent } from './event-stream.ts';
import { serializeEtag, serializeLastModified, serializeMaxAge } from './fields/caching.ts';
import { serializeAttachment } from './fields/content-disposition.ts';
import { type CookieOptions, serializeSetCookie } from './fields/set-cookie.ts';
import { AbsentFile, FileContent } from './file/file-content.ts';
import { wholeFile } from './file/whole-file.ts';
import { HeaderList, type HeadersInit } from './header-list.ts';
import { checkedRedirect, checkedStatus } from './status.ts';
import { inThisContext, type TakeConnection } from './takeover.ts';
import { encodeLocation } from './target.ts';
import { HTML, JSON_TYPE, SVG, TEXT, typeList } from './type-list.ts';

/** What a Response can be given besides its body. */
export interface ResponseInit {
  /** Default 200. */
  status?: number | undefined;
  headers?: HeadersInit | undefined;
}

/**
 * An HTTP response. `with…` returns a new one and leaves this one as it is; both share the body.
 *
 * @example
 * const notFound = Response.html('<h1>Not here</h1>').withStatus(404);
 */
export class Response {
  readonly #brand = true;
  /** @internal An own field, so that assertions which compare two responses and `console.log` see it. */
  readonly ownStatus: number;
  /** @internal */
  readonly list: HeaderList;
  /** @internal */
  readonly content: Content;
  /** @internal */
  readonly take: TakeConnection | undefined;
  /** @internal The 200 that a 206 or 304 was made of. Its body is not sent. */
  readonly whole: Response | undefined;

  /**
   * @param body Text (sent as UTF-8, by default as `text/plain`), bytes, or a stream or iterable of them.
   * @param init Status (default 200) and header fields.
   * @throws TypeError for an unknown option, or a header name or value that cannot be sent; RangeError for a status that cannot.
   */
  constructor(body?: BodyInit, init?: ResponseInit);
  /** @internal Of parts that have been checked. */
  constructor(marker: typeof CHECKED, status: number, list: HeaderList, content: Content, take?: TakeConnection, whole?: Response);
  constructor(
    body?: BodyInit | typeof CHECKED,
    init: ResponseInit | number = {},
    list?: HeaderList,
    content?: Content,
    take?: TakeConnection,
    whole?: Response,
  ) {
    void this.#brand;
    this.take = take;
    this.whole = whole;
    if (body === CHECKED) {
      this.ownStatus = init as number;
      this.list = list as HeaderList;
      this.content = content;
      return;
    }
    checkOptions('Cannot make a response', init, KNOWN);
    const { status = 200, headers } = init as ResponseInit;
    const given = HeaderList.of(headers);
    this.ownStatus = checkedStatus(status);
    this.list =
      typeof body === 'string' && given.get('content-type') === undefined ? given.with('Content-Type', 'text/plain; charset=utf-8') : given;
    this.content = contentOf(body);
  }

  /** @internal Of parts that have already been checked. */
  static ofParts(status: number, list: HeaderList, content: Content, take?: TakeConnection, whole?: Response): Response {
    return new Response(CHECKED, status, list, content, take, whole);
  }

  /** Plain text, UTF-8. */
  static text(body: string): Response {
    return typed(TEXT, checkedText(body));
  }

  /** A page, UTF-8: text, which is sent as it is, or HTML that `html` or another library has made. */
  static html(body: string | HtmlText): Response {
    return typed(HTML, checkedMarkup(body));
  }

  /** An SVG image. */
  static svg(body: string | HtmlText): Response {
    return typed(SVG, checkedMarkup(body));
  }

  /** A value as JSON. @throws TypeError when it has no JSON form: undefined, a function, a cycle, a bigint, a request or its body. */
  static json(value: unknown): Response;
  static json(value: unknown, init?: unknown): Response {
    return typed(JSON_TYPE, init === undefined ? jsonOf(value) : refuseInit());
  }

  /** Bytes or text of any type. */
  static bytes(contentType: string, body: Uint8Array | string): Response {
    return typed(typeList(contentType), contentOf(body));
  }

  /**
   * A file, sent in pieces with its length, ETag and Last-Modified (RFC 9110 §8.8). Give it to `conditional` to have 304 and ranges.
   *
   * It is opened again when it is sent. Make one for each request if the file may change: ETag and Last-Modified are those of this moment.
   *
   * @param path Yours, not the client's: it is not checked against a root. For paths from clients there is `serveDir`.
   * @param contentType Default: by extension, `application/octet-stream` when that says nothing.
   * @throws HttpError 404 when there is no regular file; any other failure (no permission) as it is.
   * @example
   * if (match(request, 'GET /report')) return Response.file('/srv/report.pdf').withAttachment('report.pdf');
   */
  static file(path: string, contentType?: string): Response {
    const { fields, content } = foundOr404(() => wholeFile(path, contentType));
    return typed(fields, content);
  }

  /**
   * A body that is produced while it is sent. When the source fails midway the connection is cut, so that nobody takes the body for complete.
   *
   * @param size Bytes, when known: sent as Content-Length.
   */
  static stream(contentType: string, body: BodyInit, size?: number): Response {
    return typed(typeList(contentType), contentOf(body, size));
  }

  /** Server-sent events: each is sent as soon as it arrives. They end when the server stops; browsers then connect again. */
  static events(events: AsyncIterable<string | ServerSentEvent>, options?: EventStreamOptions): Response {
    return typed(typeList('text/event-stream'), eventContent(events, options)).withHeader('Cache-Control', 'no-cache');
  }

  /**
   * Redirects the client.
   *
   * @param location A URL or a path. What a URL cannot hold is percent-encoded; control characters throw: browsers strip them.
   * @param status Default 303: the client follows with GET.
   */
  static redirect(location: string, status: 301 | 302 | 303 | 307 | 308 = 303): Response {
    return Response.empty(checkedRedirect(status)).withHeader('Location', encodeLocation(location));
  }

  /** No body. Status 204 by default. */
  static empty(status = 204): Response {
    return new Response(CHECKED, checkedStatus(status), HeaderList.EMPTY, undefined);
  }

  /**
   * The server's answer to an error: what an HttpError says, and a bare 500 for anything else. `onError` is not called.
   *
   * For code that catches errors itself. `finish` does so for the whole of an answer.
   *
   * @param error Anything that was thrown.
   * @param request Its server's option `errors`, or its Accept, chooses the form; without it the answer is text.
   * @example
   * try {
   *   return Response.json(readJson(request));
   * } catch (error) {
   *   if (!(error instanceof HttpError)) throw error; // a bug: the server calls `onError`
   *   return Response.fromError(error, request).withHeader('Retry-After', '5');
   * }
   */
  static fromError(error: unknown, request?: ErrorReader): Response {
    const known = error instanceof HttpError ? error : new HttpError(500);
    return known.toResponse(request === undefined ? 'text' : formFor(request));
  }

  /**
   * 101 Switching Protocols: after its head the connection is yours, for any protocol.
   *
   * @param protocol The value of Upgrade.
   * @param take Called with the socket, the bytes that followed the request, and what still ties the connection to the server.
   * @param headers Further fields of the 101.
   */
  static upgrade(protocol: string, take: TakeConnection, headers?: HeadersInit): Response {
    return new Response(CHECKED, 101, HeaderList.of(headers).with('Upgrade', protocol), undefined, inThisContext(take));
  }

  /** From 200 to 999, or 101. For another one there is `withStatus`. */
  get status(): number {
    return this.ownStatus;
  }

  /** In order, as a copy. Fields that the server adds (Date, framing) are not among them. */
  get headers(): [name: string, value: string][] {
    return this.list.pairs();
  }

  /** The first value of a field; any case of `name` will do. */
  header(name: string): string | undefined {
    return this.list.get(name);
  }

  /** All values of a field, one for each line, as of Set-Cookie; any case of `name` will do. */
  headerAll(name: string): string[] {
    return this.list.all(name);
  }

  /** Whether the status is from 200 to 399. */
  get ok(): boolean {
    return this.status >= 200 && this.status <= 399;
  }

  /** Another status, from 200 to 999. */
  withStatus(status: number): Response {
    return Response.ofParts(checkedStatus(status), this.list, this.content, this.take, this.whole);
  }

  /** Replaces a field, or adds it. */
  withHeader(name: string, value: string): Response {
    return Response.ofParts(this.status, this.list.with(name, value), this.content, this.take, this.whole);
  }

  /** Adds a field line, keeping those that are there. */
  withAddedHeader(name: string, value: string): Response {
    return Response.ofParts(this.status, this.list.withAdded(name, value), this.content, this.take, this.whole);
  }

  /** Drops every line of a field. */
  withoutHeader(name: string): Response {
    return Response.ofParts(this.status, this.list.without(name), this.content, this.take, this.whole);
  }

  /** Another Content-Type. */
  withType(contentType: string): Response {
    return this.withHeader('Content-Type', contentType);
  }

  /** Another body; the header fields stay. */
  withBody(body: BodyInit): Response {
    return Response.ofParts(this.status, this.list, contentOf(body), this.take, this.whole);
  }

  /** Adds a cookie. By default HttpOnly, SameSite=Lax, Path=/. */
  withCookie(name: string, value: string, options?: CookieOptions): Response {
    return this.withAddedHeader('Set-Cookie', serializeSetCookie(name, value, options));
  }

  /** Removes a cookie from the browser. The attributes must be those it was set with; a `__Secure-` or `__Host-` name is secure by itself. */
  withoutCookie(name: string, options?: Omit<CookieOptions, 'maxAge' | 'expires'>): Response {
    const secure = options?.secure ?? /^__(?:Secure|Host)-/i.test(name);
    return this.withCookie(name, '', { ...options, maxAge: 0, expires: new Date(0), secure });
  }

  /** Sets ETag (RFC 9110 §8.8.3). @param tag With or without its quotes; `W/"…"` makes it weak. */
  withEtag(tag: string): Response {
    return this.withHeader('ETag', serializeEtag(tag));
  }

  /** Sets Last-Modified, to the second. */
  withLastModified(at: Date): Response {
    return this.withHeader('Last-Modified', serializeLastModified(at));
  }

  /** Makes browsers save the body under a name: `attachment; filename="ascii"; filename*=UTF-8''…`. */
  withAttachment(filename: string): Response {
    return this.withHeader('Content-Disposition', serializeAttachment(filename));
  }

  /** Any cache may keep it for `maxAge` seconds. */
  withPublicCache(maxAge: number): Response {
    return this.withHeader('Cache-Control', serializeMaxAge('public', maxAge));
  }

  /** Only the client's own cache may keep it, for `maxAge` seconds. */
  withPrivateCache(maxAge: number): Response {
    return this.withHeader('Cache-Control', serializeMaxAge('private', maxAge));
  }

  /** No cache may keep it. */
  withNoCache(): Response {
    return this.withHeader('Cache-Control', 'no-store');
  }

  /** The body as bytes; undefined when it is a stream. A file is read. */
  bytes(): Buffer | undefined {
    return foundOr404(() => bytesOf(this.content));
  }

  /** The body as text; undefined when it is a stream. */
  text(): string | undefined {
    return typeof this.content === 'string' ? this.content : this.bytes()?.toString('utf8');
  }

  /** The body parsed as JSON; undefined when it is a stream. @throws SyntaxError when it is not JSON. */
  json(): unknown {
    const text = this.text();
    return text === undefined ? undefined : JSON.parse(text);
  }

  /** The whole body, streams included. This uses a stream up. */
  async collect(): Promise<Buffer> {
    return this.content instanceof StreamContent ? collectContent(this.content.take()) : (this.bytes() as Buffer); // only a stream has none
  }

  /** @internal Releases a body that will not be sent. */
  dispose(): void {
    if (this.content instanceof StreamContent || this.content instanceof FileContent) this.content.drop();
  }

  /** @internal Another body, in one of its forms. */
  withContent(content: Content): Response {
    return Response.ofParts(this.status, this.list, content, this.take, this.whole);
  }
}

const KNOWN: ReadonlySet<string> = new Set(['status', 'headers']);
/** Marks the constructor call that takes parts already checked. */
const CHECKED: unique symbol = Symbol('checked');

/**
 * An error with a status: the server answers it with its message.
 *
 * @example
 * if (!user) throw new HttpError(403, 'Only members may vote');
 */
export class HttpError extends Failure {
  /** The answer, as text/plain. The server answers in the form that its option `errors` asks for. */
  get response(): Response {
    return this.toResponse('text');
  }

  /** @internal The answer in one of its forms. */
  toResponse(form: FailureForm): Response {
    return typed(fieldsOfFailure(this, form), bodyOfFailure(this, form), this.status);
  }
}

function typed(list: HeaderList, content: Content, status = 200): Response {
  return new Response(CHECKED, status, list, content);
}

function foundOr404<T>(look: () => T): T {
  try {
    return look();
  } catch (error) {
    throw error instanceof AbsentFile ? new HttpError(404, undefined, { cause: error.cause }) : error;
  }
}
