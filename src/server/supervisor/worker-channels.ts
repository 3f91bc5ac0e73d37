/**
 * The channels of one worker, as the primary sees them.
 *
 * @module
 */
import type { Socket } from 'node:net';
import { hubOf, PATIENCE } from '../../process/channels/hub.ts';
import { Lane } from '../channels/lane.ts';
import { ChannelPipe } from '../channels/pipe.ts';

/** Connects a worker's pipe to the hub of the primary. */
export function carryChannels(socket: Socket): void {
  const hub = hubOf(setImmediate);
  const end = {
    message: (name: string, payload: Uint8Array) => pipe.message(name, payload),
    missed: (name: string, count: number) => pipe.missed(name, count),
  };
  const lane: Lane = new Lane(hub, end, PATIENCE.worker);
  const pipe = new ChannelPipe(socket, {
    onMessage: (name, payload, taken) => hub.relay(name, payload, taken),
    onWant: (name, isOn) => hub.want(lane, name, isOn),
    onMissed: () => {}, // only those above say that
    onTaken: (size) => lane.taken(size),
    onClose: () => lane.close(),
  });
}
