/**
 * The status of the server as JSON, or as text for Prometheus.
 *
 * @module
 */
import { badOption } from '../http/errors/bad-option.ts';
import { mediaTypeQuality, parseWeightedRanges } from '../http/fields/accept.ts';
import { parseContentType } from '../http/fields/content-type.ts';
import type { Request } from '../http/request.ts';
import { Response } from '../http/response.ts';
import type { ServerStatus, WorkerStatus } from '../process/server-status.ts';

/** The formats of the answer. */
export type StatusFormat = 'json' | 'prometheus';

/** Prometheus text exposition format, version 0.0.4. */
const PROMETHEUS = 'text/plain; version=0.0.4';

/**
 * Answers with the status of the server. It reveals process ids and load: serve it only to clients that may know them.
 *
 * @param request Its Accept field chooses: JSON, or the Prometheus text format for a scraper.
 * @param status What `server.status()` resolved to.
 * @param format Overrides the Accept field.
 * @throws TypeError (code `bad-option`) for any other format.
 * @example
 * const server = await startServer(answer);
 *
 * async function answer(request: Request): Promise<Response> {
 *   if (match(request, 'GET /metrics')) return answerStatus(request, await server.status());
 *   return Response.text('hello');
 * }
 */
export function answerStatus(request: Request, status: ServerStatus, format: StatusFormat = wantedFormat(request)): Response {
  if (format !== 'json' && format !== 'prometheus') {
    throw badOption('Cannot answer status', `format is ${JSON.stringify(format)}, not "json" or "prometheus"`);
  }
  const response = format === 'json' ? Response.json(status) : Response.bytes(`${PROMETHEUS}; charset=utf-8`, prometheusText(status));
  return response.withHeader('Vary', 'Accept').withNoCache();
}

function wantedFormat(request: Request): StatusFormat {
  const ranges = parseWeightedRanges(request.header('accept'));
  if (!ranges) return 'json';
  const qualityOf = (type: string): number => {
    const offer = parseContentType(type);
    return offer ? mediaTypeQuality(ranges, offer) : 0;
  };
  return qualityOf(PROMETHEUS) > qualityOf('application/json') ? 'prometheus' : 'json';
}

function prometheusText(status: ServerStatus): string {
  const { generation, restarts, requests, refused, workers } = status;
  const sum = (name: Exclude<keyof WorkerStatus, 'refused' | 'waiting'>): number =>
    workers.reduce((total, worker) => total + worker[name], 0);
  return [
    metric('filrouge_requests_total', 'counter', 'Requests since the server started.', requests),
    '# HELP filrouge_refused_total Requests, connections and handshakes refused before a handler, by status or kind.',
    '# TYPE filrouge_refused_total counter',
    ...Object.entries(refused).map(([kind, count]) => `filrouge_refused_total{kind="${kind}"} ${count}`),
    metric('filrouge_restarts_total', 'counter', 'Workers replaced because they died or were stuck.', restarts),
    metric('filrouge_generation', 'gauge', 'Counts the reloads, from 1.', generation),
    metric('filrouge_workers', 'gauge', 'Worker processes that serve.', workers.length),
    metric('filrouge_connections', 'gauge', 'Open connections.', sum('connections')),
    metric('filrouge_requests_in_flight', 'gauge', 'Requests that are not answered yet.', sum('inFlight')),
    metric('filrouge_requests_queued', 'gauge', 'Requests that wait for a handler thread.', sum('queued')),
    metric('filrouge_handler_threads', 'gauge', 'Handler threads.', sum('threads')),
    '# HELP filrouge_waiting_threads Handler threads that wait for a call of filrouge/blocking, by its name.',
    '# TYPE filrouge_waiting_threads gauge',
    ...workers.flatMap(({ pid, waiting }) =>
      Object.entries(waiting).map(([call, count]) => `filrouge_waiting_threads{pid="${pid}",call=${JSON.stringify(call)}} ${count}`),
    ),
    '# HELP filrouge_worker_memory_bytes Resident memory of a worker.',
    '# TYPE filrouge_worker_memory_bytes gauge',
    ...workers.map(({ pid, rss }) => `filrouge_worker_memory_bytes{pid="${pid}"} ${rss}`),
    '',
  ].join('\n');
}

function metric(name: string, type: 'counter' | 'gauge', help: string, value: number): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name} ${value}`;
}
