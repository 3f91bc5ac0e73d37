/** The frame around every page. Style, script and pictures are our own files, so that the policy can forbid everything else. */
import { type Html, html, Response } from 'filrouge';

export function page(title: string, body: Html): Response {
  return Response.html(layout(title, body));
}

const PAGES = ['Notes', 'Files', 'Chat', 'Members', 'Workings', 'Status'];

function layout(title: string, body: Html): Html {
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>${title} · filrouge</title>
    <link rel="icon" href="/icon.svg" />
    <link rel="stylesheet" href="/style.css" />
  </head>
  <body>
    <header><nav><a class="brand" href="/">filrouge</a>${PAGES.map((name) => link(name, title))}</nav></header>
    <main>${body}</main>
    <footer>One function, plain calls, all cores.</footer>
  </body>
</html>`;
}

/** A moment, as ISO text: in UTC, since nobody knows where the visitor is. */
export function timeOf(at: string): Html {
  return html`<time datetime="${at}">${at.slice(0, 16).replace('T', ' ')} UTC</time>`;
}

function link(name: string, title: string): Html {
  const here = name === title && html` aria-current="page"`;
  return html`<a href="/${name.toLowerCase()}"${here}>${name}</a>`;
}
