/**
 * The real SDK of OpenTelemetry in this process, exporting to a collector of the test.
 *
 * @module
 */
import { metrics, trace } from '@opentelemetry/api';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { onTestFinished } from 'vitest';
import { type TraceOptions, traceRequests } from '../../src/opentelemetry.ts';
import { Collector } from './collector.ts';

type SdkOptions = NonNullable<ConstructorParameters<typeof NodeSDK>[0]>;

/** What makes an SDK export soon, and to this collector. */
export function telemetryEnv(collector: Collector): Record<string, string> {
  return {
    ...collector.env,
    OTEL_BSP_SCHEDULE_DELAY: '10',
    OTEL_METRICS_EXPORTER: 'otlp',
    OTEL_METRIC_EXPORT_INTERVAL: '50',
    OTEL_METRIC_EXPORT_TIMEOUT: '50',
    OTEL_LOGS_EXPORTER: 'none',
    OTEL_NODE_RESOURCE_DETECTORS: 'none',
  };
}

/** Traces requests until the test ends. @returns Where the spans go. */
export async function traced(options: TraceOptions = {}, sdkOptions: SdkOptions = {}): Promise<Collector> {
  const collector = await Collector.start();
  Object.assign(process.env, telemetryEnv(collector));
  const sdk = new NodeSDK({ serviceName: 'test', ...sdkOptions });
  sdk.start();
  onTestFinished(async () => {
    await sdk.shutdown();
    trace.disable();
    metrics.disable();
  });
  traceRequests(options);
  return collector;
}
