/**
 * Sessions whose data travels in a sealed cookie.
 *
 * @module
 */
import type { Request } from '../../http/request.ts';
import type { Response } from '../../http/response.ts';
import { checkResponse, withVary } from '../finishing/finisher.ts';
import { isAlive, type KeptSession, nowInSeconds, type SessionBase, SessionDraft } from './draft.ts';
import { cookieFor, cookieValues, type SessionCookie, type SessionRules } from './rules.ts';
import { Sealer } from './seal.ts';
import { withoutSessionCookie, withSessionCookie } from './set-cookie.ts';

/** A session in a sealed cookie. */
export interface Session<T> extends SessionBase<T> {
  /**
   * Adds the cookie to the response where one is due: the data has changed, `regenerate` or `destroy` was called, or a tenth of `ttl` has
   * passed since the last one.
   *
   * With a cookie comes `Cache-Control: no-store`, unless the response says `private` or `no-store` itself; where `data` or `isNew` was looked
   * at, `Vary: Cookie`.
   *
   * @returns A new response; the one that was given stays as it is.
   * @throws Error (code `session-too-large`) when the cookie would have more than 4096 bytes, TypeError (`not-serializable`) for data without a
   *   JSON form, TypeError (`bad-option`) when `response` is none.
   */
  save(response: Response): Response;
}

/** Opens the sessions that lie in sealed cookies. */
export interface Sessions<T> {
  /** The client's session, or a new one. */
  open(request: Request): Session<T>;
}

/** Returns the function that opens sessions for requests. */
export function openSealed<T extends object>(rules: SessionRules): (request: Request) => Session<T> {
  const sealer = new Sealer(rules.secrets);
  return (request) => {
    const session = sessionOf<T>(rules, sealer, request);
    rules.losses.watch(request, session);
    return session;
  };
}

function sessionOf<T extends object>(rules: SessionRules, sealer: Sealer, request: Request): SealedSession<T> {
  const cookie = cookieFor(rules, request);
  const values = cookieValues(cookie, request);
  for (const value of values) {
    const kept = sealer.open(cookie.name, value);
    if (kept !== undefined && isAlive(kept, rules, nowInSeconds())) return new SealedSession<T>(rules, sealer, kept, cookie, true);
  }
  return new SealedSession<T>(rules, sealer, undefined, cookie, values.length > 0);
}

class SealedSession<T extends object> extends SessionDraft<T> implements Session<T> {
  readonly #sealer: Sealer;
  readonly #cookie: SessionCookie;
  readonly #hasCookie: boolean;

  constructor(rules: SessionRules, sealer: Sealer, kept: KeptSession | undefined, cookie: SessionCookie, hasCookie: boolean) {
    super(rules, kept);
    this.#sealer = sealer;
    this.#cookie = cookie;
    this.#hasCookie = hasCookie;
  }

  save(response: Response): Response {
    checkResponse('Cannot save session', response);
    try {
      const finished = this.#finish(response);
      return this.isLookedAt ? withVary(finished, 'Cookie') : finished;
    } catch (error) {
      response.dispose(); // it will not be sent
      throw error;
    }
  }

  #finish(response: Response): Response {
    const now = nowInSeconds();
    const outcome = this.outcome(now);
    if (outcome.kind === 'end') return this.#hasCookie ? withoutSessionCookie(response, this.#cookie) : response;
    if (outcome.kind === 'leave') return response;
    const { kept } = outcome;
    return withSessionCookie(response, this.#cookie, this.#sealer.seal(this.#cookie.name, kept), kept.expires - now);
  }
}
