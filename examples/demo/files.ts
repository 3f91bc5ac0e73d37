/** Files that visitors leave here: pictures are shown, and every file can be downloaded under its original name. */
import { conditional, type Html, HttpError, html, match, type Request, Response, readForm, tryOr404 } from 'filrouge';
import { allFiles, dropOldFiles, KEPT, type KeptFile, keepFile, pathOf } from './file-store.ts';
import { page } from './layout.ts';

const MiB = 2 ** 20;
const MAX_FILE = 8 * MiB;
const AT_ONCE = 6;
/** A whole upload: the files, and a little for the framing between them. The server refuses more before any of this code runs. */
export const MAX_UPLOAD: number = AT_ONCE * MAX_FILE + MiB;
/** Not SVG, which is a page with scripts. */
const PICTURES: ReadonlySet<string> = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif']);
const RULE = `At most ${AT_ONCE} files at once, each of at most ${MAX_FILE / MiB} MiB.`;

export function isUpload(head: Request): boolean {
  return head.method === 'POST' && head.path === '/files';
}

export function files(request: Request): Response | undefined {
  if (match(request, 'GET /files')) return filesPage();
  if (match(request, 'POST /files')) return save(request);

  const wanted = match(request, 'GET /files/{id}');
  if (!wanted) return undefined;
  const { id, name, type } = tryOr404(() => allFiles().find((file) => file.id === wanted.id));
  // The type is the client's claim. Only pictures keep it: an uploaded page would otherwise open as one of ours.
  const file = Response.file(pathOf(id), PICTURES.has(type) ? type : 'application/octet-stream');
  return conditional(request, file.withAttachment(name)); // an <img> shows it all the same
}

function save(request: Request): Response {
  try {
    const sent = readForm(request, { files: 'file[]' }, { files: AT_ONCE, fileSize: MAX_FILE }).files;
    if (sent.length === 0) return filesPage('Choose a file first.').withStatus(400);
    for (const file of sent) keepFile(file);
    dropOldFiles();
    return Response.redirect('/files');
  } catch (error) {
    if (!(error instanceof HttpError) || error.status !== 413) throw error;
    return filesPage(`That was too much. ${RULE}`).withStatus(413);
  }
}

function filesPage(problem?: string): Response {
  const kept = allFiles();
  return page(
    'Files',
    html`
      <h1>Files</h1>
      <form method="post" action="/files" enctype="multipart/form-data">
        <p class="problem" role="alert">${problem ?? ''}</p>
        <label>Your files, as many as you like
          <input name="files" type="file" multiple required data-largest="${MAX_FILE}" data-most="${AT_ONCE}" data-rule="${RULE}" />
        </label>
        <p class="quiet">${RULE} Everybody sees them. The newest ${KEPT} are kept.</p>
        <button class="button">Send</button>
      </form>
      <ul class="files">${kept.map(fileItem)}</ul>
      ${kept.length === 0 && html`<p class="quiet">Nobody has left a file yet.</p>`}
      <script src="/files.js" defer></script>`,
  );
}

function fileItem({ id, name, type, size }: KeptFile): Html {
  const preview = PICTURES.has(type)
    ? html`<img src="/files/${id}" alt="" loading="lazy" />`
    : html`<span class="paper">${ending(name)}</span>`;
  return html`<li><a href="/files/${id}" download="${name}">${preview}<span>${name}</span></a><small>${Math.ceil(size / 1000)} kB</small></li>`;
}

function ending(name: string): string {
  return /\.(\w{1,5})$/.exec(name)?.[1] ?? 'file';
}
