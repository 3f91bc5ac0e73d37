/**
 * The channels of one handler thread, as the main thread sees them.
 *
 * @module
 */
import { costOf, type Hub, hubOf, PATIENCE } from '../../process/channels/hub.ts';
import { Lane } from '../channels/lane.ts';
import { type ChannelWord, ownedBytes } from './wire.ts';

/** Connects a thread to the hub of its process. */
export class ThreadChannels {
  readonly #hub: Hub = hubOf(setImmediate);
  readonly #post: (word: ChannelWord) => void;
  readonly #lane: Lane;
  /** Taken, and not acknowledged yet. */
  #taken = 0;

  constructor(post: (word: ChannelWord) => void) {
    this.#post = post;
    const end = {
      message: (name: string, payload: Uint8Array) => post(['message', name, ownedBytes(payload)]),
      missed: (name: string, count: number) => post(['missed', name, count]),
    };
    this.#lane = new Lane(this.#hub, end, PATIENCE.thread);
  }

  /** The name of the hub at the root. */
  get root(): string {
    return this.#hub.root;
  }

  /** Takes what the thread says. */
  take(word: ChannelWord): void {
    switch (word[0]) {
      case 'message':
        return this.#hub.relay(word[1], word[2], () => this.#acknowledge(costOf(word[2])));
      case 'want':
        return this.#hub.want(this.#lane, word[1], word[2]);
      case 'taken':
        return this.#lane.taken(word[1]);
      case 'missed': // only those above say that
    }
  }

  /** The thread is gone. */
  close(): void {
    this.#lane.close();
  }

  #acknowledge(size: number): void {
    if (this.#taken === 0) setImmediate(this.#flush);
    this.#taken += size;
  }

  readonly #flush = (): void => {
    this.#post(['taken', this.#taken]);
    this.#taken = 0;
  };
}
