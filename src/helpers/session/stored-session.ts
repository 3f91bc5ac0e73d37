/**
 * Sessions whose data lies in a store, under a name that travels in a signed cookie.
 *
 * Requests of one session run at the same time. None writes over what it has not seen: it compares and writes in one step (`update`), and when
 * another was first, it looks again and adds its own changes to what is there. So a session that has ended stays so, whatever the order of the
 * calls; what the order decides is said in docs/helpers/session.md.
 *
 * @module
 */
import { withCode } from '../../http/errors/error-codes.ts';
import type { Request } from '../../http/request.ts';
import type { Response } from '../../http/response.ts';
import type { SessionStore } from '../../process/stores.ts';
import { checkResponse, withVary } from '../finishing/finisher.ts';
import { Signer } from '../signing/signer.ts';
import { isAlive, type KeptSession, nowInSeconds, type Outcome, type SessionBase, SessionDraft } from './draft.ts';
import { cookieFor, cookieValues, type SessionCookie, type SessionRules } from './rules.ts';
import { withoutSessionCookie, withSessionCookie } from './set-cookie.ts';
import { createId, ID_PURPOSE } from './signed-id.ts';

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

/** A name in the store, and what was kept there when this request last looked. */
interface Place {
  readonly id: string;
  readonly text: string;
}

/** How often a request begins again because another one was first. One of those that come between always gets on. */
const MAX_TRIES = 100;
/** Takes the place of a session that moves to another name: no session, so that from then on nothing is written there. */
const ENDED = '{}';

/** What all sessions of a store have in common. */
interface Shelf {
  readonly rules: SessionRules;
  readonly store: SessionStore;
  readonly signer: Signer;
}

/** Returns the function that opens sessions for requests. */
export function openStored<T extends object>(rules: SessionRules, store: SessionStore): (request: Request) => Promise<StoredSession<T>> {
  const shelf: Shelf = { rules, store, signer: new Signer(rules.secrets, ID_PURPOSE) };
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
    const text = id === undefined ? undefined : await store.get(id); // one after the other: the first that opens is the one
    const kept = parseKept(text);
    if (id === undefined || text === undefined || kept === undefined || !isAlive(kept, rules, nowInSeconds())) continue;
    return new SessionInStore<T>(shelf, kept, cookie, { id, text }, true);
  }
  return new SessionInStore<T>(shelf, undefined, cookie, undefined, values.length > 0);
}

class SessionInStore<T extends object> extends SessionDraft<T> implements StoredSession<T> {
  readonly #shelf: Shelf;
  readonly #cookie: SessionCookie;
  /** Where it is kept so far: undefined when it is new, whatever the client has sent. */
  #old: Place | undefined;
  readonly #hasCookie: boolean;
  #newId: string | undefined;

  constructor(shelf: Shelf, kept: KeptSession | undefined, cookie: SessionCookie, old: Place | undefined, hasCookie: boolean) {
    super(shelf.rules, kept);
    this.#shelf = shelf;
    this.#cookie = cookie;
    this.#old = old;
    this.#hasCookie = hasCookie;
  }

  async save(response: Response): Promise<Response> {
    checkResponse('Cannot save session', response);
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
    if (this.isDestroyed && this.#old !== undefined) {
      await store.delete(this.#old.id);
      this.#old = undefined;
    }
    if (outcome.kind === 'end') return this.#hasCookie ? withoutSessionCookie(response, this.#cookie) : response;
    const written = await this.#write(outcome, now);
    return written ? withSessionCookie(response, this.#cookie, signer.sign(this.#cookie.name, written.id), written.life) : response;
  }

  /**
   * Writes over what this request has seen, and over nothing else: when another request has come between, what is to be done is asked again.
   *
   * @returns Under which name it is kept, and for how many seconds; undefined when it has ended meanwhile.
   */
  async #write(first: Outcome, now: number): Promise<{ readonly id: string; readonly life: number } | undefined> {
    const { store, rules } = this.#shelf;
    let outcome = first;
    for (let i = 0; i < MAX_TRIES; i++) {
      if (outcome.kind !== 'write') {
        if (this.#newId !== undefined) await store.delete(this.#newId); // nobody knows it
        return undefined;
      }
      const life = outcome.kept.expires - now;
      const value = serializeKept(outcome.kept);
      const written = outcome.isRenamed ? await this.#move(value, life) : await this.#overwrite(value, life);
      if (written !== undefined) return { id: written, life };
      const { id } = this.#old as Place; // without one, nothing can come between
      const text = await store.get(id);
      const current = parseKept(text);
      const isKept = current !== undefined && isAlive(current, rules, now);
      this.#old = isKept ? { id, text: text as string } : undefined;
      outcome = this.outcomeOver(isKept ? current : undefined, now);
    }
    throw withCode(
      new Error(`Cannot save session: in ${MAX_TRIES} attempts its store has not written, as if other requests had always been first`),
      'session-contended',
    );
  }

  /** @returns The name; undefined when something else is kept there now. */
  async #overwrite(value: string, life: number): Promise<string | undefined> {
    const { id, text } = this.#old as Place; // only a session that is kept is not renamed
    if (!(await this.#shelf.store.update(id, text, value, life))) return undefined;
    this.#old = { id, text: value };
    return id;
  }

  /** Writes under a new name, which is the session's once the old one has been taken from it. @returns The name; undefined when it could not be. */
  async #move(value: string, life: number): Promise<string | undefined> {
    const { store } = this.#shelf;
    const old = this.#old;
    this.#newId ??= createId();
    await store.set(this.#newId, value, life);
    if (old === undefined) return this.#newId;
    if (!(await store.update(old.id, old.text, ENDED, 1))) return undefined;
    await store.delete(old.id);
    this.#old = undefined;
    return this.#newId;
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
