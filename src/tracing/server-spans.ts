/**
 * The server span of each request, and its metrics.
 *
 *     start ── the handler is called, in the span's context ── response ── the last byte is out: the span ends
 *
 * What is not sampled has a span as well, which records nothing: what the handler calls must know that it is not sampled. For it, nothing is written down
 * but what the metrics count.
 *
 * @module
 */
import {
  type Attributes,
  context,
  createContextKey,
  type Link,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { RequestMessage } from '../exchange/channels.ts';
import type { Request } from '../http/request.ts';
import { messageOf } from '../process/watching/request-channels.ts';
import type { Sent } from '../process/watching/sent.ts';
import type { TraceIds } from '../process/watching/trace-ids.ts';
import { contextOf } from './carrier-spans.ts';
import { attributesOf, errorType, methodOf, RPC_METADATA, type Spelling, spanName, versionOf } from './conventions.ts';
import { FIELDS } from './fields.ts';
import type { Meters } from './meters.ts';
import { Traced } from './traced.ts';
import { UnsampledSpan } from './unsampled-span.ts';

/** How requests are traced. */
export interface ServerSpanSettings {
  readonly tracer: Tracer;
  readonly meters: Meters;
  readonly spelling: Spelling;
  /** Whether the span of whoever has asked is the parent, or is only named. */
  readonly incoming: 'parent' | 'link';
  readonly ignore: ((request: Request) => boolean) | undefined;
  /** Of the requests that begin a trace, how many the SDK is asked about: from 0 to 1. */
  readonly share: number;
  /** The id that X-Request-ID has as well. */
  readonly idOf: (request: Request) => string;
}

/** What the SDK asks whether anything within is to be traced; the key is that of `@opentelemetry/core`. */
const SUPPRESS_TRACING: symbol = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');

const NO_LINKS: Link[] = [];
const NOBODY = { remoteAddress: undefined, remotePort: undefined };

/** Has a span for each request. */
export class ServerSpans {
  readonly #settings: ServerSpanSettings;

  constructor(settings: ServerSpanSettings) {
    this.#settings = settings;
  }

  /** A handler is about to be called. */
  begin(message: RequestMessage): Traced {
    const { request } = message;
    const { meters, spelling } = this.#settings;
    const traced = this.#trace(message, methodOf(request.method, spelling));
    message.trace = traced;
    if (traced.isGuest) return traced;
    meters.begin(traced.method, request.secure);
    if (meters.areOn || traced.span?.isRecording()) message.onSent = () => this.#end(message, traced);
    return traced;
  }

  /** The ids for a line of a log: of the span that is active, else of that of the request. */
  idsOf(request: object): TraceIds | undefined {
    const { span } = ((messageOf(request) as RequestMessage | undefined)?.trace ?? {}) as Partial<Traced>;
    const found = (trace.getActiveSpan() ?? span)?.spanContext();
    return found && trace.isSpanContextValid(found) ? found : undefined;
  }

  /** The response is known. As a guest we have to say the route now: the span ends with the response of the server that we are in. */
  answered(message: RequestMessage): void {
    const traced = (message.trace as Traced | undefined) ?? this.begin(message); // which no handler has seen: it was refused
    const metadata = traced.isGuest ? traced.metadata : undefined;
    const { route } = message.request;
    if (metadata && route !== undefined) metadata.route ??= route;
  }

  /** The response is out, or will never be. */
  #end(message: RequestMessage, traced: Traced): void {
    const { sent, request } = message;
    if (!sent) return;
    const { span, method } = traced;
    const route = request.route ?? traced.metadata?.route;
    const failure = failureOf(message, sent);
    if (span?.isRecording()) this.#close(message, sent, span, route, method, failure);
    this.#settings.meters.end(traced, { request, method, route, failure, sent });
  }

  #trace(message: RequestMessage, method: string): Traced {
    const { request } = message;
    // What runs here may run in the context of another request: that behind which this one came on its connection.
    const base = message.isGuest ? context.active() : ROOT_CONTEXT;
    if (base !== ROOT_CONTEXT && base.getValue(RPC_METADATA) !== undefined) return new Traced(method, base, undefined, true);
    const { ignore, incoming, meters, share, tracer, spelling } = this.#settings;
    if (ignore?.(request)) return new Traced(method, base.setValue(SUPPRESS_TRACING, true), undefined, false);
    const claimed = propagation.extract(base, request, FIELDS);
    const remote = claimed === base ? undefined : trace.getSpanContext(claimed);
    const own = trace.getSpan(contextOf(message.connection));
    // Whoever has asked is the parent, as its `traceparent` says; else the connection, when that has a span. The one that is not is named in a link.
    const isOnlyNamed = incoming === 'link';
    const within = isOnlyNamed ? base : claimed;
    const parent = own && (isOnlyNamed || !remote) ? trace.setSpan(within, own) : within;
    const other = isOnlyNamed ? remote : remote && own?.spanContext();
    if (share < 1 && parent === within && (isOnlyNamed || !remote) && Math.random() >= share) {
      return new Traced(method, parent, new UnsampledSpan(), meters.areOn);
    }
    const options = {
      kind: SpanKind.SERVER,
      attributes: attributesOf(request, method, spelling),
      links: other ? [{ context: other }] : NO_LINKS,
      startTime: request.readAt >= 0 ? request.readAt : performance.now(),
    };
    const span = tracer.startSpan(spanName(method, undefined), options, parent);
    return new Traced(method, parent, span, meters.areOn || span.isRecording());
  }

  #close(message: RequestMessage, sent: Sent, span: Span, route: string | undefined, method: string, failure: string | undefined): void {
    const { request, response, error, connection } = message;
    const { idOf, spelling } = this.#settings;
    if (route !== undefined) {
      span.updateName(spanName(method, route));
      span.setAttribute('http.route', route);
    }
    const attributes: Attributes = {
      'network.protocol.version': versionOf(request),
      'filrouge.request.id': idOf(request),
    };
    if (sent.status !== undefined) attributes['http.response.status_code'] = sent.status;
    const { remoteAddress: address, remotePort: port } = connection ?? (isDirect(request) ? request.peer : NOBODY);
    if (address !== undefined) attributes['network.peer.address'] = address;
    if (port !== undefined) attributes['network.peer.port'] = port;
    if (failure !== undefined) attributes['error.type'] = failure;
    for (const name of response ? spelling.responseFields : []) {
      const values = response?.headerAll(name) ?? [];
      if (values.length > 0) attributes[`http.response.header.${name}`] = values;
    }
    span.setAttributes(attributes);
    if (error !== undefined) span.recordException(error instanceof Error || typeof error === 'string' ? error : errorType(error));
    if (failure !== undefined && (sent.outcome === 'failed' || isServerError(sent))) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end(sent.endedAt);
  }
}

/** What has gone wrong, of few values; undefined: nothing on our side. */
function failureOf({ error }: RequestMessage, sent: Sent): string | undefined {
  const { status, outcome } = sent;
  const isFailed = outcome === 'failed' || isServerError(sent);
  if (error !== undefined && isFailed) return errorType(error);
  if (isServerError(sent)) return String(status);
  return outcome === 'sent' ? undefined : outcome;
}

/** Whether the client is the other end of the connection: no trusted proxy stands between. */
function isDirect({ peer }: Request): boolean {
  return peer.port !== undefined;
}

/** Of a server's answers these are errors of its own; 4xx is what it has to say about the client's. */
function isServerError({ status = 0 }: Sent): boolean {
  return status >= 500;
}
