/**
 * What remains between the server and a connection that it has handed over: the news that it stops, and the way errors take to `onError`.
 *
 * @module
 */
import type { Socket } from 'node:net';
import { reportError } from '../exchange/respond.ts';
import type { Takeover } from '../http/response.ts';
import type { Exchange } from './http1/turn.ts';
import type { Service } from './service.ts';

/** Ties a handed-over socket to its server, until it closes. */
export function takeoverOf(service: Service, socket: Socket, exchange: Exchange): Takeover {
  const controller = new AbortController();
  const stop = (): void => controller.abort(new Error('The server is stopping'));
  if (service.isDraining) stop();
  service.takeovers.add(stop);
  socket.on('close', () => service.takeovers.delete(stop));
  return { stopping: controller.signal, report: (error) => void reportError(service, exchange.asRequest(), error) };
}
