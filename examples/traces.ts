/**
 * Traces of requests, threads and a database: one trace from the request to the query, whoever sees it.
 *
 *     npm run build && npm run build:examples
 *     OTEL_SERVICE_NAME=traces node --import ./.build/examples/traces/telemetry.js .build/examples/traces.js
 *
 *     $ curl -i http://localhost:8000/greetings/ada           X-Request-ID is in the span as filrouge.request.id
 *     $ curl http://localhost:8000/relay/ada                  one trace: two server spans, and between them that of the client
 *     $ curl http://localhost:8000/broken                     500: the span has the error
 *
 * The spans go by OTLP to localhost:4318, where Jaeger, Tempo and the Datadog agent listen; OTEL_EXPORTER_OTLP_ENDPOINT names another place.
 */
import { finish, match, type Request, Response, requestId, startServer } from 'filrouge';
import { createFetch } from 'filrouge/blocking';

const get = createFetch({ timeout: 5000 });
const { PORT: port = '8000', HOST: host = 'localhost' } = process.env;
startServer((request) => finish(request, answer, withId), { host, port: Number(port), workers: 1, threads: 4 });

function answer(request: Request): Response {
  const greeting = match(request, 'GET /greetings/{name}');
  if (greeting) return Response.text(`hello, ${greeting.name}\n`);
  const relay = match(request, 'GET /relay/{name}');
  if (relay) return Response.text(get(`http://${host}:${port}/greetings/${encodeURIComponent(relay.name)}`).text());
  if (match(request, 'GET /broken')) throw new Error('This is what the span shows');
  return Response.empty(404);
}

function withId(request: Request, response: Response): Response {
  return response.withHeader('X-Request-ID', requestId(request));
}
