/**
 * Spans of what requests come by: connections, and the streams of HTTP/2. They end late, since a span is seen when it has ended: that of a connection when it
 * is closed.
 *
 * @module
 */
import { type Attributes, type Context, propagation, ROOT_CONTEXT, type Span, type Tracer, trace } from '@opentelemetry/api';
import type { Connection, ConnectionMessage, StreamMessage } from '../process/watching/connection-channels.ts';
import { PAIRS } from './fields.ts';

/** Has the spans. */
export class CarrierSpans {
  readonly #tracer: Tracer;
  readonly #connections: WeakMap<Connection, Span> = new WeakMap();
  readonly #streams: WeakMap<StreamMessage, Span> = new WeakMap();

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  openConnection({ connection }: ConnectionMessage): void {
    const { openedAt: startTime, fields } = connection;
    const span = this.#tracer.startSpan('http.connection', { startTime, attributes: attributesOf(connection) }, ROOT_CONTEXT);
    this.#connections.set(connection, span);
    propagation.inject(trace.setSpan(ROOT_CONTEXT, span), fields, PAIRS);
  }

  closeConnection({ connection }: ConnectionMessage): void {
    this.#connections.get(connection)?.end();
  }

  openStream(message: StreamMessage): void {
    this.#streams.set(message, this.#tracer.startSpan('h2.stream', {}, contextOf(message.connection)));
  }

  closeStream(message: StreamMessage): void {
    this.#streams.get(message)?.end();
  }
}

/** The context of a connection, in a handler thread as well; the root without a span. */
export function contextOf(connection: Connection | undefined): Context {
  if (!connection || connection.fields.length === 0) return ROOT_CONTEXT;
  return propagation.extract(ROOT_CONTEXT, connection.fields, PAIRS);
}

function attributesOf({ remoteAddress, remotePort, localAddress, localPort, protocol }: Connection): Attributes {
  const attributes: Attributes = { 'network.protocol.name': 'http', 'network.protocol.version': protocol === 'h2' ? '2' : '1.1' };
  if (remoteAddress !== undefined) attributes['network.peer.address'] = remoteAddress;
  if (remotePort !== undefined) attributes['network.peer.port'] = remotePort;
  if (localAddress !== undefined) attributes['network.local.address'] = localAddress;
  if (localPort !== undefined) attributes['network.local.port'] = localPort;
  return attributes;
}
