/**
 * A visitor for tests: calls a handler as a browser would call its server, time after time, and keeps the cookies (RFC 6265 §5).
 *
 * No socket is opened. A handler that returns a Response is called and answered in one tick, so that a test without `await` stays one.
 *
 * @module
 */
import { finish } from '../exchange/finish.ts';
import type { Handler } from '../exchange/respond.ts';
import { badOption, checkBoolean, checkFunction, checkOptions, checkString } from '../http/errors/bad-option.ts';
import { isHost } from '../http/grammar.ts';
import { HeaderList } from '../http/header-list.ts';
import { Request, type RequestInit } from '../http/request.ts';
import { Response } from '../http/response.ts';
import { CookieJar } from './visitor/cookie-jar.ts';

/** Who visits. */
export interface VisitorOptions {
  /** The host that is asked for, sent as Host. Default `localhost`. */
  host?: string | undefined;
  /** Whether it comes over TLS: only then are cookies with `Secure` kept and sent. Default false. */
  secure?: boolean | undefined;
  /** Its address. Default `127.0.0.1`. */
  remoteAddress?: string | undefined;
}

/** What comes of a request: a Response, or a promise of one where the handler returns one. */
export type VisitorAnswer<H extends Handler> = [ReturnType<H>] extends [Response]
  ? Response
  : [Extract<ReturnType<H>, Response>] extends [never]
    ? Promise<Response>
    : Response | Promise<Response>;

const SUBJECT = 'Cannot create a visitor';
const KNOWN: ReadonlySet<string> = new Set(['host', 'secure', 'remoteAddress']);

/** Somebody who calls a handler again and again, with the cookies that came before. */
export class Visitor<H extends Handler> {
  readonly #handler: H;
  readonly #host: string;
  readonly #secure: boolean;
  readonly #remoteAddress: string;
  readonly #jar: CookieJar;

  /** @internal See `createVisitor`. */
  constructor(handler: H, { host = 'localhost', secure = false, remoteAddress = '127.0.0.1' }: VisitorOptions) {
    this.#handler = handler;
    this.#host = host;
    this.#secure = secure;
    this.#remoteAddress = remoteAddress;
    this.#jar = new CookieJar(hostNameOf(host), secure);
  }

  /**
   * Has the handler answer a request, and keeps the cookies of the response.
   *
   * Cookies are added to the request unless it brings a field Cookie of its own. Redirects are not followed: a test sees them. An HttpError becomes
   * the answer that the server would have sent; what would have been a 500 is thrown.
   *
   * @param init As for `new Request`. Host, address and whether it came over TLS are the visitor's unless they are given.
   */
  send(init: RequestInit = {}): VisitorAnswer<H> {
    const target = init.target ?? '/';
    const request = new Request({
      ...init,
      remoteAddress: init.remoteAddress ?? this.#remoteAddress,
      secure: init.secure ?? (this.#secure || init.clientCertificate !== undefined),
      headers: this.#headersFor(target, init).pairs(),
    });
    const answer: Response | Promise<Response> = finish(request, this.#handler as Handler);
    const kept = answer instanceof Response ? this.#keep(request, answer) : answer.then((response) => this.#keep(request, response));
    return kept as VisitorAnswer<H>; // `finish` gives a promise where the handler does
  }

  /** The cookies it has, by name, those of all paths, as they would be sent. */
  get cookies(): Readonly<Record<string, string>> {
    return this.#jar.all(Date.now());
  }

  /** Forgets the cookies that end with the browser: those without Max-Age and Expires. */
  restart(): void {
    this.#jar.endSession();
  }

  #headersFor(target: string, { headers }: RequestInit): HeaderList {
    const given = HeaderList.of(headers);
    const withHost = given.get('host') === undefined ? given.withAdded('Host', this.#host) : given;
    const cookies = withHost.get('cookie') === undefined ? this.#jar.fieldFor(new Request({ target }).path, Date.now()) : undefined;
    return cookies === undefined ? withHost : withHost.withAdded('Cookie', cookies);
  }

  #keep({ path }: Request, response: Response): Response {
    for (const line of response.headerAll('set-cookie')) this.#jar.set(line, path, Date.now());
    return response;
  }
}

/**
 * Creates a visitor.
 *
 * @param handler The function that is given to `startServer`.
 * @throws TypeError (code `bad-option`) for a wrong option.
 * @example
 * const visitor = createVisitor(app);
 * visitor.send({ method: 'POST', target: '/login', body: new URLSearchParams({ user: 'ada' }) });
 * assert.equal(visitor.send({ target: '/me' }).text(), 'ada'); // with the cookie of the login
 */
export function createVisitor<H extends Handler>(handler: H, options: VisitorOptions = {}): Visitor<H> {
  checkFunction(SUBJECT, 'the handler', handler);
  checkOptions(SUBJECT, options, KNOWN);
  const { host, secure, remoteAddress } = options;
  checkHost(host);
  if (secure !== undefined) checkBoolean(SUBJECT, 'secure', secure);
  if (remoteAddress !== undefined) checkString(SUBJECT, 'remoteAddress', remoteAddress);
  return new Visitor(handler, options);
}

function checkHost(host: unknown): void {
  if (host === undefined || (typeof host === 'string' && host !== '' && isHost(host))) return;
  throw badOption(SUBJECT, `host is ${JSON.stringify(host)}, not a host name, with or without a port`);
}

/** The host without its port. */
function hostNameOf(host: string): string {
  return host.replace(/:\d*$/, '').toLowerCase();
}
