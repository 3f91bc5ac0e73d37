/**
 * A collector of OpenTelemetry: takes what SDKs export by OTLP over HTTP, in JSON, and keeps it.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/#otlphttp-request
 * @module
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { until } from './until.ts';

/** Kinds of spans as OTLP numbers them. */
export const KINDS = { internal: 1, server: 2, client: 3 } as const;

type Value = string | number | boolean | readonly Value[];

/** A span as it was exported. */
export interface Exported {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Undefined for the first of a trace. */
  readonly parent: string | undefined;
  readonly kind: number;
  readonly attributes: Readonly<Record<string, Value>>;
  /** 2 is an error. */
  readonly status: number;
  readonly links: readonly string[];
  readonly events: readonly string[];
  /** Nanoseconds. */
  readonly start: bigint;
  readonly end: bigint;
  /** What has made it. */
  readonly scope: string;
}

/** A point of a histogram, or of a sum, as it was exported last. */
export interface Point {
  readonly attributes: Readonly<Record<string, Value>>;
  readonly count: number;
  readonly value: number;
  readonly bounds: readonly number[];
}

interface WireValue {
  readonly stringValue?: string;
  readonly intValue?: number | string;
  readonly doubleValue?: number;
  readonly boolValue?: boolean;
  readonly arrayValue?: { readonly values?: readonly WireValue[] };
}
type WireAttributes = readonly { readonly key: string; readonly value: WireValue }[];
interface WireSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly kind: number;
  readonly attributes: WireAttributes;
  readonly status: { readonly code?: number };
  readonly links?: readonly { readonly spanId: string }[];
  readonly events?: readonly { readonly name: string }[];
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
}
interface WirePoint {
  readonly attributes: WireAttributes;
  readonly count?: number | string;
  readonly asInt?: number | string;
  readonly asDouble?: number;
  readonly explicitBounds?: readonly number[];
}
interface WireMetric {
  readonly name: string;
  readonly histogram?: { readonly dataPoints: readonly WirePoint[] };
  readonly sum?: { readonly dataPoints: readonly WirePoint[] };
}
interface Export {
  readonly resourceSpans?: readonly {
    readonly scopeSpans: readonly { readonly scope: { readonly name: string }; readonly spans: readonly WireSpan[] }[];
  }[];
  readonly resourceMetrics?: readonly { readonly scopeMetrics: readonly { readonly metrics: readonly WireMetric[] }[] }[];
}

/** See above. */
export class Collector {
  readonly spans: Exported[] = [];
  /** Points by the name of their metric. */
  readonly points: Map<string, readonly Point[]> = new Map();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        this.#take(JSON.parse(Buffer.concat(pieces).toString()) as Export);
        response.setHeader('Content-Type', 'application/json').end('{}');
      });
    });
  }

  /** Starts one; it ends with the test. */
  static async start(): Promise<Collector> {
    const collector = new Collector();
    await new Promise<void>((resolve) => collector.#server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      collector.#server.closeAllConnections();
      collector.#server.close();
    });
    return collector;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What an SDK needs to export to it. */
  get env(): Record<string, string> {
    return { OTEL_EXPORTER_OTLP_ENDPOINT: this.url, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' };
  }

  /** Waits until there are this many spans that satisfy a test. */
  async has(count: number, test: (span: Exported) => boolean = () => true): Promise<Exported[]> {
    const found = (): Exported[] => this.spans.filter(test);
    return until(
      () => (found().length >= count ? found() : undefined),
      () => `${count} spans among\n${this.spans.map(({ name, kind, scope }) => `${name} (${kind}, ${scope})`).join('\n')}`,
    );
  }

  /** Waits for one span. */
  async one(test: (span: Exported) => boolean): Promise<Exported> {
    return (await this.has(1, test))[0] as Exported;
  }

  /** Waits until the points of a metric satisfy a test. */
  async measures(name: string, test: (points: readonly Point[]) => boolean): Promise<readonly Point[]> {
    return until(
      () => (test(this.points.get(name) ?? []) ? this.points.get(name) : undefined),
      () => `points of ${name} among ${JSON.stringify([...this.points])}`,
    );
  }

  #take({ resourceSpans = [], resourceMetrics = [] }: Export): void {
    for (const { scope, spans } of resourceSpans.flatMap(({ scopeSpans }) => scopeSpans)) {
      for (const span of spans) this.spans.push(exported(span, scope.name));
    }
    for (const { name, histogram, sum } of resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics).flatMap(({ metrics }) => metrics)) {
      this.points.set(name, (histogram ?? sum)?.dataPoints.map(pointOf) ?? []);
    }
  }
}

function exported(span: WireSpan, scope: string): Exported {
  const { name, traceId, spanId, parentSpanId, kind, status, links = [], events = [] } = span;
  return {
    name,
    traceId,
    spanId,
    parent: parentSpanId,
    kind,
    attributes: attributesOf(span.attributes),
    status: status.code ?? 0,
    links: links.map((link) => link.spanId),
    events: events.map((event) => event.name),
    start: BigInt(span.startTimeUnixNano),
    end: BigInt(span.endTimeUnixNano),
    scope,
  };
}

function pointOf({ attributes, count = 0, asInt, asDouble, explicitBounds = [] }: WirePoint): Point {
  return { attributes: attributesOf(attributes), count: Number(count), value: Number(asInt ?? asDouble ?? 0), bounds: explicitBounds };
}

function attributesOf(attributes: WireAttributes): Record<string, Value> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plainOf(value)]));
}

function plainOf({ stringValue, intValue, doubleValue, boolValue, arrayValue }: WireValue): Value {
  if (arrayValue) return (arrayValue.values ?? []).map(plainOf);
  return stringValue ?? boolValue ?? Number(intValue ?? doubleValue);
}
