/**
 * An Express application that migrates route by route: new routes are answered here, everything else by Express.
 *
 *     npm install express
 *     npm run build && npm run build:examples && node .build/examples/express-inside.js
 *
 *     $ curl http://localhost:8000/notes                                    [{"id":1,"text":"milk"}], by Express
 *     $ curl -i http://localhost:8000/notes -H 'Content-Type: application/json' -d '{"text":"bread"}'
 *         201 Created, Location: /notes/2, X-Powered-By: Express
 *     $ curl -i http://localhost:8000/notes -H 'Content-Type: application/json' -d '{"text":""}'
 *         422 Unprocessable Content, from Express
 *     $ curl http://localhost:8000/notes/2                                  {"id":2,"text":"bread"}: this route has moved
 *     $ curl -i http://localhost:8000/notes/3                               404 Not Found, ours
 *     $ curl -i http://localhost:8000/admin/../admin                        403 Forbidden: the guard comes before both
 */
import express from 'express';
import { finish, logAccess, match, type Request, Response, startServer } from 'filrouge';
import { answerWithNode } from 'filrouge/node';

const notes = [{ id: 1, text: 'milk' }];

/** The application as it always was: routers, middleware, its own errors. */
const old = express();
old.use(express.json());
old.get('/notes', (_req, res) => void res.json(notes));
old.post('/notes', (req, res) => {
  const { text } = req.body as { text?: unknown };
  if (typeof text !== 'string' || text === '') {
    res.status(422).json({ error: 'A note has a text' });
    return;
  }
  const note = { id: notes.length + 1, text };
  notes.push(note);
  res.status(201).location(`/notes/${note.id}`).json(note);
});

// One worker, because the notes are in its memory.
const { PORT: port = '8000', HOST: host = 'localhost' } = process.env;
startServer((request) => finish(request, answer, logAccess), { host, port: Number(port), workers: 1 });

function answer(request: Request): Response | Promise<Response> {
  // Express will see the same path: another spelling does not get past the guard.
  if (request.path.startsWith('/admin')) return Response.text('Not for you\n').withStatus(403);

  const wanted = match(request, 'GET /notes/{id:uint}'); // the first route that has moved
  if (wanted) {
    const note = notes.find(({ id }) => id === wanted.id);
    return note ? Response.json(note) : Response.text('There is no such note\n').withStatus(404);
  }

  return answerWithNode(request, old);
}
