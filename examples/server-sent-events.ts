/**
 * Server-sent events: a page that fills by itself, over one response that stays open; when it is cut, the browser reconnects and fetches what it
 * missed.
 *
 *     npm run build && npm run build:examples && node .build/examples/server-sent-events.js
 *
 *     Open http://localhost:8000 and watch. Stop the server with Ctrl-C, start it again: the page continues where it was.
 *
 *     $ curl -N http://localhost:8000/laps                             laps 1 to 5, one by one, then the server ends the response
 *     $ curl -N -H 'Last-Event-ID: 5' http://localhost:8000/laps       laps 6 to 10
 *     $ curl -N --compressed http://localhost:8000/laps                the same compressed, and still one by one
 */
import { setInterval } from 'node:timers/promises';
import { compress, match, type Request, Response, type ServerSentEvent, startServer } from 'filrouge';

const { PORT: port = '8000', HOST: host = 'localhost' } = process.env;
startServer((request) => compress(request, answer(request)), { host, port: Number(port) });

/** Laps are run this often, ms. */
const LAP = 200;
/** A response sends this many and ends: no client holds a connection for ever, and after a new release all reconnect by themselves. */
const LAPS_AT_A_TIME = 5;

function answer(request: Request): Response {
  if (match(request, 'GET /')) return Response.html(PAGE);

  // A browser that reconnects sends the id of the last event it has seen. A client can send anything here, so it is checked like any other input.
  if (match(request, 'GET /laps')) return Response.events(laps(lapAfter(request.header('last-event-id'))));

  return Response.empty(404);
}

/**
 * A stream is a generator: the next event is requested when the client has taken the last, and the generator ends at its `yield` when the client
 * leaves.
 */
async function* laps(first: number): AsyncGenerator<ServerSentEvent> {
  let lap = first;
  for await (const _ of setInterval(LAP)) {
    // `retry` is how long the browser waits before it reconnects, ms. Data of several lines arrives with all its lines.
    yield { event: 'lap', id: String(lap), data: `lap ${lap}\n${'●'.repeat(((lap - 1) % 10) + 1)}`, retry: 100 };
    lap++;
    if (lap === first + LAPS_AT_A_TIME) return;
  }
}

function lapAfter(id = '0'): number {
  return /^\d{1,9}$/.test(id) ? Number(id) + 1 : 1;
}

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Laps · filrouge</title>
<style>
  body { font: 1rem/1.5 system-ui; max-width: 36rem; margin: 2rem auto; padding: 0 1rem }
  h1 { color: #b3261e }
  pre { font: inherit; margin: 0; color: #b3261e }
</style>
<h1>Laps</h1>
<p>Connected <b id="times">0</b> times, <b id="last">no lap</b> last.</p>
<pre id="track"></pre>
<script>
  const seen = [];
  const source = new EventSource('/laps');
  source.onopen = () => times.textContent++;
  source.addEventListener('lap', (event) => {
    seen.push(Number(event.lastEventId));
    [last.textContent, track.textContent] = event.data.split('\\n');
  });
</script>
`;
