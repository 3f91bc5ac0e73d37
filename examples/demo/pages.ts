/** The pages of the demo: each a function from values to a Response. */
import { type Html, html, type Request, type Response } from 'filrouge';
import { page, timeOf } from './layout.ts';
import type { Note } from './notes.ts';

export function homePage(): Response {
  return page(
    'Home',
    html`
      <img class="thread" src="/thread.svg" alt="" />
      <h1>A red thread<br />from request to response.</h1>
      <p class="lead">This site is one function. It gets a request whose body is already there, calls plain functions in sequence, and returns a response. All cores of this machine serve it.</p>
      <p><a class="button" href="/notes">Leave a note</a> <a class="button quiet" href="/workings">See what happens</a></p>
      <div class="cards">
        <section><h2>Linear</h2><p>An <code>if</code> is the router's friend, <code>??</code> is the chain, <code>return</code> means answered.</p></section>
        <section><h2>Synchronous</h2><p>No <code>async</code>, no <code>await</code>: the stack of an error begins at your own line. Only the <a href="/login">login</a> has to wait.</p></section>
        <section><h2>Sturdy</h2><p>Limits and time-outs are on. A handler that <a href="/panic">throws</a> costs one request.</p></section>
        <section><h2>Files</h2><p><a href="/files">Uploads</a> wait on disk, not in memory, and an odd name harms nobody.</p></section>
        <section><h2>Live</h2><p>A <a href="/chat">chat</a> over websockets, from each process to all.</p></section>
        <section><h2>Plain</h2><p>The same notes as <a href="/api/notes">JSON</a>. There is no build step for this page, and no framework in it.</p></section>
      </div>`,
  );
}

export function notesPage(notes: readonly Note[], problem?: string, text = ''): Response {
  const complaint = problem !== undefined && html`<p class="problem" role="alert">${problem}</p>`;
  return page(
    'Notes',
    html`
      <h1>Notes</h1>
      <form method="post" action="/notes">
        ${complaint}
        <label>Your note <textarea name="text" rows="3" maxlength="280" required autofocus>${text}</textarea></label>
        <label>Your name <input name="author" maxlength="40" placeholder="somebody" autocomplete="nickname" /></label>
        <button class="button">Leave it here</button>
      </form>
      <ul class="notes">${notes.map(noteItem)}</ul>
      ${notes.length === 0 && html`<p class="quiet">Nobody has left a note yet.</p>`}`,
  );
}

function noteItem({ text, author, at }: Note): Html {
  return html`<li><p>${text}</p><footer>${author}, ${timeOf(at)}</footer></li>`;
}

export function workingsPage(request: Request, facts: Readonly<Record<string, string | number>>): Response {
  const fields = request.headers.map(([name, value]) => html`<tr><th>${name}</th><td>${value}</td></tr>`);
  const rows = Object.entries(facts).map(([name, value]) => html`<tr><th>${name}</th><td>${value}</td></tr>`);
  return page(
    'Workings',
    html`
      <h1>What happened just now</h1>
      <p class="lead">Your browser sent <code>${request.method} ${request.target}</code> over HTTP/${request.httpVersion}. Process ${facts['pid'] ?? ''} answered. Reload: it may be another one.</p>
      <h2>The process</h2><table>${rows}</table>
      <h2>Your request</h2><table>${fields}</table>`,
  );
}

export function errorPage(status: number, message: string): Response {
  const body = html`<h1><span class="status">${status}</span> ${status === 404 ? 'Not here' : 'That did not work'}</h1><p class="lead">${message}</p><p><a class="button" href="/">Home</a></p>`;
  return page(String(status), body).withStatus(status);
}
