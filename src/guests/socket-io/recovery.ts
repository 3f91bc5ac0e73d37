/**
 * What a client gets that comes back: its session, and what was emitted meanwhile (socket.io's connection state recovery).
 *
 * All servers that belong together keep the same, in the same order. One that starts asks the others for what was before it.
 *
 * @module
 */
import type { BroadcastOptions, Session } from 'socket.io-adapter';

/** What is left of a client that is gone. */
export type SessionLeft = Omit<Session, 'missedPackets'>;

/** A packet that clients may have missed. */
export interface Kept {
  /** Names it, to clients as well. */
  readonly offset: string;
  readonly rooms: readonly string[];
  readonly except: readonly string[];
  /** The event and its arguments; last the offset. */
  readonly data: unknown[];
  /** When it was emitted, wall clock, ms. */
  readonly at: number;
}

/** What one server tells another that has just started. */
export interface History {
  readonly sessions: readonly (readonly [SessionLeft, at: number])[];
  readonly packets: readonly Kept[];
}

/** Sessions and packets, for as long as clients may stay away. */
export class Recovery {
  readonly #maxAge: number;
  /** By their private ids. */
  readonly #sessions: Map<string, readonly [SessionLeft, at: number]> = new Map();
  #packets: Kept[] = [];
  #hasHistory = false;

  /** @param maxAge How long a client may stay away, ms. */
  constructor(maxAge: number) {
    this.#maxAge = maxAge;
  }

  keepSession(session: SessionLeft): void {
    this.#forget();
    this.#sessions.delete(session.pid); // so that the order is that of their ages
    this.#sessions.set(session.pid, [session, Date.now()]);
  }

  keepPacket(offset: string, opts: BroadcastOptions, data: unknown[]): void {
    this.#forget();
    this.#packets.push({ offset, rooms: [...opts.rooms], except: [...(opts.except ?? [])], data, at: Date.now() });
  }

  /** The session of a client, with what it has missed. @param offset Of the last packet it has got. @returns Null when it cannot go on there. */
  restore(pid: string, offset: string): Session | null {
    this.#forget();
    const [session] = this.#sessions.get(pid) ?? [];
    const last = this.#packets.findIndex((packet) => packet.offset === offset);
    if (!session || last === -1) return null;
    const missed = this.#packets.slice(last + 1).filter((packet) => isFor(session.rooms, packet));
    return { ...session, missedPackets: missed.map(({ data }) => data) };
  }

  history(): History {
    return { sessions: [...this.#sessions.values()], packets: this.#packets };
  }

  /** Takes what was before, once: it ends where what has come since then begins. */
  takeHistory({ sessions, packets }: History): void {
    if (this.#hasHistory) return;
    this.#hasHistory = true;
    for (const [session, at] of sessions) if (!this.#sessions.has(session.pid)) this.#sessions.set(session.pid, [session, at]);
    const first = this.#packets[0]?.offset;
    const end = packets.findIndex(({ offset }) => offset === first);
    this.#packets = [...(end === -1 ? packets : packets.slice(0, end)), ...this.#packets];
  }

  /** Forgets what is too old. */
  #forget(): void {
    const oldest = Date.now() - this.#maxAge;
    for (const [pid, [, at]] of this.#sessions) {
      if (at >= oldest) break;
      this.#sessions.delete(pid);
    }
    const kept = this.#packets.findIndex(({ at }) => at >= oldest);
    if (kept === -1) this.#packets = [];
    else if (kept > 0) this.#packets.splice(0, kept);
  }
}

function isFor(rooms: readonly string[], { rooms: to, except }: Kept): boolean {
  return (to.length === 0 || rooms.some((room) => to.includes(room))) && !rooms.some((room) => except.includes(room));
}
