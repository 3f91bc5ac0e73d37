/**
 * The channels of one worker, as the primary sees them.
 *
 * @module
 */
import type { Socket } from 'node:net';
import { hubOf } from '../../process/channels/hub.ts';
import { Lane } from '../channels/lane.ts';
import { ChannelPipe } from '../channels/pipe.ts';

/** Connects a worker's pipe to the hub of the primary. */
export function carryChannels(socket: Socket): void {
  const hub = hubOf(setImmediate);
  const lane: Lane = new Lane(hub, {
    message: (name, payload) => pipe.message(name, payload),
    missed: (name, count) => pipe.missed(name, count),
  });
  const pipe = new ChannelPipe(socket, {
    onMessage: (name, payload, taken) => hub.relay(name, payload, taken),
    onWant: (name, isOn) => hub.want(lane, name, isOn),
    onMissed: () => {}, // only those above say that
    onTaken: (size) => lane.taken(size),
    onClose: () => lane.close(),
  });
}
