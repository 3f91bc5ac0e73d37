/**
 * A worker's way to the channels of the other workers.
 *
 * @module
 */
import { Socket } from 'node:net';
import { costOf, hubOf, LOW, type Uplink } from '../../../process/channels/hub.ts';
import { CHANNEL_PIPE, ChannelPipe } from '../../channels/pipe.ts';

/** Joins the server that this worker belongs to. The pipe is opened when the first channel is made. @param root The name of the primary's hub. */
export function joinChannels(root: string): void {
  hubOf(setImmediate).join(() => new PrimaryLink(root));
}

class PrimaryLink implements Uplink {
  readonly root: string;
  queued = 0;
  readonly #pipe: ChannelPipe;

  constructor(root: string) {
    this.root = root;
    const hub = hubOf(setImmediate);
    const socket = new Socket({ fd: CHANNEL_PIPE, readable: true, writable: true });
    this.#pipe = new ChannelPipe(socket, {
      onMessage: (name, payload, taken) => hub.arrive(name, payload, taken),
      onWant: () => {}, // only those below ask
      onMissed: (name, count) => hub.missed(name, count),
      onTaken: (size) => {
        this.queued -= size;
        if (this.queued < LOW) hub.wake();
      },
      onClose: () => hub.leave(),
    });
    socket.unref(); // it is not what keeps the process alive
  }

  send(name: string, payload: Uint8Array): void {
    this.queued += costOf(payload);
    this.#pipe.message(name, payload);
  }

  want(name: string, isOn: boolean): void {
    this.#pipe.want(name, isOn);
  }
}
