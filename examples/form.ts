/**
 * A form with fields of every kind: text, a number, several of a list, a checkbox, files. A mistake shows the page again, with the problem and what
 * was typed.
 *
 *     npm run build && npm run build:examples && node .build/examples/form.js
 *
 * Open http://localhost:8000/ and send it. With curl:
 *
 *     $ curl http://localhost:8000/ -F name=Ada -F age=36 -F likes=tea -F likes=chess -F files=@README.md    a page that shows them
 *     $ curl http://localhost:8000/ -d name=Ada -d news=on               the same without files, urlencoded
 *     $ curl -i http://localhost:8000/ -F name=Ada -F age=old            400, the page again: field "age" is not a whole number from 0 on
 *     $ curl -i http://localhost:8000/ -F 'name= '                       400, the page again: Tell us your name
 *     $ curl -i http://localhost:8000/ -H 'Content-Type: text/plain' -d x                          415 Unsupported Media Type
 */
import type { Html, Request } from 'filrouge';
import { assertOr400, finish, HttpError, html, logAccess, match, Response, readForm, readFormParts, startServer } from 'filrouge';

const LIKES = ['tea', 'chess', 'music'];

const { PORT: port = '8000', HOST: host = 'localhost' } = process.env;
startServer((request) => finish(request, answer, logAccess), { host, port: Number(port) });

function answer(request: Request): Response {
  if (match(request, 'GET /')) return formPage();
  if (match(request, 'POST /')) return submitted(request);
  return Response.empty(404);
}

function submitted(request: Request): Response {
  try {
    return thanks(request);
  } catch (error) {
    if (!(error instanceof HttpError) || error.status !== 400) throw error; // too large, another type, our own bugs: the server answers
    return formPage(error.message, readFormParts(request)).withStatus(400); // the body may be read again
  }
}

function thanks(request: Request): Response {
  const form = readForm(request, { name: 'string', age: 'uint?', likes: 'string[]', news: 'bool', files: 'file[]' });
  assertOr400(form.name.trim() !== '', 'Tell us your name'); // a rule of this form; kinds and missing fields are already checked
  const isOffered = form.likes.every((like) => LIKES.includes(like));
  assertOr400(isOffered, 'Choose what is in the list'); // the page offers a list, but a client can send anything
  const files = form.files.map((file) => html`<li>${file.filename}, ${file.contentType}, ${file.size} bytes`);
  return page(html`<h1>Thank you, ${form.name}</h1>
<dl>
  <dt>Age<dd>${form.age ?? 'not told'}
  <dt>Likes<dd>${form.likes.join(' and ') || 'nothing'}
  <dt>News<dd>${form.news ? 'yes, please' : 'no, thank you'}
  <dt>Files<dd><ul>${files.length > 0 ? files : html`<li>none`}</ul>
</dl>
<p><a href="/">Once more</a>`);
}

function formPage(complaint = '', parts: ReturnType<typeof readFormParts> = []): Response {
  const typed = (name: string): string[] => parts.flatMap((part) => (part.name === name && 'value' in part ? part.value : []));
  const boxes = LIKES.map((like) => {
    const checked = typed('likes').includes(like) && html` checked`;
    return html`<label><input type="checkbox" name="likes" value="${like}"${checked}> ${like}</label> `;
  });
  return page(html`<h1>Who are you?</h1>
<p role="alert">${complaint}</p>
<form method="post" enctype="multipart/form-data">
  <p><label>Name <input name="name" value="${typed('name')[0]}"></label>
  <p><label>Age <input name="age" inputmode="numeric" value="${typed('age')[0]}"></label>
  <p>Likes ${boxes}
  <p><label>Files <input name="files" type="file" multiple></label>
  <p><label><input name="news" type="checkbox"${typed('news').length > 0 && html` checked`}> Send me news</label>
  <p><button>Send</button>
</form>`);
}

function page(content: Html): Response {
  return Response.html(html`<!doctype html><html lang="en"><meta charset="utf-8"><title>Form</title>
<style>body { font: 1rem/1.6 system-ui; max-width: 36rem; margin: 2rem auto } [role=alert] { color: #b3261e }</style>${content}`);
}
