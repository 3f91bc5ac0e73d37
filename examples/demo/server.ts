/**
 * The demo: a small site with a form, a JSON API, uploads, a chat, a login and static files, served by all cores.
 *
 *     npm start                   then open http://localhost:8000
 *     PORT=3000 npm start         where that port is in use
 *
 *     $ curl http://localhost:8000/api/notes                                            []
 *     $ curl -i http://localhost:8000/notes -d 'text=hello&author=ada'                  303 See Other, Location: /notes
 *     $ curl -i http://localhost:8000/files -F 'files=@README.md'                       303 See Other, Location: /files
 *     $ curl -i http://localhost:8000/members                                           303 See Other, Location: /login
 *     $ curl -i http://localhost:8000/login -d name=ada -d password=lovelace            303 See Other, Set-Cookie: session=…
 *     $ curl -i -r 0-99 http://localhost:8000/style.css                                 206 Partial Content
 *     $ curl -N http://localhost:8000/status?events                                     what the server does, once a second; /status is the page
 *     $ curl -i http://localhost:8000/nowhere                                           404 Not Found
 */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { compress, finish, logAccess, match, type Request, Response, readForm, serveDir, serveStatus, startServer } from 'filrouge';
import { api, facts } from './api.ts';
import { chat } from './chat.ts';
import { files, isUpload, MAX_UPLOAD } from './files.ts';
import { logIn } from './login.ts';
import { members } from './members.ts';
import { addNote, allNotes, NoteError } from './notes.ts';
import { errorPage, homePage, notesPage, workingsPage } from './pages.ts';
import { isAtThisMachine, refuseForeignForm } from './same-origin.ts';
import { onError, safe, withErrorPage } from './way-out.ts';

const PUBLIC = fileURLToPath(new URL('public', import.meta.url)); // wherever the program is started from
const { PORT: port = '8000', HOST: host = 'localhost' } = process.env;
const workers = Math.max(2, availableParallelism()); // one per core, and at least two
const maxBodySize = (head: Request): number => (isUpload(head) ? MAX_UPLOAD : 64 * 1024); // much for uploads, little elsewhere

const handle = (request: Request) => finish(request, answer, safe, compress, logAccess);
const server = await startServer(handle, { host, port: Number(port), workers, maxBodySize, onError });
if (server.role === 'primary') console.log(`\n  The demo is at ${server.url}/ — Ctrl-C ends it.\n`);

function answer(request: Request): Response | Promise<Response> {
  if (match(request, 'POST /login')) return logIn(request); // with the next, all that has to wait here
  if (match(request, 'GET /status')) return serveStatus(request, server, { allow: isAtThisMachine(request) });
  return withErrorPage(() => answerAtOnce(request));
}

/** What each address answers. `??` reads: "and if that is not mine, the next". */
function answerAtOnce(request: Request): Response {
  refuseForeignForm(request);
  return (
    pages(request) ??
    files(request) ??
    chat(request) ??
    members(request) ??
    api(request) ??
    serveDir(request, PUBLIC) ??
    errorPage(404, `There is no page at ${request.path}`)
  );
}

function pages(request: Request): Response | undefined {
  if (match(request, 'GET /')) return homePage();
  if (match(request, 'GET /workings')) return workingsPage(request, facts());
  if (match(request, 'GET /notes')) return notesPage(allNotes());
  if (match(request, 'POST /notes')) return leaveNote(request);
  if (match(request, 'GET /panic')) throw new Error('The visitor pressed the red button');
  return undefined;
}

function leaveNote(request: Request): Response {
  const { text = '', author = '' } = readForm(request, { text: 'string?', author: 'string?' });
  try {
    addNote(text, author);
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
    return notesPage(allNotes(), error.message, text).withStatus(400);
  }
  return Response.redirect('/notes'); // after a form, to a page: a reload must not send the form again
}
