/**
 * A REST API: JSON in and out, checked by a schema, kept in a file that all worker processes share.
 *
 *     npm run build && npm run build:examples && node .build/examples/notes.js
 *
 *     $ curl -i http://localhost:8000/notes -H 'Content-Type: application/json' -d '{"text":"buy bread"}'
 *         201 Created, Location: /notes/<id>
 *     $ curl http://localhost:8000/notes                                 [{"id":"<id>","text":"buy bread"}]
 *     $ curl -X PUT http://localhost:8000/notes/<id> -H 'Content-Type: application/json' -d '{"text":"buy cake"}'
 *     $ curl -X DELETE -i http://localhost:8000/notes/<id>               204 No Content
 *     $ curl -i http://localhost:8000/notes -H 'Content-Type: application/json' -d '{"text":""}'
 *         422 Unprocessable Content: the problem, and where it is
 *     $ curl -X PATCH -i http://localhost:8000/notes                     405 Method Not Allowed, Allow: GET, HEAD, OPTIONS, POST
 */
import { randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { finish, logAccess, type Request, Response, readJson, router, startServer, tryOr404 } from 'filrouge';
import { z } from 'zod';

const FILE = process.env['NOTES_FILE'] ?? 'notes.ndjson';
const Note = z.object({ text: z.string().min(1).max(500) });

/** A router is made once. It answers HEAD and OPTIONS by itself, and 405 for a method that a path does not support. */
const routes = router({
  'GET /notes': () => Response.json([...allNotes()].map(([id, text]) => ({ id, text }))),
  'POST /notes': (_params, request) => {
    const { text } = readJson(request, Note); // another type, broken JSON, a wrong shape: 415, 400 or 422 by itself
    const id = randomUUID();
    write({ id, text });
    return Response.json({ id, text }).withStatus(201).withHeader('Location', `/notes/${id}`);
  },
  'GET /notes/{id:uuid}': ({ id }) => Response.json({ id, text: tryOr404(() => allNotes().get(id)) }),
  'PUT /notes/{id:uuid}': ({ id }, request) => {
    tryOr404(() => allNotes().get(id));
    const { text } = readJson(request, Note);
    write({ id, text });
    return Response.json({ id, text });
  },
  'DELETE /notes/{id:uuid}': ({ id }) => {
    tryOr404(() => allNotes().get(id));
    write({ id, text: null });
    return Response.empty();
  },
});

const { PORT: port = '8000', HOST: host = 'localhost' } = process.env;
startServer((request) => finish(request, answer, logAccess), { host, port: Number(port) });

function answer(request: Request): Response | Promise<Response> {
  return routes(request) ?? Response.empty(404);
}

/*
 * Each worker is a process with a memory of its own, so the notes are in a file. A change is one line at its end: the system appends a short write as
 * a whole, so two simultaneous writes give two lines, and the last line about a note wins.
 */

function write(change: { id: string; text: string | null }): void {
  appendFileSync(FILE, `${JSON.stringify(change)}\n`);
}

function allNotes(): Map<string, string> {
  const notes = new Map<string, string>();
  if (!existsSync(FILE)) return notes;
  for (const line of readFileSync(FILE, 'utf8').split('\n')) {
    if (line === '') continue;
    const { id, text } = JSON.parse(line) as { id: string; text: string | null };
    if (text === null) notes.delete(id);
    else notes.set(id, text);
  }
  return notes;
}
