/**
 * What the server of one process does now, and has done since it started.
 *
 * @module
 */
import { addDurations } from '../../process/durations.ts';
import { ownCalls } from '../../process/io-threads.ts';
import { addEach, type LocalStatus } from '../../process/server-status.ts';
import type { Service } from '../service.ts';
import type { ThreadFigures } from '../threads/pool.ts';
import type { GcWatch } from './gc-watch.ts';

const NO_THREADS: ThreadFigures = {
  queued: 0,
  threads: 0,
  threadStates: { starting: 0, idle: 0, running: 0, waiting: 0 },
  waiting: {},
  calls: {},
};

/** Puts together what is known. @param connections Open ones. @param threads Undefined: handlers are called in this thread. */
export function localStatus(service: Service, connections: number, gc: GcWatch, threads: ThreadFigures = NO_THREADS): LocalStatus {
  const { traffic, refusals } = service;
  const { handshakes, resumed } = traffic;
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  return {
    requests: service.requests,
    refused: { ...refusals.counts },
    answered: traffic.answers.read(),
    abandoned: traffic.abandoned,
    opened: { ...traffic.opened },
    tls: { handshakes, resumed, failed: refusals.counts['tls'] ?? 0 },
    http2: { ...traffic.http2, goAwaysReceived: { ...traffic.http2.goAwaysReceived }, goAwaysSent: { ...traffic.http2.goAwaysSent } },
    loopDelay: service.clock.delay.read(),
    gc: gc.read(),
    connections,
    protocols: protocolsOf(service),
    inFlight: service.inFlight,
    ...threads,
    calls: addEach(threads.calls, ownCalls(), addDurations),
    rss,
    heapUsed,
    cpu: (user + system) / 1e6,
    loopBusy: performance.eventLoopUtilization().active / 1000,
  };
}

/** Changes whenever something has happened that outlives the process. */
export function activityOf({ requests, traffic, refusals }: Service): number {
  const { answers, abandoned, opened, http2, handshakes } = traffic;
  const refused = Object.values(refusals.counts).reduce((sum, count) => sum + count, 0);
  const connections = opened['http/1.1'] + opened.h2 + handshakes + http2.streams + http2.resetsReceived + http2.resetsSent;
  return requests + answers.count + abandoned + connections + refused;
}

function protocolsOf({ connections }: Service): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { protocol } of connections) if (protocol) counts[protocol] = (counts[protocol] ?? 0) + 1;
  return counts;
}
