/**
 * Serves in this process: what a single server is, and what each worker runs.
 *
 * @module
 */
import type { AddressInfo } from 'node:net';
import { createSecureContext } from 'node:tls';
import type { Handler } from '../exchange/respond.ts';
import { withCode } from '../http/error-codes.ts';
import type { ConnectionGate } from './connection-gate.ts';
import type { Address, LocalServer, ServerHost } from './host.ts';
import { Listener } from './listener.ts';
import type { ResolvedOptions } from './options.ts';
import { Service } from './service.ts';
import type { ThreadPool } from './threads/pool.ts';

/** The time between two goodbyes to upgraded connections, ms; less when they are so many that half of the drain would not do. */
const GOODBYE_GAP = 10;

/**
 * Starts to serve.
 *
 * @returns The server, when it accepts connections.
 * @throws What the system says when it cannot listen; a TypeError with code `bad-option` when certificate and key do not fit.
 */
export async function serveLocally(
  handler: Handler,
  options: ResolvedOptions,
  gate: ConnectionGate,
  host: ServerHost,
): Promise<LocalServer> {
  if (options.tls) checkCertificate(options.tls);
  const threads = options.threads.max > 0 ? await startThreads(handler, options, host) : undefined;
  const service = new Service(host.guard(threads?.handle ?? handler), options);
  const beat = await startWatch(service, host);
  service.onTick = (now) => {
    beat();
    threads?.tick(now);
  };
  const listener = new Listener(service, gate);
  try {
    await listener.listen();
  } catch (error) {
    service.clock.stop();
    await threads?.close();
    throw error;
  }
  const address = addressOf(listener, options);
  threads?.listening(address, urlOf(address, options));
  const announce = (): void => {
    service.isStopping = true;
    threads?.stopping();
  };
  let closing: Promise<void> | undefined;
  const { promise: closed, resolve: settle } = deferred();
  return {
    address,
    url: urlOf(address, options),
    closed,
    announce,
    get takenOver() {
      return service.takeovers.size;
    },
    close({ timeout = options.shutdownTimeout } = {}) {
      announce();
      closing ??= drain(service, listener, timeout)
        .then(() => threads?.close())
        .then(settle);
      return closing;
    },
    status: () => ({
      connections: listener.sockets.size,
      requests: service.requests,
      inFlight: service.inFlight,
      queued: threads?.queued ?? 0,
      threads: threads?.ready ?? 0,
    }),
  };
}

/** Ends a server: no new connections, idle ones closed, those at work closed after their answers, all cut when the time is up. */
async function drain(service: Service, listener: Listener, timeout: number): Promise<void> {
  service.isDraining = true;
  const accepting = new Promise<void>((resolve) => listener.server.once('close', resolve)); // when every connection has ended, too
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

/** Tells those who have taken connections over, one after the other: their clients come back at once, and somewhere else all at the same time. */
function sayGoodbye({ takeovers }: Service, timeout: number): void {
  const stops = [...takeovers];
  const gap = Math.min(GOODBYE_GAP, timeout / 2 / stops.length);
  stops.forEach((stop, i) => {
    if (i === 0) stop();
    else setTimeout(stop, i * gap).unref();
  });
}

async function startThreads(handler: Handler, options: ResolvedOptions, host: ServerHost): Promise<ThreadPool> {
  const { startPool } = await import('./threads/start.ts');
  return startPool(handler, options, host);
}

/** @returns Is to be called at each tick. */
async function startWatch(service: Service, { hasPrimary }: ServerHost): Promise<() => void> {
  const { handlerTimeout, slowRequest, threads } = service.options;
  const isWatched = threads.max === 0 && handlerTimeout + slowRequest > 0;
  if (!hasPrimary && !isWatched) return () => {};
  const { watchMainThread } = await import('./watchdog/watch.ts');
  return watchMainThread(service, hasPrimary);
}

function addressOf(listener: Listener, options: ResolvedOptions): Address {
  if (options.path !== undefined) return { path: options.path };
  const { address, port } = listener.server.address() as AddressInfo; // TCP: neither null nor a path
  return { host: address, port };
}

function urlOf(address: Address, options: ResolvedOptions): string {
  const scheme = options.tls ? 'https' : 'http';
  if ('path' in address) return `${scheme}+unix://${encodeURIComponent(address.path)}`;
  const isAnywhere = options.host === '0.0.0.0' || options.host === '::';
  const host = isAnywhere ? 'localhost' : options.host.includes(':') ? `[${options.host}]` : options.host;
  return `${scheme}://${host}:${address.port}`;
}

function checkCertificate(tls: NonNullable<ResolvedOptions['tls']>): void {
  try {
    createSecureContext(tls);
  } catch (cause) {
    throw withCode(
      new TypeError(`Cannot start server: tls.cert and tls.key cannot be used: ${(cause as Error).message}`, { cause }),
      'bad-option',
    );
  }
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
