/**
 * A session within one exchange: its data as the handler changes it, and what becomes of it in the end.
 *
 * @module
 */
import { withCode } from '../../http/errors/error-codes.ts';

/** What every session offers, however it is kept. */
export interface SessionBase<T> {
  /** What is remembered: change it as you like. It must have a JSON form. */
  data: Partial<T>;
  /** Whether the client sent no valid session. */
  readonly isNew: boolean;
  /**
   * Gives the session a new name and a full life, with the same data: for the login, and whenever somebody may do more than before. Call it
   * before you set what is new: what is set afterwards remains even when another request has ended the session meanwhile.
   */
  regenerate(): void;
  /** Ends the session, with its data. What is put into `data` afterwards begins another one. */
  destroy(): void;
}

/** How long a session lives, seconds. */
export interface SessionLife {
  /** Without a request. */
  readonly ttl: number;
  /** However much it is used. */
  readonly lifetime: number;
}

/** A session as it is kept. */
export interface KeptSession {
  /** When it began, or was regenerated; seconds since 1970. */
  readonly begun: number;
  /** When it ends unless a request comes. */
  readonly expires: number;
  /** The data as JSON. */
  readonly data: string;
}

/** What `save` has to do: nothing, end the session, or write it; under a new name when it is another session. */
export type Outcome =
  | { readonly kind: 'leave' }
  | { readonly kind: 'end' }
  | { readonly kind: 'write'; readonly kept: KeptSession; readonly isRenamed: boolean };

/** A tenth of `ttl` after the last cookie the next one is due: few cookies, and an idle life of at least nine tenths of `ttl`. */
const SLIDE = 10;
const NOTHING = '{}';
const NONE: ReadonlySet<string> = new Set();

/** The session of one exchange: what both kinds of sessions have in common. */
export abstract class SessionDraft<T extends object> implements SessionBase<T> {
  readonly #life: SessionLife;
  readonly #kept: KeptSession | undefined;
  #data: Partial<T>;
  #isLookedAt = false;
  #isRegenerated = false;
  #isDestroyed = false;
  /** The data as it was saved. */
  #saved: string | undefined;
  /** Since `regenerate`: what the handler has set, were it to the value that it had before; true when it was all of it. */
  #own: true | ReadonlySet<string> = NONE;
  /** The data to the handler, since `regenerate`. */
  #noted: Partial<T> | undefined;

  constructor(life: SessionLife, kept: KeptSession | undefined) {
    this.#life = life;
    this.#kept = kept;
    this.#data = kept ? (JSON.parse(kept.data) as Partial<T>) : {};
  }

  get isNew(): boolean {
    this.#isLookedAt = true;
    return this.#kept === undefined;
  }

  get data(): Partial<T> {
    this.#isLookedAt = true;
    return this.#noted ?? this.#data;
  }

  set data(data: Partial<T>) {
    this.#isLookedAt = true;
    this.#replace(data);
  }

  /** Whether it was changed, and the change was not saved. */
  get isLost(): boolean {
    if (this.#saved === undefined && (this.#isRegenerated || this.#isDestroyed)) return true;
    try {
      return serialize(this.#data) !== (this.#saved ?? this.#kept?.data ?? NOTHING);
    } catch {
      return true; // what cannot be saved is not what was kept
    }
  }

  /** Whether the handler has seen what depends on the client's cookie. */
  protected get isLookedAt(): boolean {
    return this.#isLookedAt;
  }

  regenerate(): void {
    this.#isRegenerated = true;
    const canNote = this.#own !== true && typeof this.#data === 'object' && (this.#data as unknown) !== null;
    if (canNote) this.#noted ??= this.#noting(this.#data);
  }

  destroy(): void {
    this.#isDestroyed = true;
    this.#replace({});
  }

  /** Whether it was ended by the handler. */
  protected get isDestroyed(): boolean {
    return this.#isDestroyed;
  }

  #replace(data: Partial<T>): void {
    this.#data = data;
    this.#noted = undefined;
    if (this.#isRegenerated) this.#own = true;
  }

  #noting(data: Partial<T>): Partial<T> {
    const own = new Set<string>();
    this.#own = own;
    return new Proxy(data, {
      set(target, key, value): boolean {
        own.add(String(key));
        return Reflect.set(target, key, value);
      },
    });
  }

  /** What is to be done now, in seconds since 1970. */
  protected outcome(now: number): Outcome {
    this.#saved = serialize(this.#data);
    return this.#decide(now, this.#kept, this.#saved);
  }

  /**
   * What is to be done when another request has written or ended the session meanwhile: of the data, only what this request has changed is
   * written, member by member. One that was ended stays so, unless this request gives it a new name and something to hold, as a login does.
   *
   * @param current What is kept now.
   */
  protected outcomeOver(current: KeptSession | undefined, now: number): Outcome {
    if (current === undefined && !this.#isRegenerated) return { kind: 'leave' };
    return this.#decide(now, current, this.#appliedTo(current?.data ?? NOTHING));
  }

  /** Other data with the changes of this request. */
  #appliedTo(text: string): string {
    const data = serialize(this.#data);
    if (this.#own === true) return data;
    const [before, after, result] = [this.#kept?.data ?? NOTHING, data, text].map(membersOf) as [Members, Members, Members];
    for (const name of new Set([...before.keys(), ...after.keys()])) {
      if (!this.#own.has(name) && before.get(name) === after.get(name)) continue;
      const value = after.get(name);
      if (value === undefined) result.delete(name);
      else result.set(name, value);
    }
    return `{${Array.from(result, ([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;
  }

  #decide(now: number, current: KeptSession | undefined, data: string): Outcome {
    const { ttl, lifetime } = this.#life;
    const kept = this.#isDestroyed ? undefined : current;
    if (kept === undefined && data === NOTHING) return { kind: this.#isDestroyed ? 'end' : 'leave' };
    const isRenamed = kept === undefined || this.#isRegenerated;
    const begun = isRenamed ? now : kept.begun;
    const expires = Math.min(now + ttl, begun + lifetime);
    const isDue = isRenamed || data !== kept.data || expires - kept.expires >= ttl / SLIDE;
    return isDue ? { kind: 'write', kept: { begun, expires, data }, isRenamed } : { kind: 'leave' };
  }
}

/** The members of an object, each value as JSON. */
type Members = Map<string, string>;

function membersOf(text: string): Members {
  return new Map(Object.entries(JSON.parse(text) as object).map(([name, value]) => [name, JSON.stringify(value)]));
}

/** Whether a session that was kept is still one. */
export function isAlive(kept: KeptSession, { lifetime }: SessionLife, now: number): boolean {
  return now < kept.expires && now < kept.begun + lifetime;
}

/** The time in whole seconds. */
export function nowInSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

function serialize(data: unknown): string {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    throw withCode(
      new TypeError(`Cannot save session: data is ${data === null ? 'null' : typeof data}, not an object`),
      'not-serializable',
    );
  }
  try {
    return JSON.stringify(data);
  } catch (cause) {
    throw withCode(new TypeError(`Cannot save session: ${(cause as Error).message}`, { cause }), 'not-serializable');
  }
}
