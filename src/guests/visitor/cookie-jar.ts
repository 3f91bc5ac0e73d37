/**
 * The cookies of a browser that visits one host (RFC 6265 §5.3 and §5.4, with the prefixes and the care for `Secure` of its successor draft).
 *
 * @module
 */
import { cookiePackage } from '../../process/lazy-packages.ts';

/** A cookie as it is kept. */
interface KeptCookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
  readonly isSecure: boolean;
  /** Absolute ms; undefined: until the browser ends. */
  readonly expiresAt: number | undefined;
}

/** A jar. */
export class CookieJar {
  readonly #host: string;
  readonly #secure: boolean;
  /** By name and path, in the order in which they came (§5.4: the earlier first). */
  readonly #cookies: Map<string, KeptCookie> = new Map();

  /** @param host Its name without port. @param secure Whether it is reached over TLS. */
  constructor(host: string, secure: boolean) {
    this.#host = host;
    this.#secure = secure;
  }

  /**
   * Takes a line of Set-Cookie, or drops what a browser would drop.
   *
   * @param requestPath The path of the request it answers: the cookie's own, without Path, is the folder of it (§5.1.4).
   * @param now Absolute ms.
   */
  set(line: string, requestPath: string, now: number): void {
    const cookie = cookiePackage().parseSetCookie(line, { decode: (value) => value });
    const { name, value = '', maxAge, expires, secure: isSecure = false } = cookie;
    const path = cookie.path?.startsWith('/') ? cookie.path : folderOf(requestPath);
    if (isSecure && !this.#secure) return;
    if (cookie.domain !== undefined && !this.#isWithin(cookie.domain)) return;
    if (/^__(?:Secure|Host)-/i.test(name) && !isSecure) return;
    if (/^__Host-/i.test(name) && (path !== '/' || cookie.domain !== undefined)) return;
    const expiresAt = maxAge === undefined ? expires?.getTime() : now + maxAge * 1000; // §5.3: Max-Age has precedence
    const key = `${name};${path}`;
    if (expiresAt !== undefined && expiresAt <= now) this.#cookies.delete(key);
    else this.#cookies.set(key, { name, value, path, isSecure, expiresAt });
  }

  /** The field Cookie for a path: longer paths first. Undefined without any. */
  fieldFor(path: string, now: number): string | undefined {
    const sent = this.#current(now)
      .filter((cookie) => isBelow(path, cookie.path))
      .toSorted((a, b) => b.path.length - a.path.length);
    return sent.length === 0 ? undefined : sent.map(({ name, value }) => `${name}=${value}`).join('; ');
  }

  /** All of them, by name. Of several with one name, that with the longest path. */
  all(now: number): Readonly<Record<string, string>> {
    const shortestFirst = this.#current(now).toSorted((a, b) => a.path.length - b.path.length);
    return Object.fromEntries(shortestFirst.map(({ name, value }) => [name, value]));
  }

  /** Forgets those that have no time of their own. */
  endSession(): void {
    for (const [key, { expiresAt }] of this.#cookies) if (expiresAt === undefined) this.#cookies.delete(key);
  }

  #current(now: number): KeptCookie[] {
    return [...this.#cookies.values()].filter(({ expiresAt }) => expiresAt === undefined || expiresAt > now);
  }

  /** Whether the host is a domain or lies in it (§5.1.3). */
  #isWithin(domain: string): boolean {
    const name = domain.replace(/^\./, '').toLowerCase();
    return this.#host === name || (this.#host.endsWith(`.${name}`) && !/^[\d.]+$|^\[/.test(this.#host));
  }
}

/** The default path: that of the request up to its last slash (§5.1.4). */
function folderOf(path: string): string {
  const end = path.lastIndexOf('/');
  return end <= 0 ? '/' : path.slice(0, end);
}

/** Whether a path matches that of a cookie (§5.1.4). */
function isBelow(path: string, cookiePath: string): boolean {
  return path === cookiePath || path.startsWith(cookiePath.endsWith('/') ? cookiePath : `${cookiePath}/`);
}
