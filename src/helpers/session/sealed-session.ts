/**
 * Sessions whose data travels in a sealed cookie.
 *
 * @module
 */
import type { Request } from '../../http/request.ts';
import type { Response } from '../../http/response.ts';
import type { Session } from '../session.ts';
import { isAlive, type KeptSession, nowInSeconds, SessionDraft } from './draft.ts';
import { cookieFor, cookieValue, type SessionCookie, type SessionRules } from './rules.ts';
import { seal, unseal } from './seal.ts';
import { varying, withoutSessionCookie, withSessionCookie } from './set-cookie.ts';

/** Makes `open`. */
export function openSealed<T extends object>(rules: SessionRules): (request: Request) => Session<T> {
  return (request) => {
    const cookie = cookieFor(rules, request);
    const value = cookieValue(cookie, request);
    const kept = value === undefined ? undefined : unseal(rules.secrets, cookie.name, value);
    const isOpen = kept !== undefined && isAlive(kept, rules, nowInSeconds());
    return new SealedSession<T>(rules, isOpen ? kept : undefined, cookie, value !== undefined);
  };
}

class SealedSession<T extends object> extends SessionDraft<T> implements Session<T> {
  readonly #rules: SessionRules;
  readonly #cookie: SessionCookie;
  readonly #hasCookie: boolean;

  constructor(rules: SessionRules, kept: KeptSession | undefined, cookie: SessionCookie, hasCookie: boolean) {
    super(rules, kept);
    this.#rules = rules;
    this.#cookie = cookie;
    this.#hasCookie = hasCookie;
  }

  save(response: Response): Response {
    try {
      const finished = this.#finish(response);
      return this.isLookedAt ? varying(finished) : finished;
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
    const [secret] = this.#rules.secrets as readonly [string]; // there is at least one
    return withSessionCookie(response, this.#cookie, seal(secret, this.#cookie.name, kept), kept.expires - now);
  }
}
