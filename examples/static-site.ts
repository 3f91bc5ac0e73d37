/**
 * A folder as a web site: pages, files with a hash in their name that browsers keep for ever, films you can skip through, downloads that can be
 * resumed. ROOT names another folder.
 *
 *     npm run build && npm run build:examples && node .build/examples/static-site.js
 *
 *     $ curl -i http://localhost:8000/                                  200, the page, Cache-Control: no-cache, ETag, Last-Modified
 *     $ curl -i http://localhost:8000/about                             301 Moved Permanently, Location: /about/
 *     $ curl -i http://localhost:8000/assets/style.4f1c.css             200, Cache-Control: max-age=31536000, immutable
 *     $ curl -i -H 'Range: bytes=0-14' http://localhost:8000/           206 Partial Content, <!doctype html>
 *     $ curl -i -H 'If-None-Match: *' http://localhost:8000/            304 Not Modified
 *     $ curl -i http://localhost:8000/.env                              404 Not Found
 *     $ curl -i --path-as-is http://localhost:8000/../static-site.ts    404 Not Found
 *     $ curl http://localhost:8000/notes.txt                            a file served by name, from wherever it is
 */
import { conditional, finish, logAccess, match, type Request, Response, secureHeaders, serveDir, startServer } from 'filrouge';

const ROOT = process.env['ROOT'] ?? 'examples/static-site';

const { PORT: port = '8000', HOST: host = 'localhost' } = process.env;
startServer((request) => finish(request, answer, secureHeaders, logAccess), {
  host,
  port: Number(port),
});

function answer(request: Request): Response {
  // A file that you choose: 304 and ranges come from `conditional`, since Response.file has not seen the request.
  if (match(request, 'GET /notes.txt')) return conditional(request, Response.file('examples/notes.ts', 'text/plain; charset=utf-8'));

  // A file with a hash in its name never changes: a new version has a new name. `withoutPrefix` is for code that does not depend on where it is
  // mounted.
  const asset = request.withoutPrefix('/assets');
  if (asset) return serveDir(asset, `${ROOT}/assets`, { maxAge: 31_536_000, immutable: true, index: false }) ?? notFound();

  // Everything else is cached but revalidated each time, which costs a 304. `undefined` means that there is no such file: `??` tries the next.
  return serveDir(request, ROOT) ?? notFound();
}

function notFound(): Response {
  return Response.html('<!doctype html><title>Not found</title><h1>There is no such page</h1>').withStatus(404);
}
