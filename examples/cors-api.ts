/**
 * A small JSON API for pages of another origin. PAGES names that origin.
 *
 *     npm run build && npm run build:examples && PAGES=http://localhost:3000 node .build/examples/cors-api.js
 *
 * A page of http://localhost:3000 may call it, others may not. JSON makes the browser ask first, which is called the preflight:
 *
 *     $ curl -i -X OPTIONS http://localhost:8000/sums -H 'Origin: http://localhost:3000' \
 *            -H 'Access-Control-Request-Method: POST' -H 'Access-Control-Request-Headers: content-type'
 *         204 No Content, Access-Control-Allow-Origin: http://localhost:3000, Access-Control-Allow-Methods: GET, POST,
 *         Access-Control-Allow-Headers: Content-Type, Access-Control-Max-Age: 600
 *     $ curl -i http://localhost:8000/sums -H 'Origin: http://localhost:3000' -H 'Content-Type: application/json' -d '{"numbers":[1,2]}'
 *         200, Access-Control-Allow-Origin: http://localhost:3000, {"sum":3}
 *     $ curl -i http://localhost:8000/sums -H 'Origin: http://localhost:3000' -H 'Content-Type: application/json' -d '{"numbers":"x"}'
 *         422, with the same field: the page can read what was wrong, {"status":422,"code":"schema-mismatch",…}
 *     $ curl -i http://localhost:8000/colours -H 'Origin: http://other.example'
 *         200, without that field: the browser hides the answer from such a page
 */
import { createCors, finish, logAccess, type Request, Response, readJson, router, startServer } from 'filrouge';
import { z } from 'zod';

const Numbers = z.object({ numbers: z.array(z.number()).max(1000) });

const cors = createCors({
  origins: [process.env['PAGES'] ?? 'http://localhost:3000'],
  methods: ['GET', 'POST'],
  exposeHeaders: ['ETag'],
  maxAge: 600,
});

const routes = router({
  'GET /colours': () => Response.json(['red', 'rust', 'brick']).withEtag('colours-1'),
  'POST /sums': (_params, request) => Response.json({ sum: readJson(request, Numbers).numbers.reduce((sum, number) => sum + number, 0) }),
});

const { PORT: port = '8000', HOST: host = 'localhost' } = process.env;
startServer((request) => finish(request, answer, logAccess), { host, port: Number(port), errors: 'json' });

/** Errors are finished as well: a page can read what was wrong with its request. */
function answer(request: Request): Response | Promise<Response> {
  return cors.preflight(request) ?? finish(request, call, cors.apply);
}

function call(request: Request): Response | Promise<Response> {
  return routes(request) ?? Response.empty(404);
}
