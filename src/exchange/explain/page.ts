/**
 * An explanation as a page: HTML and CSS alone, read on a phone, in the dark, and by a screen reader.
 *
 * @module
 */
import type { ExplainedError, Explanation } from './explanation.ts';
import type { Frame } from './frames.ts';

/** Contrast of all text is at least 4.5 : 1 (WCAG 2.2 §1.4.3), in both schemes. */
const STYLE = `
:root { color-scheme: light dark; --ink: #1d1d1f; --paper: #fff; --quiet: #5c5c66; --line: #d8d8de; --shade: #f4f4f6; --red: #b3192c; --mark: #fdeaec }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ececf0; --paper: #17171a; --quiet: #a5a5b0; --line: #3a3a42; --shade: #202025; --red: #ff8593; --mark: #43222a }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif }
main, footer { max-width: 60rem; margin: 0 auto; padding: 1rem }
main { border-top: .25rem solid var(--red) }
h1 { margin: .25rem 0 0; font-size: 1.5rem; line-height: 1.3; overflow-wrap: anywhere; white-space: pre-wrap }
h2 { margin: 2rem 0 .5rem; font-size: 1.1rem; overflow-wrap: anywhere }
p { margin: .5rem 0 }
.status { color: var(--red); font-weight: 600 }
code, pre, td, .frames { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: .875rem }
pre { margin: 0; padding: .75rem 0; overflow-x: auto; background: var(--shade); border: 1px solid var(--line); border-radius: .5rem; tab-size: 2 }
pre span, pre mark { display: block; width: max-content; min-width: 100%; padding: 0 .75rem }
pre mark { background: var(--mark); color: inherit; font-weight: 600; box-shadow: inset .25rem 0 var(--red) }
.frames { margin: 0; padding-left: 2.5rem; overflow-wrap: anywhere }
.frames li { padding: .125rem 0; color: var(--quiet) }
.frames .own { color: var(--ink); font-weight: 600 }
table { width: 100%; border-collapse: collapse }
th, td { padding: .25rem .5rem .25rem 0; border-top: 1px solid var(--line); text-align: left; vertical-align: top; overflow-wrap: anywhere }
th { width: 30%; font-weight: 400; color: var(--quiet) }
footer { color: var(--quiet); font-size: .875rem }
`;

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** The page. */
export function pageOf({ errors, code, method, target, route, headers }: Explanation): string {
  const [first, ...causes] = errors;
  const rows: (readonly [string, string])[] = [['Request', `${method} ${target}`], ['Route', route ?? 'none has matched'], ...headers];
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>500: ${escapeHtml(first.title)}</title>
<style>${STYLE}</style>
<main>
<p class="status">500 Internal Server Error</p>
<h1>${escapeHtml(first.title)}</h1>
${code ? codeBlock(code) : ''}
${stackOf(first, 'Stack')}
${causes.map((cause) => stackOf(cause, `Caused by ${cause.title}`)).join('\n')}
<h2 id="request">Request</h2>
<table aria-labelledby="request">
${rows.map(([name, value]) => `<tr><th scope="row">${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`).join('\n')}
</table>
</main>
<footer>Shown on this machine only, and never with <code>NODE_ENV=production</code>. Everybody else gets “Internal Server Error”.</footer>
</html>
`;
}

function codeBlock({ frame, line, lines }: NonNullable<Explanation['code']>): string {
  const width = String(lines.at(-1)?.number).length;
  const rows = lines.map(({ number, text }) => {
    const tag = number === line ? 'mark' : 'span';
    return `<${tag}>${String(number).padStart(width)}  ${escapeHtml(text)}</${tag}>`;
  });
  return `<h2 id="code">${escapeHtml(frame.where)}</h2>\n<pre tabindex="0" role="region" aria-labelledby="code"><code>${rows.join('')}</code></pre>`;
}

function stackOf({ frames }: ExplainedError, heading: string): string {
  return `<h2>${escapeHtml(heading)}</h2>\n<ol class="frames">${frames.map(frameItem).join('\n')}</ol>`;
}

function frameItem({ name, where, isOwn }: Frame): string {
  const text = name === '' ? escapeHtml(where) : `${escapeHtml(name)} (${escapeHtml(where)})`;
  return `<li${isOwn ? ' class="own"' : ''}>${text}</li>`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
