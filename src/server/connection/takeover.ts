/**
 * What still ties a connection that was taken over to its server.
 *
 * @module
 */
import type { Exchange } from '../../exchange/exchange.ts';
import { reportError } from '../../exchange/respond.ts';
import { serverStops } from '../../http/errors/abort-reason.ts';
import type { StraightWriter, Takeover } from '../../http/takeover.ts';
import type { Service } from '../service.ts';

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
  const controller = new AbortController();
  const stop = (): void => {
    controller.abort(serverStops());
    exchange.request?.stop(); // its exchange is over, and the server tells it nothing more
  };
  if (service.isDraining) stop();
  service.takeovers.add(stop);
  onClose(() => service.takeovers.delete(stop));
  return { stopping: controller.signal, report: (error) => void reportError(service, exchange.asRequest(), error), straight };
}
