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
import type { ServerStatus } from '../process/server-status.ts';
import { familiesOf } from './answer-status/families.ts';
import { textOf } from './answer-status/text-format.ts';

/** The formats of the answer: JSON, the Prometheus text format 0.0.4, or OpenMetrics 1.0. */
export type StatusFormat = 'json' | 'prometheus' | 'openmetrics';

const TYPES: Readonly<Record<StatusFormat, string>> = {
  json: 'application/json',
  prometheus: 'text/plain; version=0.0.4',
  openmetrics: 'application/openmetrics-text; version=1.0.0',
};
/** How scrapers ask for OpenMetrics that would also take names with other characters than ours. */
const ANY_NAMES = '; escaping=allow-utf-8';

/**
 * Answers with the status of the server. It reveals process ids and load: serve it only to clients that may know them.
 *
 * @param request Its Accept field chooses: JSON, or what a scraper wants: OpenMetrics, or the Prometheus text format.
 * @param status What `server.status()` resolved to.
 * @param format Overrides the Accept field.
 * @throws TypeError (code `bad-option`) for any other format.
 * @example
 * const server = await startServer(answer, { metrics: true });
 *
 * async function answer(request: Request): Promise<Response> {
 *   if (match(request, 'GET /metrics')) return answerStatus(request, await server.status());
 *   return Response.text('hello');
 * }
 */
export function answerStatus(request: Request, status: ServerStatus, format: StatusFormat = wantedFormat(request)): Response {
  if (!Object.hasOwn(TYPES, format)) {
    throw badOption('Cannot answer status', `format is ${JSON.stringify(format)}, not "json", "prometheus" or "openmetrics"`);
  }
  const response =
    format === 'json' ? Response.json(status) : Response.bytes(`${TYPES[format]}; charset=utf-8`, textOf(familiesOf(status), format));
  return response.withHeader('Vary', 'Accept').withNoCache();
}

/** JSON for whoever does not prefer one of the others. */
function wantedFormat(request: Request): StatusFormat {
  const ranges = parseWeightedRanges(request.header('accept'));
  if (!ranges) return 'json';
  const qualityOf = (type: string): number => {
    const offer = parseContentType(type);
    return offer ? mediaTypeQuality(ranges, offer) : 0;
  };
  const open = Math.max(qualityOf(TYPES.openmetrics), qualityOf(TYPES.openmetrics + ANY_NAMES));
  const text = qualityOf(TYPES.prometheus);
  if (Math.max(open, text) <= qualityOf(TYPES.json)) return 'json';
  return open >= text ? 'openmetrics' : 'prometheus';
}
