/**
 * What `node --import` loads before a server: the SDK of OpenTelemetry with the instrumentations that its framework's users are told to take. Spans are
 * batched as always and then go nowhere: what is sent is the same for all.
 *
 *     BENCH_TRACED   filrouge, fastify or express; hand: filrouge, whose handler makes its span itself
 *                    share: filrouge, which is told the share, where the others leave it to the sampler
 *     BENCH_SAMPLED  the share of requests that are recorded
 */
import { register } from 'node:module';
import { pathToFileURL } from 'node:url';
import { FastifyOtelInstrumentation } from '@fastify/otel';
import { ExpressInstrumentation } from '@opentelemetry/instrumentation-express';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { NodeSDK, tracing } from '@opentelemetry/sdk-node';

const { BENCH_TRACED, BENCH_SAMPLED, BENCH_DIST } = process.env;
const nowhere = { export: (_spans, done) => done({ code: 0 }), shutdown: async () => {} };
const instrumentations = {
  filrouge: () => [],
  share: () => [],
  hand: () => [],
  fastify: () => [new HttpInstrumentation(), new FastifyOtelInstrumentation({ registerOnInitialization: true })],
  express: () => [new HttpInstrumentation(), new ExpressInstrumentation()],
}[BENCH_TRACED]();
if (instrumentations.length > 0) register('@opentelemetry/instrumentation/hook.mjs', import.meta.url);

new NodeSDK({
  instrumentations,
  metricReaders: [],
  sampler: new tracing.ParentBasedSampler({
    root: new tracing.TraceIdRatioBasedSampler(BENCH_TRACED === 'share' ? 1 : Number(BENCH_SAMPLED)),
  }),
  spanProcessors: [new tracing.BatchSpanProcessor(nowhere)],
}).start();

if (BENCH_TRACED === 'filrouge' || BENCH_TRACED === 'share') {
  const door =
    BENCH_DIST === undefined
      ? new URL('../../../dist/opentelemetry.js', import.meta.url)
      : pathToFileURL(BENCH_DIST.replace(/index\.js$/, 'opentelemetry.js'));
  const { traceRequests } = await import(door.href);
  traceRequests(BENCH_TRACED === 'share' ? { share: Number(BENCH_SAMPLED) } : {});
}
