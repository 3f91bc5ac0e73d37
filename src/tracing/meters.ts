/**
 * The metrics of requests: `http.server.request.duration` and `http.server.active_requests`.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/http/http-metrics/#http-server
 * @module
 */
import {
  type Attributes,
  type Context,
  createNoopMeter,
  type Histogram,
  type Meter,
  metrics,
  type ObservableResult,
} from '@opentelemetry/api';
import type { Request } from '../http/request.ts';
import type { Sent } from '../process/watching/sent.ts';
import { DURATIONS, versionOf } from './conventions.ts';

/** A request that has ended. */
export interface Ended {
  readonly request: Request;
  readonly method: string;
  readonly route: string | undefined;
  readonly failure: string | undefined;
  readonly sent: Sent;
}

/** Requests under way, of one method and scheme. */
interface Active {
  readonly attributes: Attributes;
  count: number;
}

/** What a meter gives when no SDK measures. */
const NO_HISTOGRAM: Histogram = createNoopMeter().createHistogram('none');

/** Counts and measures requests. */
export class Meters {
  readonly #scope: string;
  readonly #active: Map<string, Active> = new Map();
  #duration: Histogram | undefined;

  constructor(scope: string) {
    this.#scope = scope;
  }

  /** Whether the SDK measures. Asked at the first request: a meter that is asked for before the SDK has started measures nothing for ever. */
  get areOn(): boolean {
    this.#duration ??= this.#instruments();
    return this.#duration !== NO_HISTOGRAM;
  }

  /** A request has come. */
  begin(method: string, isSecure: boolean): void {
    if (this.areOn) this.#activeOf(method, isSecure).count++;
  }

  /** Its response is out, or will never be. @param within Its context, from which a measurement may take the trace as an example. */
  end(within: Context, { request, method, route, failure, sent }: Ended): void {
    if (!this.areOn || !this.#duration) return;
    this.#activeOf(method, request.secure).count--;
    const attributes: Attributes = {
      'http.request.method': method,
      'url.scheme': request.secure ? 'https' : 'http',
      'network.protocol.version': versionOf(request),
    };
    if (sent.status !== undefined) attributes['http.response.status_code'] = sent.status;
    if (route !== undefined) attributes['http.route'] = route;
    if (failure !== undefined) attributes['error.type'] = failure;
    this.#duration.record(Math.max(0, sent.endedAt - sent.startedAt) / 1000, attributes, within);
  }

  #activeOf(method: string, isSecure: boolean): Active {
    const key = isSecure ? `${method}s` : method;
    let found = this.#active.get(key);
    if (!found) {
      found = { attributes: { 'http.request.method': method, 'url.scheme': isSecure ? 'https' : 'http' }, count: 0 };
      this.#active.set(key, found);
    }
    return found;
  }

  #instruments(): Histogram {
    const meter: Meter = metrics.getMeter(this.#scope);
    // Asked for when it is exported: a counter that is told of each request would cost it microseconds.
    const active = meter.createObservableUpDownCounter('http.server.active_requests', {
      description: 'Number of active HTTP server requests.',
      unit: '{request}',
    });
    active.addCallback((result: ObservableResult) => {
      for (const { count, attributes } of this.#active.values()) result.observe(count, attributes);
    });
    return meter.createHistogram('http.server.request.duration', {
      description: 'Duration of HTTP server requests.',
      unit: 's',
      advice: { explicitBucketBoundaries: DURATIONS },
    });
  }
}
