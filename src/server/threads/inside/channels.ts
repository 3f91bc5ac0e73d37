/**
 * A handler thread's way to the channels of the other threads and workers.
 *
 * @module
 */
import { costOf, type Hub, hubOf, LOW, type Uplink } from '../../../process/channels/hub.ts';
import { type ChannelWord, ownedBytes } from '../wire.ts';

/** How the thread speaks with its main thread. */
export interface ChannelPort {
  /** Sends at once: the handler may block right after it. */
  postChannel(word: ChannelWord): void;
  /** Called with what the main thread says. */
  onChannel: (word: ChannelWord) => void;
}

/** Joins the server that this thread belongs to. @param root The name of the hub at the root. */
export function joinChannels(port: ChannelPort, root: string): void {
  hubOf(setImmediate).join(() => new MainLink(port, root));
}

class MainLink implements Uplink {
  readonly root: string;
  queued = 0;
  readonly #port: ChannelPort;
  readonly #hub: Hub = hubOf(setImmediate);
  /** Taken, and not acknowledged yet. */
  #taken = 0;

  constructor(port: ChannelPort, root: string) {
    this.root = root;
    this.#port = port;
    port.onChannel = (word) => this.#take(word);
  }

  send(name: string, payload: Uint8Array): void {
    this.queued += costOf(payload);
    this.#port.postChannel(['message', name, ownedBytes(payload)]);
  }

  want(name: string, isOn: boolean): void {
    this.#port.postChannel(['want', name, isOn]);
  }

  #take(word: ChannelWord): void {
    switch (word[0]) {
      case 'message':
        return this.#hub.arrive(word[1], word[2], () => this.#acknowledge(costOf(word[2])));
      case 'missed':
        return this.#hub.missed(word[1], word[2]);
      case 'taken':
        this.queued -= word[1];
        if (this.queued < LOW) this.#hub.wake();
        return;
      case 'want': // only those below ask
    }
  }

  #acknowledge(size: number): void {
    if (this.#taken === 0) setImmediate(this.#flush);
    this.#taken += size;
  }

  readonly #flush = (): void => {
    this.#port.postChannel(['taken', this.#taken]);
    this.#taken = 0;
  };
}
