/**
 * A page from three HTTP services, asked at the same time by plain calls. NEWS, WEATHER and QUOTES name them.
 *
 *     npm run build && npm run build:examples && NEWS=http://localhost:9001/ … node .build/examples/aggregate.js
 *
 *     $ curl http://localhost:8000/               all three, after as long as the slowest takes
 *     $ curl http://localhost:8000/news           what one of them says, passed on as it comes
 *
 * When one of the three fails or is slow, its part says so and the others are shown.
 */
import { match, type Request, Response, startServer } from 'filrouge';
import { blocking, createFetch, type Fetched } from 'filrouge/blocking';

const get = createFetch({ timeout: 1000 });
const { NEWS = 'http://localhost:9001/', WEATHER = 'http://localhost:9002/', QUOTES = 'http://localhost:9003/' } = process.env;

const { PORT: port = '8000', HOST: host = 'localhost' } = process.env;
startServer(answer, { host, port: Number(port), workers: 1, threads: 16 });

function answer(request: Request): Response {
  if (match(request, 'GET /')) {
    const [news, weather, quotes] = blocking.allSettled([() => get(NEWS), () => get(WEATHER), () => get(QUOTES)]);
    return Response.json({ news: partOf(news), weather: partOf(weather), quotes: partOf(quotes) });
  }
  if (match(request, 'GET /news')) {
    const news = get(NEWS);
    return Response.bytes(news.header('content-type') ?? 'application/octet-stream', news.bytes()).withStatus(news.status);
  }
  return Response.empty(404);
}

function partOf(result: PromiseSettledResult<Fetched>): unknown {
  if (result.status === 'rejected') return { missing: String(result.reason) };
  return result.value.status === 200 ? result.value.json() : { missing: `status ${result.value.status}` };
}
