/**
 * The end of a server, so that no client loses what it was promised.
 *
 * In order: requests that wait for it are told; the listener closes, and the system sends new clients elsewhere. Bodies without an end of their
 * own are ended. Connections at rest are closed after a moment, those at work after their answer, which says `Connection: close`. Connections that were taken over (websockets) are told one after the other. What is left when the
 * time is up is cut. The clock ticks until the end: it is what closes the connections at rest.
 *
 * @module
 */
import { graceOf } from './connection/patience.ts';
import type { Listener } from './listener.ts';
import type { Service } from './service.ts';

/** The time between two goodbyes to upgraded connections, ms; less when that would take more than half of the drain. */
const GOODBYE_GAP = 10;

/**
 * Drains a server. Resolves when its last connection has ended.
 *
 * @param timeout When the rest is cut, ms.
 * @param isSucceeded Whether another process serves in its place already. Default false.
 */
export async function drain(service: Service, listener: Listener, timeout: number, isSucceeded = false): Promise<void> {
  service.isDraining = true;
  service.drainGrace = graceOf(timeout, isSucceeded);
  service.stopping.begin();
  const accepting = new Promise<void>((resolve) => listener.server.once('close', resolve)); // and every connection has ended
  listener.close();
  for (const connection of service.connections) connection.drain();
  sayGoodbye(service, timeout);
  const timer = setTimeout(() => {
    for (const socket of listener.sockets) socket.destroy();
    for (const connection of service.connections) connection.destroy();
  }, timeout);
  await accepting;
  clearTimeout(timer);
  service.clock.stop();
}

/**
 * Tells those who have taken connections over, one after the other: their clients reconnect at once, and would otherwise all fall on the next server
 * at the same moment.
 */
function sayGoodbye({ takeovers }: Service, timeout: number): void {
  const leaving = [...takeovers];
  const gap = Math.min(GOODBYE_GAP, timeout / 2 / leaving.length);
  leaving.forEach((takeover, i) => {
    if (i === 0) takeover.stop();
    else setTimeout(() => takeover.stop(), i * gap).unref();
  });
}
