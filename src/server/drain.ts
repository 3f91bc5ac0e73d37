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

/** The end of one server. */
export class Drain {
  readonly #service: Service;
  readonly #listener: Listener;
  #ended: Promise<void> | undefined;
  /** When what is left is cut, monotonic ms. */
  #end = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(service: Service, listener: Listener) {
    this.#service = service;
    this.#listener = listener;
  }

  /**
   * Drains the server; called again it can only end sooner. Resolves when the last connection has ended.
   *
   * @param timeout When the rest is cut, ms.
   * @param isSucceeded Whether another process serves in its place already. Default false.
   */
  within(timeout: number, isSucceeded = false): Promise<void> {
    const service = this.#service;
    service.drainGrace = Math.min(service.drainGrace, graceOf(timeout, isSucceeded));
    this.#ended ??= this.#begin();
    for (const connection of service.connections) connection.drain();
    sayGoodbye(service, timeout);
    const end = performance.now() + timeout;
    if (end < this.#end) {
      this.#end = end;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(this.#cut, timeout);
    }
    return this.#ended;
  }

  async #begin(): Promise<void> {
    const service = this.#service;
    service.isDraining = true;
    service.stopping.begin();
    const { server } = this.#listener;
    const accepting = new Promise<void>((resolve) => server.once('close', resolve)); // and every connection has ended
    this.#listener.close();
    await accepting;
    this.#end = Number.NEGATIVE_INFINITY;
    clearTimeout(this.#timer);
    service.clock.stop();
  }

  readonly #cut = (): void => {
    for (const socket of this.#listener.sockets) socket.destroy();
    for (const connection of this.#service.connections) connection.destroy();
  };
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
