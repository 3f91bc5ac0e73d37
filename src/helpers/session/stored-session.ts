/**
 * Sessions whose data lies in a store, under a name that travels in a signed cookie.
 *
 * @module
 */
import type { Request } from '../../http/request.ts';
import type { Response } from '../../http/response.ts';
import type { SessionStore } from '../../process/stores.ts';
import { withVary } from '../finishing/with-vary.ts';
import { isAlive, type KeptSession, nowInSeconds, type SessionBase, SessionDraft } from './draft.ts';
import { cookieFor, cookieValues, type SessionCookie, type SessionRules } from './rules.ts';
import { withoutSessionCookie, withSessionCookie } from './set-cookie.ts';
import { createId, IdSigner } from './signed-id.ts';

/** A session in a store. */
export interface StoredSession<T> extends SessionBase<T> {
  /** Does what `save` of a sealed session does. When the promise resolves the data is in the store, for the next request to find. Rejects when the store does. */
  save(response: Response): Promise<Response>;
}

/** Opens the sessions that lie in a store. */
export interface StoredSessions<T> {
  /** The client's session, or a new one. Rejects when the store does. */
  open(request: Request): Promise<StoredSession<T>>;
}

/** What all sessions of a store have in common. */
interface Shelf {
  readonly rules: SessionRules;
  readonly store: SessionStore;
  readonly signer: IdSigner;
}

/** Returns the function that opens sessions for requests. */
export function openStored<T extends object>(rules: SessionRules, store: SessionStore): (request: Request) => Promise<StoredSession<T>> {
  const shelf: Shelf = { rules, store, signer: new IdSigner(rules.secrets) };
  return async (request) => {
    const session = await sessionOf<T>(shelf, request);
    rules.losses.watch(request, session);
    return session;
  };
}

async function sessionOf<T extends object>(shelf: Shelf, request: Request): Promise<SessionInStore<T>> {
  const { rules, store } = shelf;
  const cookie = cookieFor(rules, request);
  const values = cookieValues(cookie, request);
  for (const value of values) {
    const id = shelf.signer.verify(cookie.name, value);
    const kept = id === undefined ? undefined : parseKept(await store.get(id)); // one after the other: the first that opens is the one
    if (kept !== undefined && isAlive(kept, rules, nowInSeconds())) return new SessionInStore<T>(shelf, kept, cookie, id, true);
  }
  return new SessionInStore<T>(shelf, undefined, cookie, undefined, values.length > 0);
}

class SessionInStore<T extends object> extends SessionDraft<T> implements StoredSession<T> {
  readonly #shelf: Shelf;
  readonly #cookie: SessionCookie;
  /** Its name so far: undefined when it is new, whatever the client has sent. */
  readonly #id: string | undefined;
  readonly #hasCookie: boolean;
  #newId: string | undefined;

  constructor(shelf: Shelf, kept: KeptSession | undefined, cookie: SessionCookie, id: string | undefined, hasCookie: boolean) {
    super(shelf.rules, kept);
    this.#shelf = shelf;
    this.#cookie = cookie;
    this.#id = id;
    this.#hasCookie = hasCookie;
  }

  async save(response: Response): Promise<Response> {
    try {
      const finished = await this.#finish(response);
      return this.isLookedAt ? withVary(finished, 'Cookie') : finished;
    } catch (error) {
      response.dispose(); // it will not be sent
      throw error;
    }
  }

  async #finish(response: Response): Promise<Response> {
    const { store, signer } = this.#shelf;
    const now = nowInSeconds();
    const outcome = this.outcome(now);
    if (outcome.kind === 'leave') return response;
    if (outcome.kind === 'end') {
      if (this.#id !== undefined) await store.delete(this.#id);
      return this.#hasCookie ? withoutSessionCookie(response, this.#cookie) : response;
    }
    // Ended or renamed by another request while this one ran: writing would bring it back after a logout.
    if (!outcome.isRenamed && parseKept(await store.get(this.#id as string)) === undefined) return response;
    const { kept } = outcome;
    const life = kept.expires - now;
    this.#newId ??= createId();
    const id = outcome.isRenamed ? this.#newId : (this.#id as string); // only a session that is kept is not renamed
    await store.set(id, serializeKept(kept), life);
    if (outcome.isRenamed && this.#id !== undefined) await store.delete(this.#id);
    return withSessionCookie(response, this.#cookie, signer.sign(this.#cookie.name, id), life);
  }
}

function serializeKept({ begun, expires, data }: KeptSession): string {
  return `{"begun":${begun},"expires":${expires},"data":${data}}`;
}

/** Reads what lies in the store. Anything that is not a session was put there by somebody else. */
function parseKept(text: string | undefined): KeptSession | undefined {
  if (text === undefined) return undefined;
  try {
    const { begun, expires, data } = JSON.parse(text) as { begun: unknown; expires: unknown; data: unknown };
    const isSession = typeof begun === 'number' && typeof expires === 'number' && typeof data === 'object' && data !== null;
    return isSession ? { begun, expires, data: JSON.stringify(data) } : undefined;
  } catch {
    return undefined;
  }
}
