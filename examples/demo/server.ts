/**
 * The demo: a small site with pages, a JSON API and a form, served by all cores.
 *
 *     npm start        then open http://localhost:8000
 *
 *     $ curl http://localhost:8000/api/notes                                          []
 *     $ curl -i http://localhost:8000/notes -d 'text=hello&author=ada'                303 See Other, Location: /notes
 *     $ curl http://localhost:8000/api/facts                                          {"pid":…,"node":…}
 *     $ curl -i http://localhost:8000/nowhere                                         404 Not Found
 */
import cluster from 'node:cluster';
import { availableParallelism } from 'node:os';
import { HttpError, logAccess, match, type Request, Response, readText, requestId, secureHeaders, startServer } from 'filrouge';
import { addNote, allNotes, NoteError } from './notes.ts';
import { errorPage, homePage, icon, notesPage, workingsPage } from './pages.ts';

const { PORT: port = '8000', HOST: host = 'localhost' } = process.env;

startServer(handle, { host, port: Number(port), onError });
if (cluster.isPrimary) console.log(`\n  The demo is at http://${host}:${port}/ — Ctrl-C ends it.\n`);

/** What is true of every response stands here, in one line: there is no middleware to look for. */
function handle(request: Request): Response {
  const response = answer(request).withHeader('X-Request-ID', requestId(request));
  return logAccess(request, secureHeaders(response));
}

/** What each address answers. `??` reads: "and if that is not mine, the next". */
function answer(request: Request): Response {
  try {
    return pages(request) ?? api(request) ?? errorPage(404, `There is no page at ${request.path}`);
  } catch (error) {
    if (error instanceof HttpError) return errorPage(error.status, error.message);
    throw error; // ours: onError answers it
  }
}

function pages(request: Request): Response | undefined {
  if (match(request, 'GET /')) return homePage();
  if (match(request, 'GET /icon.svg')) return icon();
  if (match(request, 'GET /workings')) return workingsPage(request, facts());
  if (match(request, 'GET /notes')) return notesPage(allNotes());
  if (match(request, 'POST /notes')) {
    const form = new URLSearchParams(readText(request, { limit: 10_000 }));
    try {
      addNote(form.get('text') ?? '', form.get('author') ?? '');
    } catch (error) {
      if (!(error instanceof NoteError)) throw error;
      return notesPage(allNotes(), error.message, form.get('text') ?? '').withStatus(400);
    }
    return Response.redirect('/notes'); // after a form, to a page: a reload must not send the form again
  }
  if (match(request, 'GET /panic')) throw new Error('The visitor pressed the red button');
  return undefined;
}

/** A group is an `if` around its routes; below it, paths are without the prefix. */
function api(request: Request): Response | undefined {
  const inner = request.withoutPrefix('/api');
  if (!inner) return undefined;
  if (match(inner, 'GET /notes')) return Response.json(allNotes());
  if (match(inner, 'GET /facts')) return Response.json(facts());
  return Response.json({ error: 'There is no such thing in this API' }).withStatus(404);
}

function facts(): Record<string, string | number> {
  return {
    pid: process.pid,
    node: process.version,
    cores: availableParallelism(),
    uptime: Math.round(process.uptime()),
    memory: `${Math.round(process.memoryUsage.rss() / 2 ** 20)} MiB`,
  };
}

/** Sees what became a 500. The visitor learns nothing of it but that it happened. */
function onError(error: unknown): Response {
  console.error(error);
  return secureHeaders(errorPage(500, 'Something went wrong on our side. It has been written down.'));
}
