/**
 * Serves in this process: what a single server is, and what each worker runs.
 *
 * @module
 */
import type { AddressInfo } from 'node:net';
import type { Handler } from '../exchange/respond.ts';
import { callsFor, closeIoThreads, startIoThreads } from '../process/io-threads.ts';
import { allWritten } from '../process/requests/recordings.ts';
import type { Neighbourhood } from './affinity/neighbourhood.ts';

import type { ConnectionGate } from './connection-gate.ts';
import { Drain } from './drain.ts';
import { GcWatch } from './figures/gc-watch.ts';
import { activityOf, localStatus } from './figures/local-status.ts';
import type { Address, LocalServer, ServerHost } from './host.ts';
import { Listener } from './listener.ts';
import { log } from './operator-log.ts';
import type { ResolvedOptions } from './options.ts';
import { withRecorder } from './recording/recorder.ts';
import { lookAt } from './seen/activity.ts';
import { Service } from './service.ts';
import type { ThreadPool } from './threads/pool.ts';
import { Certificates } from './tls/certificates.ts';
import { listenInTheClear, type Redirect } from './tls/redirect.ts';
import type { Watch } from './watchdog/watch.ts';

/**
 * Starts to serve.
 *
 * @returns The server, once it accepts connections.
 * @throws The error of the system when it cannot listen; a TypeError with code `bad-option` when certificate and key do not fit.
 */
export async function serveLocally(handler: Handler, given: ResolvedOptions, gate: ConnectionGate, host: ServerHost): Promise<LocalServer> {
  const options = withRecorder(given);
  const { recorder } = options;
  const certificates = options.tls && new Certificates(options.tls);
  if (!host.hasPrimary) certificates?.warn();
  await startIoThreads((why) => log('thread-replaced', why));
  const threads = options.threads.max > 0 ? await startThreads(handler, options, host).catch(withoutIo) : undefined;
  const handle = threads?.handle ?? handler;
  const inner = host.guard(recorder ? recorder.guard(handle, threads !== undefined) : handle);
  const neighbours = await joinOthers(inner, options, host, () => service).catch(async (error: unknown) => {
    await threads?.close();
    return withoutIo(error);
  });
  const service: Service = new Service(neighbours?.handle ?? inner, options, threads !== undefined || neighbours !== undefined);
  const endCalls = threads ? () => {} : callsFor({ isBusy: () => service.current !== undefined, id: () => -1 });
  const watch = await startWatch(service, host);
  const gc = new GcWatch();
  service.onTick = (now) => {
    watch?.beat();
    threads?.tick(now);
    recorder?.tick(now);
  };
  const listener = new Listener(service, gate, certificates);
  let redirect: Redirect | undefined;
  try {
    await listener.listen();
    redirect = await listenInTheClear(service, gate, () => service.port);
  } catch (error) {
    listener.close();
    service.clock.stop();
    watch?.stop();
    gc.stop();
    await threads?.close();
    endCalls();
    return withoutIo(error);
  }
  const address = addressOf(listener, options);
  if ('port' in address) service.port = address.port;
  threads?.listening(address, urlOf(address, options));
  const announce = (): void => {
    service.isStopping = true;
    threads?.stopping();
    neighbours?.announce();
  };
  const end = new Drain(service, listener);
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
    close({ timeout = options.shutdownTimeout, isSucceeded = false } = {}) {
      announce();
      threads?.draining();
      const drained = Promise.all([end.within(timeout, isSucceeded), redirect?.close(timeout), neighbours?.drain(timeout)]);
      closing ??= drained
        .then(() => {
          if (!host.hasPrimary) watch?.stop(); // a worker is watched until it has ended
          return threads?.close();
        })
        .then(() => {
          endCalls();
          gc.stop();
          return Promise.all([closeIoThreads(), allWritten()]);
        })
        .then(() => settle());
      return closing;
    },
    get requests() {
      return service.requests;
    },
    get activity() {
      return activityOf(service);
    },
    look: () => lookAt(service, threads?.seen),
    stackOf: async (thread) => (threads ? threads.seen.stackOf(thread) : thread === 0 ? [] : undefined),
    status: () => localStatus(service, listener.sockets.size, gc, threads?.figures),
  };
}

/** Nothing of the server is left running when it cannot start. */
async function withoutIo(error: unknown): Promise<never> {
  await closeIoThreads();
  throw error;
}

async function startThreads(handler: Handler, options: ResolvedOptions, host: ServerHost): Promise<ThreadPool> {
  const { startPool } = await import('./threads/start.ts');
  return startPool(handler, options, host);
}

/** Only where there are others. */
async function joinOthers(
  inner: Handler,
  { affinity, workers }: ResolvedOptions,
  host: ServerHost,
  service: () => Service,
): Promise<Neighbourhood | undefined> {
  if (!affinity || !host.affinity || workers < 2) return undefined;
  const { Neighbourhood } = await import('./affinity/neighbourhood.ts');
  return Neighbourhood.join(affinity, inner, service, host.affinity);
}

async function startWatch(service: Service, { hasPrimary }: ServerHost): Promise<Watch | undefined> {
  const { handlerTimeout, slowRequest, threads } = service.options;
  const isWatched = threads.max === 0 && handlerTimeout + slowRequest > 0;
  if (!hasPrimary && !isWatched) return undefined;
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

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
