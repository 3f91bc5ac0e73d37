/**
 * Listens to what the server tells of its requests, and makes spans and metrics of it.
 *
 * Nothing here is loaded by the server, and nothing of the server is loaded here: they meet at channels of `node:diagnostics_channel`, which every thread has
 * of its own.
 *
 * @module
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { context, trace } from '@opentelemetry/api';
import type { RequestMessage } from '../exchange/channels.ts';
import { badOption, checkBoolean, checkFunction, checkOptions, kindOf } from '../http/errors/bad-option.ts';
import { isToken } from '../http/grammar.ts';
import type { Request } from '../http/request.ts';
import type { CallMessage } from '../process/watching/call-channel.ts';
import type { ConnectionMessage, StreamMessage } from '../process/watching/connection-channels.ts';
import { grantFarewell } from '../process/watching/farewell.ts';
import { tracesKnownBy } from '../process/watching/trace-ids.ts';
import { CallSpans } from './call-spans.ts';
import { CarrierSpans } from './carrier-spans.ts';
import { KNOWN_METHODS, SECRET_PARAMETERS, type Spelling } from './conventions.ts';
import { Meters } from './meters.ts';
import { ServerSpans } from './server-spans.ts';

/** Options of `traceRequests`. */
export interface TraceOptions {
  /**
   * What the `traceparent` of a client is worth. `parent` (default): the span of the request belongs to the client's trace, and the client decides whether it
   * is sampled. `link`: every request begins a trace of its own, in which the client's is named; baggage is not taken. For servers that anybody can ask.
   */
  incoming?: 'parent' | 'link' | undefined;
  /** Requests for which it returns true have no span, nor has anything that they call: probes of a balancer. They are measured. Default: none. */
  ignore?: ((request: Request) => boolean) | undefined;
  /**
   * Of the requests that begin a trace, how many are recorded, from 0 to 1: the others have a span that tells whoever is called that it is not sampled, and
   * cost less than when a sampler of the SDK leaves them out. Whoever brings a trace along has decided. Default 1: the SDK decides.
   */
  share?: number | undefined;
  /** Each connection has a span, the parent of its requests that bring no `traceparent`. Default false. */
  connections?: boolean | undefined;
  /** Each stream of HTTP/2 has a span, of its connection when that has one. Default false. */
  streams?: boolean | undefined;
  /** Fields of requests that are written down, as `http.request.header.<name>`. They may hold secrets. Default: none. */
  requestHeaders?: readonly string[] | undefined;
  /** Fields of responses, as `http.response.header.<name>`. Default: none. */
  responseHeaders?: readonly string[] | undefined;
  /**
   * Parameters of a query whose values are replaced by `REDACTED`; case matters. Default: those with signatures and keys of AWS, Azure and Google, as the
   * conventions name them.
   */
  redactedParameters?: readonly string[] | undefined;
}

const SUBJECT = 'Cannot trace requests';
const KNOWN: ReadonlySet<string> = new Set([
  'incoming',
  'ignore',
  'share',
  'connections',
  'streams',
  'requestHeaders',
  'responseHeaders',
  'redactedParameters',
]);

/** The name under which the SDK is asked for a tracer and a meter. */
const SCOPE = 'filrouge';

/** How long a handler thread may take to send what it has gathered, when the server stops, ms. */
const FAREWELL = 3000;

/** On globalThis: ends what the last call has begun. The script and what was loaded before it may have different copies of this module. */
const STOP: unique symbol = Symbol.for('filrouge.opentelemetry.stop') as never;
const holder = globalThis as { [STOP]?: (() => void) | undefined };

/** @internal See the door. @param idOf The id that X-Request-ID has. */
export function traceBy(idOf: (request: Request) => string, options: TraceOptions): void {
  const spelling = spellingOf(options);
  const { incoming = 'parent', ignore, share = 1 } = options;
  const tracer = trace.getTracer(SCOPE);
  const requests = new ServerSpans({ tracer, meters: new Meters(SCOPE), spelling, incoming, ignore, share, idOf });
  const calls = new CallSpans(tracer, spelling);
  const carriers = new CarrierSpans(tracer);
  holder[STOP]?.();
  const stops = [
    tracesKnownBy((request) => requests.idsOf(request)),
    listen('tracing:filrouge.request:start', (message: RequestMessage) => {
      const within = requests.begin(message);
      message.around = (call) => context.with(within, call);
    }),
    listen('filrouge.request:response', (message: RequestMessage) => requests.answered(message)),
    listen('tracing:filrouge.call:start', (message: CallMessage) => calls.begin(message)),
    listen('tracing:filrouge.call:end', (message: CallMessage) => {
      if ('result' in message || 'error' in message) calls.end(message); // else it has given a promise
    }),
    listen('tracing:filrouge.call:asyncEnd', (message: CallMessage) => calls.end(message)),
  ];
  if (options.connections) {
    stops.push(
      listen('filrouge.connection:open', (message: ConnectionMessage) => carriers.openConnection(message)),
      listen('filrouge.connection:close', (message: ConnectionMessage) => carriers.closeConnection(message)),
    );
  }
  if (options.streams) {
    stops.push(
      listen('filrouge.stream:open', (message: StreamMessage) => carriers.openStream(message)),
      listen('filrouge.stream:close', (message: StreamMessage) => carriers.closeStream(message)),
    );
  }
  grantFarewell(FAREWELL);
  holder[STOP] = () => {
    for (const stop of stops) stop();
  };
}

/** @returns Takes it back. */
function listen(name: string, call: (message: never) => void): () => void {
  const listener = (message: unknown): void => call(message as never);
  subscribe(name, listener);
  return () => unsubscribe(name, listener);
}

function spellingOf(options: TraceOptions): Spelling {
  checkOptions(SUBJECT, options, KNOWN);
  const { incoming, ignore, share = 1, connections = false, streams = false, redactedParameters = SECRET_PARAMETERS } = options;
  if (incoming !== undefined && incoming !== 'parent' && incoming !== 'link') {
    throw badOption(SUBJECT, `incoming is ${JSON.stringify(incoming)}, not "parent" or "link"`);
  }
  if (ignore !== undefined) checkFunction(SUBJECT, 'ignore', ignore);
  if (typeof share !== 'number' || !(share >= 0 && share <= 1)) {
    throw badOption(SUBJECT, `share is ${typeof share === 'number' ? share : kindOf(share)}, not a number from 0 to 1`);
  }
  checkBoolean(SUBJECT, 'connections', connections);
  checkBoolean(SUBJECT, 'streams', streams);
  return {
    methods: new Set(process.env['OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS']?.split(',').map((name) => name.trim()) ?? KNOWN_METHODS),
    secrets: textsOf('redactedParameters', redactedParameters),
    requestFields: fieldsOf('requestHeaders', options.requestHeaders),
    responseFields: fieldsOf('responseHeaders', options.responseHeaders),
  };
}

function textsOf(name: string, value: unknown): readonly string[] {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  throw badOption(SUBJECT, `${name} is ${kindOf(value)}, not a list of names`);
}

function fieldsOf(name: string, value: unknown = []): readonly string[] {
  const names = textsOf(name, value).map((field) => field.toLowerCase());
  const wrong = names.find((field) => !isToken(field));
  if (wrong !== undefined) throw badOption(SUBJECT, `${name} has ${JSON.stringify(wrong)}, which is no name of a field`);
  return names;
}
