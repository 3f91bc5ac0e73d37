/**
 * A front end that is developed with Vite, and drawn on the server by Preact: what you edit is in the page at once. Production does without Vite.
 *
 *     npm install -D vite preact preact-render-to-string @prefresh/vite
 *     npm run build && npm run build:examples && node .build/examples/vite-ssr/server.js
 *
 * Open http://localhost:8000/hello/ada, click, and edit examples/vite-ssr/client/page.tsx: the page changes, and the count stays. ROOT names another
 * folder than examples/vite-ssr. In production:
 *
 *     npx vite build examples/vite-ssr
 *     NODE_ENV=production node .build/examples/vite-ssr/server.js
 *
 *     $ curl http://localhost:8000/hello/ada                 the page, with <h1>hello, ada</h1>
 *     $ curl -i http://localhost:8000/assets/index-….js      200, Cache-Control: max-age=31536000, immutable
 *     $ curl -i http://localhost:8000/client/page.tsx        404 Not Found
 *
 *     server.ts         which page answers
 *     development.ts    the front end by Vite; production.ts, as it was built; front-end.ts, what they have in common
 *     client/           page.tsx, drawn by render.tsx on the server, taken over by hydrate.tsx in the browser
 */
import { compress, finish, logAccess, match, type Request, Response, secureHeaders, startServer } from 'filrouge';

const ROOT = process.env['ROOT'] ?? 'examples/vite-ssr';
const isProduction = process.env['NODE_ENV'] === 'production';
// Each is imported only where it is used, and Vite with it.
const front = await (isProduction ? (await import('./production.ts')).load(ROOT) : (await import('./development.ts')).develop(ROOT));
const wayOut = isProduction ? [secureHeaders, compress, logAccess] : [logAccess];

const { PORT: port = '8000', HOST: host = 'localhost' } = process.env;
startServer((request) => finish(request, answer, ...wayOut), {
  host,
  port: Number(port),
  ...(isProduction ? {} : { workers: 0 }), // Vite runs in one process
});

async function answer(request: Request): Promise<Response> {
  if (match(request, 'GET /')) return Response.redirect('/hello/world');
  const visitor = match(request, 'GET /hello/{name}');
  if (visitor) return Response.html(await front.page(request.path, visitor)).withNoCache();
  return front.asset(request);
}
