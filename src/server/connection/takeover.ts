/**
 * What still ties a connection that was taken over to its server.
 *
 * @module
 */
import type { Exchange } from '../../exchange/exchange.ts';
import { reportError } from '../../exchange/respond.ts';
import { Stopping } from '../../exchange/stopping.ts';
import { serverStops } from '../../http/errors/abort-reason.ts';
import type { StraightWriter, Takeover } from '../../http/takeover.ts';
import type { Leaving, Service } from '../service.ts';

/**
 * Ties a connection, or a stream that stands for one, to its server until it closes: the signal that the server stops, and the reporting of errors to
 * `onError`.
 */
export function takeoverOf(
  service: Service,
  exchange: Exchange,
  onClose: (listener: () => void) => void,
  straight?: StraightWriter,
): Takeover {
  const takeover = new ServedTakeover(service, exchange, straight);
  if (service.isDraining) takeover.stop();
  service.takeovers.add(takeover);
  onClose(() => service.takeovers.delete(takeover));
  return takeover;
}

class ServedTakeover implements Takeover, Leaving {
  readonly #service: Service;
  readonly #exchange: Exchange;
  readonly straight: StraightWriter | undefined;
  readonly #stopping: Stopping = new Stopping();
  #controller: AbortController | undefined;

  constructor(service: Service, exchange: Exchange, straight: StraightWriter | undefined) {
    this.#service = service;
    this.#exchange = exchange;
    this.straight = straight;
  }

  get stopping(): AbortSignal {
    if (!this.#controller) {
      const controller = new AbortController();
      this.#controller = controller;
      this.#stopping.when(() => controller.abort(serverStops()));
    }
    return this.#controller.signal;
  }

  whenStopping(call: () => void): void {
    this.#stopping.when(call);
  }

  report(error: unknown): void {
    void reportError(this.#service, this.#exchange.asRequest(), error);
  }

  stop(): void {
    this.#stopping.begin();
    this.#exchange.request?.stop(); // its exchange is over, and the server tells it nothing more
  }
}
