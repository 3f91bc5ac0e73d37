/** The frame around every page: one document, its style inside it, nothing loaded from elsewhere. */
import { Html, html } from './html.ts';

const STYLE = new Html(`
:root { color-scheme: light dark; --ink: light-dark(#1d1a1a, #f2ecea); --paper: light-dark(#fdfaf7, #171414); --soft: light-dark(#f3ece6, #231e1e); --line: light-dark(#e2d6cc, #3a3130); --red: light-dark(#b3261e, #ff7a6e); }
* { box-sizing: border-box; }
body { margin: 0; color: var(--ink); background: var(--paper); font: 17px/1.6 system-ui, sans-serif; }
body > header { border-top: 3px solid var(--red); border-bottom: 1px solid var(--line); }
nav, main, body > footer { max-width: 46rem; margin: 0 auto; padding: 1rem 1.25rem; }
nav { display: flex; gap: 1.25rem; align-items: baseline; flex-wrap: wrap; }
nav a { color: inherit; text-decoration: none; } nav a:hover { color: var(--red); } nav .brand { font-weight: 700; margin-right: auto; } nav .brand::before { content: '— '; color: var(--red); }
h1 { font-size: clamp(1.8rem, 5vw, 2.8rem); line-height: 1.15; letter-spacing: -0.02em; margin: 2rem 0 1rem; } h2 { font-size: 1.1rem; margin: 1.5rem 0 0.5rem; }
a { color: var(--red); } .lead { font-size: 1.15rem; max-width: 38rem; } .quiet { opacity: 0.7; } .status { color: var(--red); }
code { background: var(--soft); border-radius: 4px; padding: 0.1em 0.35em; font-size: 0.9em; overflow-wrap: anywhere; }
.button { display: inline-block; border: 1px solid var(--red); border-radius: 8px; padding: 0.5rem 1rem; font: inherit; color: var(--paper); background: var(--red); text-decoration: none; cursor: pointer; }
.button.quiet { color: var(--red); background: transparent; opacity: 1; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: 1rem; margin-top: 2rem; } .cards section { background: var(--soft); border-radius: 12px; padding: 0.25rem 1.1rem; }
form { display: grid; gap: 0.9rem; justify-items: start; } label { display: grid; gap: 0.25rem; width: 100%; font-size: 0.9rem; }
input, textarea { font: inherit; color: inherit; background: var(--soft); border: 1px solid var(--line); border-radius: 8px; padding: 0.5rem 0.7rem; width: 100%; }
:focus-visible { outline: 2px solid var(--red); outline-offset: 2px; } .problem { margin: 0; color: var(--red); font-weight: 600; }
.notes { list-style: none; padding: 0; margin-top: 2rem; } .notes li { border-left: 3px solid var(--red); background: var(--soft); border-radius: 0 8px 8px 0; padding: 0.6rem 1rem; margin: 0.8rem 0; overflow-wrap: anywhere; } .notes p { margin: 0; white-space: pre-wrap; } .notes footer { font-size: 0.85rem; opacity: 0.7; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; } th, td { text-align: left; vertical-align: top; padding: 0.35rem 0.6rem 0.35rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; } th { width: 12rem; font-weight: 600; }
body > footer { opacity: 0.7; font-size: 0.85rem; }`);

export function layout(title: string, body: Html): Html {
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>${title} · filrouge</title>
    <link rel="icon" href="/icon.svg" />
    <style>${STYLE}</style>
  </head>
  <body>
    <header><nav><a class="brand" href="/">filrouge</a><a href="/notes">Notes</a><a href="/workings">Workings</a><a href="/api/notes">API</a></nav></header>
    <main>${body}</main>
    <footer>One function, plain calls, all cores.</footer>
  </body>
</html>`;
}
