/**
 * A parsed request, and what ties it to its exchange. The server makes one for each request it receives; tests and scripts make their own.
 *
 * @module
 */
import type { X509Certificate } from 'node:crypto';
import type { Notes } from '../process/watching/notes.ts';
import { sayNoJson } from './body/no-json.ts';
import { RequestBody } from './body/request-body.ts';
import { serverStops } from './errors/abort-reason.ts';
import { withCode } from './errors/error-codes.ts';
import { type ErrorFormat, errorFormatOf } from './errors/failure.ts';
import type { FieldLines } from './field-lines.ts';
import { HeaderList, type HeadersInit } from './header-list.ts';
import { type Extras, noExtras } from './request/extras.ts';
import { linesWith, partsOf, type RequestInit, requestOf } from './request/init.ts';
import {
  type Carrier as CarrierOf,
  type ErrorAnswers as ErrorAnswersOf,
  type Peer as PeerOf,
  type PeerServer as PeerServerOf,
  peerOf,
} from './request/peer.ts';
import { routeKnown } from './request/route-known.ts';
import { encodePath, type TargetParts } from './target.ts';

export type { RequestInit } from './request/init.ts';

/** The version of HTTP a request came in. */
export type HttpVersion = '1.0' | '1.1' | '2.0';

/** @internal A request head as an engine has parsed it. */
export interface RequestHead {
  readonly method: string;
  readonly target: string;
  readonly httpVersion: HttpVersion;
  readonly lines: FieldLines;
}

/** @internal The other end. One object for all requests of a connection, unless a trusted proxy forwards for others. */
export type Peer = PeerOf<Request>;
/** @internal What a request knows of the server it came to. */
export type PeerServer = PeerServerOf<Request>;
/** How a server answers errors. */
export type ErrorAnswers = ErrorAnswersOf<Request>;
/** @internal Carries messages other than the response to a client. */
export type Carrier = CarrierOf<Request>;

/**
 * A parsed HTTP request with its body.
 *
 * @example
 * const request = new Request({ method: 'POST', target: '/login', body: new URLSearchParams({ user: 'ada' }) });
 * const response = answer(request); // a handler is a function: this is a whole test
 */
export class Request {
  /** @internal Own fields with all that was parsed, so that `console.log` shows it; what handlers read cannot be assigned. */
  readonly head: RequestHead;
  /** @internal */
  readonly parts: TargetParts;
  /** @internal When its last byte was read, monotonic ms; NaN when it was made by hand. */
  readonly readAt: number;
  /** @internal Of those who watch it: not there when nobody does. */
  declare notes?: Notes;
  readonly #body: RequestBody;
  readonly #peer: Peer;
  #route: string | undefined;
  #isOver: boolean;
  /** What few requests need: created on demand, since every request that comes is one of these objects. */
  #extras: Extras<Request> | undefined;

  /**
   * Makes a request by hand.
   *
   * @throws TypeError when the method is not a token, a header is malformed, the target would be refused with 400, or an option is unknown or
   *   has a wrong type (code `bad-option`).
   */
  constructor(init?: RequestInit);
  /** @internal */
  constructor(head: RequestHead, target: TargetParts, peer: Peer, body: RequestBody);
  constructor(init: RequestInit | RequestHead = {}, target?: TargetParts, peer?: Peer, body?: RequestBody) {
    if (target) {
      this.head = init as RequestHead;
      this.parts = target;
      this.#body = body as RequestBody; // given with the parts
    } else {
      const made = requestOf(init);
      this.head = made.head;
      this.parts = partsOf(made.head.target);
      this.#body = made.bytes ? new RequestBody(made.bytes) : RequestBody.EMPTY;
    }
    this.#peer = peer ?? peerOf(init as RequestInit);
    this.readAt = this.#peer.readAt;
    this.#route = undefined;
    this.#isOver = false;
    this.#extras = undefined;
  }

  /** As sent: methods are case-sensitive (RFC 9110 §9.1). */
  get method(): string {
    return this.head.method;
  }

  /** Exactly as sent. */
  get target(): string {
    return this.head.target;
  }

  get httpVersion(): HttpVersion {
    return this.head.httpVersion;
  }

  /**
   * The one path that routes, guards, files, CGI and proxy all use: no query, each segment percent-decoded once (a decoded `/` stays `%2F`,
   * a literal `%2F` is `%252F`), `.` and `..` resolved, `//` merged. Targets with NUL, a bad escape, bad UTF-8 or `\` never reach a handler.
   */
  get path(): string {
    return this.parts.path;
  }

  /** What follows the first `?`, as sent; empty without one. */
  get rawQuery(): string {
    return this.parts.rawQuery;
  }

  get body(): RequestBody {
    return this.#body;
  }

  /** The query, decoded. Parsed at the first access. */
  get query(): URLSearchParams {
    const extras = this.#extend();
    extras.query ??= new URLSearchParams(this.rawQuery);
    return extras.query;
  }

  /** The authority of an absolute-form target (RFC 9112 §3.2.2), what a trusted proxy says, or Host. */
  get host(): string | undefined {
    return this.parts.authority ?? this.#peer.host ?? this.head.lines.get('host');
  }

  /** Whether the client came over TLS, to us or to a trusted proxy. */
  get secure(): boolean {
    return this.#peer.secure;
  }

  /**
   * The certificate of a client that was asked for one (`tls.clientCertificates`), if it gave one that the server's `ca` vouches for. Its name is in
   * `subject`, its owner may be known by `fingerprint256`.
   */
  get clientCertificate(): X509Certificate | undefined {
    return this.#peer.clientCertificate;
  }

  /** The client's address, through trusted proxies only; undefined on a unix socket. */
  get remoteAddress(): string | undefined {
    return this.#peer.remoteAddress;
  }

  /** The client's port; undefined on a unix socket or behind a trusted proxy. */
  get remotePort(): number | undefined {
    return this.#peer.remotePort;
  }

  /** All fields, in the order and case in which they came: a copy, as `new Headers(request.headers)` and `new Map(…)` take it. */
  get headers(): [name: string, value: string][] {
    return this.head.lines.pairs();
  }

  /** The first value of a field; any case of `name` will do. */
  header(name: string): string | undefined {
    return this.head.lines.get(name);
  }

  /** All values of a field, one for each line. */
  headerAll(name: string): string[] {
    return this.head.lines.all(name);
  }

  /** @internal What a parser makes of all values of a field; it is called once when a connection repeats its fields. */
  headerParsed<T>(name: string, parse: (value: string | undefined) => T): T {
    return this.head.lines.parsed(name, parse);
  }

  /** @internal How errors are written for it. */
  get errorFormat(): ErrorFormat {
    return errorFormatOf(this.#peer.server?.options.errors ?? 'auto', this);
  }

  /** Aborts when the client is gone (an `AbortError`) or `handlerTimeout` is over (a `TimeoutError`). */
  get signal(): AbortSignal {
    const extras = this.#extend();
    if (extras.origin) return extras.origin.signal;
    if (!extras.controller) {
      extras.controller = new AbortController();
      if (extras.abortReason !== undefined) extras.controller.abort(extras.abortReason);
    }
    return extras.controller.signal;
  }

  /**
   * Aborts (with an `AbortError`) when the server begins to drain: the moment to end a stream or a long poll. Event streams end by themselves.
   *
   * @example
   * const news = await Promise.race([next(), once(request.stopping, 'abort')]);
   */
  get stopping(): AbortSignal {
    const extras = this.#extend();
    if (extras.origin) return extras.origin.stopping;
    if (!extras.stopping) {
      extras.stopping = new AbortController();
      const takeBack = this.#peer.server?.stopping.when(() => this.stop());
      if (takeBack) this.onEnd(takeBack);
    }
    return extras.stopping.signal;
  }

  /** @internal The server begins to stop. Called by what outlives the exchange: a connection that was taken over. */
  stop(): void {
    this.#extras?.stopping?.abort(serverStops());
  }

  /** The pattern that matched last, `/users/{id}`: for logs and traces. */
  get route(): string | undefined {
    return this.#route;
  }

  /**
   * Cuts a prefix off the path, for code that does not care where it is mounted.
   *
   * @param prefix Whole segments, as in `/static`.
   * @returns For `/static/a.css` a request for `/a.css` with the same body and signal; undefined when the path lies elsewhere, as `/staticfoo` does.
   */
  withoutPrefix(prefix: string): Request | undefined {
    const base = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;
    if (!this.path.startsWith(base)) return undefined;
    const rest = this.path.slice(base.length);
    if (rest !== '' && rest.charCodeAt(0) !== 0x2f /* / */) return undefined;
    const path = rest === '' ? '/' : rest;
    const target = encodePath(path) + (this.rawQuery === '' ? '' : `?${this.rawQuery}`);
    return this.#derive(target, { path, rawQuery: this.rawQuery, authority: this.parts.authority }, this.head.lines, base);
  }

  /**
   * Replaces a field, or adds it, for code that is to see another request than the one that came: an application inside, or a server behind `proxy`.
   *
   * @returns A request with the same body, signal and route. This one stays as it is.
   * @throws TypeError (code `bad-header`) for a name or value that cannot be sent, and for a field that tells how the request came: those of the
   *   connection, Content-Length, and Host, which `request.host` has from a trusted proxy as well.
   * @example
   * if (session.data.user) return proxy(request.withHeader('X-User', session.data.user), 'http://localhost:9000');
   */
  withHeader(name: string, value: string): Request {
    return this.#derive(this.target, this.parts, linesWith(this.headers, name, value), '');
  }

  /** A request made from this one. @param prefix What was cut off the path. */
  #derive(target: string, parts: TargetParts, lines: FieldLines, prefix: string): Request {
    const head: RequestHead = { method: this.method, target, httpVersion: this.httpVersion, lines };
    const derived = new Request(head, parts, this.#peer, this.body);
    const extras = derived.#extend();
    extras.origin = this;
    extras.prefix = prefix;
    return derived;
  }

  /** @internal The request as it came, of which this one may be a cut. */
  get original(): Request {
    return this.#extras?.origin?.original ?? this;
  }

  /**
   * @internal Sends an interim response (RFC 9110 §15.2), at once: also when the handler blocks behind it. Nothing is sent to a client of HTTP/1.0,
   * which must not get one, after the response, or without a client. Fields of the connection and of the framing are left out.
   *
   * @throws RangeError (code `bad-status`) for a status that is not from 102 to 199: 100 and 101 are the engine's. TypeError (`bad-header`).
   */
  sendInterim(status: number, headers?: HeadersInit): void {
    if (!Number.isInteger(status) || status < 102 || status > 199) {
      throw withCode(new RangeError(`Cannot send interim response: status is ${String(status)}, not 102 to 199`), 'bad-status');
    }
    const fields = HeaderList.of(headers);
    if (this.httpVersion !== '1.0') this.#peer.carrier?.sendInterim(this.original, status, fields);
  }

  /** @internal Called by `match` and `router`. @param wasTold Whether that was in another thread, where whoever wants to know was told. */
  matched(route: string, wasTold: boolean = false): void {
    this.#route = route;
    if (this.#extras?.origin) this.#extras.origin.matched(this.#extras.prefix + route);
    else if (!wasTold) routeKnown(this, route);
  }

  /** @internal Called by the server when the client is gone or the time is up. */
  abort(reason: Error): void {
    const extras = this.#extend();
    if (extras.abortReason) return;
    extras.abortReason = reason;
    extras.controller?.abort(reason);
    for (const callback of extras.onAbort ?? []) callback(reason);
  }

  /** @internal Calls a function when the client is gone or the time is up; at once when that has already happened. Costs less than a signal. */
  whenAborted(callback: (reason: Error) => void): void {
    const extras = this.original.#extend();
    if (extras.abortReason) callback(extras.abortReason);
    else extras.onAbort = [...(extras.onAbort ?? []), callback];
  }

  /** @internal Why its signal has aborted, if it has. */
  get abortReason(): Error | undefined {
    return this.original.#extras?.abortReason;
  }

  /** @internal Whether anything waits for the end. */
  get hasEndings(): boolean {
    return this.#extras?.endings !== undefined && this.#extras.endings.length > 0;
  }

  /** @internal The field lines as they came. */
  get lines(): FieldLines {
    return this.head.lines;
  }

  /** @internal The client that sent it. */
  get peer(): Peer {
    return this.#peer;
  }

  /** @internal Calls a function when the response has been sent or the client is gone; at once when that has already happened. */
  onEnd(callback: () => void): void {
    const extras = this.#extend();
    if (extras.origin) return extras.origin.onEnd(callback);
    if (this.#isOver) return callback();
    (extras.endings ??= []).push(callback);
  }

  /** @internal Called by the server when the exchange is over, however it ended. */
  release(): void {
    this.#isOver = true;
    const endings = this.#extras?.endings;
    if (endings) for (const callback of endings.splice(0)) callback();
  }

  #extend(): Extras<Request> {
    this.#extras ??= noExtras();
    return this.#extras;
  }
}

sayNoJson(Request, 'a request', 'what its client has sent is readJson(request)');
