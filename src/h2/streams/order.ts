/**
 * Which stream sends next (RFC 9218 §10).
 *
 * The most urgent first. Among equals, responses that are of use only when they are whole follow one after the other, oldest first; those that
 * can be used in parts take turns.
 *
 * @module
 */
import type { Stream } from './stream.ts';

const URGENCIES = 8;

/** The streams that have something to send. */
export class Order<X> {
  readonly #levels: (Stream<X>[] | undefined)[] = [];
  #count = 0;

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  add(stream: Stream<X>): void {
    if (stream.isQueued) return;
    stream.isQueued = true;
    this.#count++;
    const level = (this.#levels[stream.priority.urgency] ??= []);
    let at = level.length;
    if (!stream.priority.isIncremental) while (at > 0 && comesBefore(stream, level[at - 1] as Stream<X>)) at--; // at > 0
    level.splice(at, 0, stream);
  }

  remove(stream: Stream<X>): void {
    if (!stream.isQueued) return;
    stream.isQueued = false;
    this.#count--;
    const level = this.#levels[stream.priority.urgency];
    level?.splice(level.indexOf(stream), 1);
  }

  /** The first, in the order in which they should send, that `may` send. */
  find(may: (stream: Stream<X>) => boolean): Stream<X> | undefined {
    for (let urgency = 0; urgency < URGENCIES && this.#count > 0; urgency++) {
      for (const stream of this.#levels[urgency] ?? []) if (may(stream)) return stream;
    }
    return undefined;
  }

  /** One has sent a frame: it lets the others of its kind go first, if it can be used in parts. */
  rotate(stream: Stream<X>): void {
    if (!stream.isQueued || !stream.priority.isIncremental) return;
    this.remove(stream);
    this.add(stream);
  }
}

/** Whether a stream that must be whole goes before another of its urgency: it is older, or the other can wait for its parts. */
function comesBefore<X>(stream: Stream<X>, other: Stream<X>): boolean {
  return other.priority.isIncremental || stream.id < other.id;
}
