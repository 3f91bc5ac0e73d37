/**
 * The figures of a server as families of metrics.
 *
 * @module
 */
import type { Durations } from '../../process/durations.ts';
import { addEach, type ServerStatus, type WorkerStatus } from '../../process/server-status.ts';

/** What distinguishes the samples of a family. */
export type Labels = Readonly<Record<string, string | number>>;

/** One value of a family, or the durations of a histogram. */
export type Sample<V> = readonly [labels: Labels, value: V];

/** Metrics of one name. Names are without the `_total` of counters; a unit is their end. */
export type Family =
  | {
      readonly type: 'counter' | 'gauge';
      readonly name: string;
      readonly unit?: 'seconds' | 'bytes';
      readonly help: string;
      readonly samples: readonly Sample<number>[];
    }
  | {
      readonly type: 'histogram';
      readonly name: string;
      readonly unit: 'seconds';
      readonly help: string;
      readonly samples: readonly Sample<Durations>[];
    };

/** All that a server tells. A family of which nothing has occurred has no samples. */
export function familiesOf(status: ServerStatus): readonly Family[] {
  return [...requestFamilies(status), ...serverFamilies(status), ...protocolFamilies(status), ...workerFamilies(status)];
}

function requestFamilies({ requests, answered, abandoned, refused, workers }: ServerStatus): Family[] {
  const timed = answered.flatMap(({ route, method, status, durations }) =>
    durations ? [[{ route, method, status }, durations] as const] : [],
  );
  return [
    counter('requests', 'Requests handed to the handler.', [[{}, requests]]),
    counter(
      'responses',
      'Requests whose answer has begun to be sent.',
      answered.map(({ route, method, status, count }) => [{ route, method, status }, count]),
    ),
    histogram('request_duration_seconds', 'Time from a request to the beginning of its answer.', timed),
    counter('requests_abandoned', 'Requests whose client left before their answer began.', [[{}, abandoned]]),
    counter('refused', 'Requests, connections and handshakes refused before a handler, by status or kind.', counts('kind', refused)),
    gauge('requests_in_flight', 'Requests that are not answered yet.', total(workers, 'inFlight')),
    gauge('requests_queued', 'Requests that wait for a handler thread.', total(workers, 'queued')),
  ];
}

function serverFamilies({ generation, restarts, calls, loopDelay, gc, workers }: ServerStatus): Family[] {
  const kinds = Object.entries(gc);
  return [
    counter('restarts', 'Workers replaced because they died or were stuck.', [[{}, restarts]]),
    counter('reloads', 'Reloads.', [[{}, generation - 1]]),
    gauge('generation', 'Counts the reloads, from 1.', [[{}, generation]]),
    gauge('workers', 'Worker processes that serve.', [[{}, workers.length]]),
    gauge('handler_threads', 'Handler threads that take requests.', total(workers, 'threads')),
    gauge('handler_threads_by_state', 'Handler threads by what they do.', counts('state', summed(workers, 'threadStates'))),
    gauge(
      'waiting_threads',
      'Handler threads that wait for a call of filrouge/blocking, by its name.',
      workers.flatMap(({ pid, waiting }) => Object.entries(waiting).map(([call, count]) => [{ pid, call }, count] as const)),
    ),
    histogram(
      'blocking_call_duration_seconds',
      'Calls of filrouge/blocking by name.',
      Object.entries(calls).map(([call, durations]) => [{ call }, durations]),
    ),
    histogram('event_loop_delay_seconds', 'How late the clocks of the event loops were.', loopDelay.count > 0 ? [[{}, loopDelay]] : []),
    counter(
      'gc_runs',
      'Collections of garbage in the threads that do the I/O, by kind.',
      kinds.map(([kind, { count }]) => [{ kind }, count]),
    ),
    {
      ...counter(
        'gc_seconds',
        'Time spent in them.',
        kinds.map(([kind, { seconds }]) => [{ kind }, seconds]),
      ),
      unit: 'seconds',
    },
  ];
}

function protocolFamilies({ opened, tls, http2, workers }: ServerStatus): Family[] {
  const { streams, resetsReceived, resetsSent, goAwaysReceived, goAwaysSent } = http2;
  return [
    gauge('connections', 'Open connections.', total(workers, 'connections')),
    gauge('connections_by_protocol', 'Open connections by what they speak.', counts('protocol', summed(workers, 'protocols'))),
    counter('connections_opened', 'Connections by what they began to speak.', counts('protocol', opened)),
    counter('tls_handshakes', 'TLS handshakes that were completed.', [[{}, tls.handshakes]]),
    counter('tls_resumed', 'Of those, the ones that resumed a session.', [[{}, tls.resumed]]),
    counter('tls_failed', 'TLS handshakes that failed.', [[{}, tls.failed]]),
    counter('http2_streams', 'Streams of HTTP/2 that were opened.', [[{}, streams]]),
    counter('http2_resets', 'Streams of HTTP/2 that were reset, by who did it.', [
      [{ by: 'client' }, resetsReceived],
      [{ by: 'server' }, resetsSent],
    ]),
    counter('http2_goaways', 'GOAWAY by who sent it and its code.', [
      ...Object.entries(goAwaysReceived).map(([code, count]) => [{ by: 'client', code }, count] as const),
      ...Object.entries(goAwaysSent).map(([code, count]) => [{ by: 'server', code }, count] as const),
    ]),
  ];
}

function workerFamilies({ workers }: ServerStatus): Family[] {
  const each = (name: 'rss' | 'heapUsed' | 'cpu' | 'loopBusy'): Sample<number>[] =>
    workers.map((worker) => [{ pid: worker.pid }, worker[name]]);
  return [
    { ...gauge('worker_memory_bytes', 'Resident memory of a worker.', each('rss')), unit: 'bytes' },
    { ...gauge('worker_heap_bytes', 'Memory of the JavaScript objects of its I/O.', each('heapUsed')), unit: 'bytes' },
    { ...counter('worker_cpu_seconds', 'Processor time of a worker.', each('cpu')), unit: 'seconds' },
    { ...counter('worker_loop_busy_seconds', 'Time in which its event loop did not wait for events.', each('loopBusy')), unit: 'seconds' },
  ];
}

function counter(name: string, help: string, samples: readonly Sample<number>[]): Family & { type: 'counter' | 'gauge' } {
  return { type: 'counter', name: `filrouge_${name}`, help, samples };
}

function gauge(name: string, help: string, samples: readonly Sample<number>[]): Family & { type: 'counter' | 'gauge' } {
  return { type: 'gauge', name: `filrouge_${name}`, help, samples };
}

function histogram(name: string, help: string, samples: readonly Sample<Durations>[]): Family {
  return { type: 'histogram', name: `filrouge_${name}`, unit: 'seconds', help, samples };
}

function counts(label: string, values: Readonly<Record<string, number>>): Sample<number>[] {
  return Object.entries(values).map(([what, count]) => [{ [label]: what }, count]);
}

function total(workers: readonly WorkerStatus[], name: 'connections' | 'inFlight' | 'queued' | 'threads'): Sample<number>[] {
  return [[{}, workers.reduce((sum, worker) => sum + worker[name], 0)]];
}

function summed(workers: readonly WorkerStatus[], name: 'protocols' | 'threadStates'): Record<string, number> {
  const each = workers.map((worker): Readonly<Record<string, number>> => ({ ...worker[name] }));
  return each.reduce<Record<string, number>>((sum, counted) => addEach(sum, counted, (a, b) => a + b), {});
}
