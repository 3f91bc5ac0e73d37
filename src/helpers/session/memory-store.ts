/**
 * A store in the memory of this process: for tests, and for servers that are one process.
 *
 * @module
 */
import { checkInteger, checkOptions } from '../../http/errors/bad-option.ts';
import { requireOneMemory } from '../../process/one-memory.ts';
import type { SessionStore } from '../../process/stores.ts';

const KNOWN: ReadonlySet<string> = new Set(['maxSessions']);
const MAX_SESSIONS = 10_000;

/**
 * Makes a store in memory. All sessions end with the process.
 *
 * @param options How many sessions it keeps at most, 10,000 unless told: beyond, the one that was written the longest ago goes.
 * @throws TypeError or RangeError (code `bad-option`) for a wrong option. Error (code `bad-option`) here or in `startServer`, whichever comes second,
 *   when the server has several workers: each would know other sessions.
 * @example
 * const sessions = createSessions<{ user: string }>({ secret, store: createMemorySessionStore() });
 * startServer(handler, { workers: 0 });
 */
export function createMemorySessionStore(options: { maxSessions?: number | undefined } = {}): SessionStore {
  checkOptions('Cannot create a session store', options, KNOWN);
  const { maxSessions = MAX_SESSIONS } = options;
  checkInteger('Cannot create a session store', 'maxSessions', maxSessions, 1, Number.MAX_SAFE_INTEGER);
  requireOneMemory(
    'createMemorySessionStore keeps sessions in one: leave the store out (sealed cookies), use one that all share (filrouge/redis), or serve with workers: 0',
  );
  return new MemorySessionStore(maxSessions);
}

class MemorySessionStore implements SessionStore {
  readonly #maxSessions: number;
  /** In the order in which they were written. */
  readonly #sessions: Map<string, { readonly value: string; readonly expires: number }> = new Map();

  constructor(maxSessions: number) {
    this.#maxSessions = maxSessions;
  }

  async get(id: string): Promise<string | undefined> {
    return this.#read(id);
  }

  async set(id: string, value: string, ttl: number): Promise<void> {
    this.#write(id, value, ttl);
  }

  async update(id: string, before: string, value: string, ttl: number): Promise<boolean> {
    if (this.#read(id) !== before) return false;
    this.#write(id, value, ttl);
    return true;
  }

  async delete(id: string): Promise<void> {
    this.#sessions.delete(id);
  }

  #read(id: string): string | undefined {
    const session = this.#sessions.get(id);
    if (session === undefined || performance.now() < session.expires) return session?.value;
    this.#sessions.delete(id);
    return undefined;
  }

  #write(id: string, value: string, ttl: number): void {
    const now = performance.now();
    this.#sessions.delete(id); // to the end of the order
    for (const [oldest, { expires }] of this.#sessions) {
      if (now < expires && this.#sessions.size < this.#maxSessions) break;
      this.#sessions.delete(oldest);
    }
    this.#sessions.set(id, { value, expires: now + ttl * 1000 });
  }
}
