/**
 * The interfaces between helpers and a store that the application provides.
 *
 * @module
 */

/** The result of counting one hit. */
export interface Hits {
  /** How many times the key was hit within the window, this time included. Above the limit, this one is refused. */
  readonly count: number;
  /** Seconds until the oldest of them leaves the window. */
  readonly resetAfter: number;
}

/**
 * Counts how often something was asked for. A store that all machines share makes a limit hold across all of them.
 *
 * @example
 * const counts = new Map<string, number>(); // one fixed window, for the time that this process runs
 * const store: RateStore = {
 *   hit(key, window) {
 *     counts.set(key, (counts.get(key) ?? 0) + 1);
 *     return { count: counts.get(key) ?? 1, resetAfter: window };
 *   },
 * };
 */
export interface RateStore {
  /**
   * Counts one hit.
   *
   * @param key What is counted: the limiter's name for itself, then that of the client.
   * @param window Seconds.
   * @param limit How many the limiter lets through. A store may leave those above it uncounted, so that a client that keeps asking is not
   *   locked out for good.
   */
  hit(key: string, window: number, limit: number): Hits | Promise<Hits>;
  /** Says what has been counted, without counting: a count of 0 for a key that it does not know. Needed by `peek` of a limiter only. */
  peek?(key: string, window: number, limit: number): Hits | Promise<Hits>;
  /** Forgets a key. Needed by `reset` of a limiter only. */
  reset?(key: string, window: number): void | Promise<void>;
}

/**
 * Keeps sessions. All workers and machines that serve them must see the same one.
 *
 * @example
 * const store: SessionStore = {
 *   get: async (id) => (await database.one('select value from sessions where id = $1 and ends > now()', [id]))?.value,
 *   set: (id, value, ttl) => database.run('insert … on conflict (id) do update …', [id, value, ttl]),
 *   update: async (id, before, value, ttl) =>
 *     (await database.run('update sessions set value = $3, ends = … where id = $1 and value = $2', [id, before, value, ttl])).changes === 1,
 *   delete: (id) => database.run('delete from sessions where id = $1', [id]),
 * };
 */
export interface SessionStore {
  /** The value kept for an id; undefined when there is none, or none any more. */
  get(id: string): Promise<string | undefined>;
  /**
   * Keeps a value in place of what was there.
   *
   * @param ttl Whole seconds, after which the value may be forgotten.
   */
  set(id: string, value: string, ttl: number): Promise<void>;
  /**
   * Keeps a value in place of another, in one step: nothing may come between the comparison and the write. That is what makes a logout hold
   * against a request that runs beside it, and keeps the changes of both of two requests.
   *
   * @param before What was kept when the caller looked.
   * @returns Whether it was still kept, and `value` is now. False when there was something else, or nothing.
   */
  update(id: string, before: string, value: string, ttl: number): Promise<boolean>;
  /** Forgets a value; that there is none is not an error. */
  delete(id: string): Promise<void>;
}
