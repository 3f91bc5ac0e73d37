/**
 * Several large files at once. Pictures are shown, and every file can be downloaded under its original name.
 *
 *     npm run build && npm run build:examples && node .build/examples/upload.js
 *
 * Open http://localhost:8000/ and choose some. With curl:
 *
 *     $ curl -i http://localhost:8000/ -F 'files=@film.mp4' -F 'files=@"été \"x\".txt"'     303 See Other, and both appear in the list
 *     $ curl http://localhost:8000/                           the list, with a link to each: /files/<id>
 *     $ curl -OJ http://localhost:8000/files/<id>             saved as film.mp4; browsers understand the odd name as well, curl does not
 *     $ curl -i -H 'Range: bytes=0-99' http://localhost:8000/files/<id>     206 Partial Content: an interrupted download can resume
 *
 * A large file is never in memory as a whole: it is in a temporary file until it is saved. UPLOADS names a folder other than ./uploads. Anyone who
 * reaches this page can fill your disk: put a login in front, as in login-session.ts.
 */
import { randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { conditional, finish, html, logAccess, match, type Request, Response, readForm, secureHeaders, startServer } from 'filrouge';

interface Upload {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly size: number;
}

const FOLDER = process.env['UPLOADS'] ?? 'uploads';
const INDEX = `${FOLDER}/index.ndjson`; // one line per file; all worker processes read it and append to it
const PICTURES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif']); // not SVG, which is a page with scripts

mkdirSync(FOLDER, { recursive: true });
const { PORT: port = '8000', HOST: host = 'localhost' } = process.env;
const maxBodySize = (head: Request): number => (head.method === 'POST' && head.path === '/' ? 1024 ** 3 : 64 * 1024); // 1 GiB here, little elsewhere
startServer((request) => finish(request, answer, secureHeaders, logAccess), { host, port: Number(port), maxBodySize });

function answer(request: Request): Response {
  if (match(request, 'GET /')) return page();
  if (match(request, 'POST /')) return save(request);

  const wanted = match(request, 'GET /files/{id:uuid}');
  const found = wanted && uploads().find(({ id }) => id === wanted.id);
  if (!found) return Response.empty(404);
  // The type is the client's claim. Only pictures keep it: an uploaded page would otherwise open as one of ours.
  const file = Response.file(`${FOLDER}/${found.id}`, PICTURES.has(found.type) ? found.type : 'application/octet-stream');
  return conditional(request, file.withAttachment(found.name)); // an <img> shows it all the same
}

function save(request: Request): Response {
  const { files } = readForm(request, { files: 'file[]' });
  for (const file of files) {
    const id = randomUUID(); // never the client's name: names repeat, and may lead elsewhere
    file.saveTo(`${FOLDER}/${id}`);
    appendFileSync(INDEX, `${JSON.stringify({ id, name: file.filename, type: file.contentType, size: file.size } satisfies Upload)}\n`);
  }
  return Response.redirect('/'); // 303: a reload of the page does not send the files again
}

function uploads(): Upload[] {
  const lines = existsSync(INDEX) ? readFileSync(INDEX, 'utf8').split('\n') : [];
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Upload);
}

function page(): Response {
  const rows = uploads().map(({ id, name, type, size }) => {
    const picture = PICTURES.has(type) && html`<img src="/files/${id}" alt="">`;
    return html`<li>${picture} <a href="/files/${id}" download="${name}">${name}</a>, ${Math.ceil(size / 1000)} kB`;
  });
  return Response.html(html`<!doctype html><html lang="en"><meta charset="utf-8"><title>Files</title>
<style>body { font: 1rem/1.6 system-ui; max-width: 36rem; margin: 2rem auto } img { height: 4rem; vertical-align: middle }</style>
<h1>Files</h1><ul>${rows}</ul>
<form method="post" enctype="multipart/form-data"><input name="files" type="file" multiple required> <button>Send</button></form>`);
}
