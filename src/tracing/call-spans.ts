/**
 * What a handler calls: other servers, CGI programs, functions in I/O threads. Each call has a span, and takes the trace along in the fields that the
 * propagators of the SDK write.
 *
 * @module
 */
import { hasSubscribers } from 'node:diagnostics_channel';
import {
  type Attributes,
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { CallMessage } from '../process/watching/call-channel.ts';
import { errorType, methodOf, type Spelling, withoutSecrets } from './conventions.ts';
import { PAIRS } from './fields.ts';

/** The channel on which undici tells of a request: whoever listens there makes a span of it, and adds the fields. */
const UNDICI = 'undici:request:create';

/** Has a span for each call. */
export class CallSpans {
  readonly #tracer: Tracer;
  readonly #spelling: Spelling;
  readonly #spans: WeakMap<CallMessage, Span> = new WeakMap();

  constructor(tracer: Tracer, spelling: Spelling) {
    this.#tracer = tracer;
    this.#spelling = spelling;
  }

  /** A call is about to be made. In an I/O thread it is, and belongs to the trace of whoever has called. */
  begin(message: CallMessage): void {
    if (message.kind === 'called') {
      const within = propagation.extract(ROOT_CONTEXT, message.fields, PAIRS);
      message.around = (call) => context.with(within, call);
      return;
    }
    if (message.kind === 'proxy') {
      for (const name of propagation.fields()) message.fields.push([name, undefined]); // the client's lead to another place of the trace
      if (hasSubscribers(UNDICI)) return;
    }
    const within = this.#withSpan(message, context.active());
    propagation.inject(within, message.fields, PAIRS);
  }

  /** It has come to something, or failed. */
  end(message: CallMessage): void {
    const span = this.#spans.get(message);
    if (!span) return;
    this.#spans.delete(message);
    const { error, result } = message;
    const status = statusOf(result);
    if (status !== undefined) span.setAttribute('http.response.status_code', status);
    const failure = error === undefined ? failedStatus(status) : errorType(error);
    if (failure !== undefined) {
      span.setAttribute('error.type', failure);
      span.setStatus({ code: SpanStatusCode.ERROR, ...(error instanceof Error ? { message: error.message } : {}) });
    }
    span.end();
  }

  /** The context in which a call is made. Within a request that is not recorded it is that of the request. */
  #withSpan(message: CallMessage, active: Context): Context {
    if (trace.getSpan(active)?.isRecording() === false) return active;
    const { kind } = message;
    const attributes = this.#attributesOf(message);
    const options = { kind: kind === 'fetch' || kind === 'proxy' ? SpanKind.CLIENT : SpanKind.INTERNAL, attributes };
    const span = this.#tracer.startSpan(this.#nameOf(message), options, active);
    this.#spans.set(message, span);
    return trace.setSpan(active, span);
  }

  /** A request to another server is named as the conventions say, all else as operators read it. */
  #nameOf({ method, name }: CallMessage): string {
    if (method === undefined) return name;
    const known = methodOf(method, this.#spelling);
    return known === '_OTHER' ? 'HTTP' : known;
  }

  #attributesOf({ kind, method, url }: CallMessage): Attributes {
    if (method === undefined || url === undefined) return { 'filrouge.call.kind': kind };
    const { origin, pathname, search, hostname, port, protocol } = new URL(url);
    const known = methodOf(method, this.#spelling);
    const query = search === '' ? '' : `?${withoutSecrets(search.slice(1), this.#spelling.secrets)}`;
    const attributes: Attributes = {
      'http.request.method': known,
      'server.address': hostname.replace(/^\[(.*)\]$/, '$1'),
      'server.port': port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
      'url.full': origin + pathname + query,
    };
    if (known === '_OTHER') attributes['http.request.method_original'] = method;
    return attributes;
  }
}

/** A client is told of what it has done wrong as well: for it, 4xx is an error. */
function failedStatus(status: number | undefined): string | undefined {
  return status !== undefined && status >= 400 ? String(status) : undefined;
}

/** Of an answer. */
function statusOf(result: unknown): number | undefined {
  const status = typeof result === 'object' && result !== null && 'status' in result ? result.status : undefined;
  return typeof status === 'number' ? status : undefined;
}
