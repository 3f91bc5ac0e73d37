/** The front end as `vite build` has made it. Neither Vite nor Preact need be installed here. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Response, serveDir } from 'filrouge';
import type { Renderer } from './client/facts.ts';
import type { FrontEnd } from './front-end.ts';

/** A file with a hash in its name never changes: browsers keep it for a year. */
const FOR_EVER = { maxAge: 31_536_000, immutable: true, index: false } as const;

/** Loads what was built. */
export async function load(root: string): Promise<FrontEnd> {
  const template = readFileSync(`${root}/dist/client/index.html`, 'utf8');
  const { render } = (await import(pathToFileURL(resolve(root, 'dist/server/render.js')).href)) as Renderer;
  return {
    page: (_path, facts) => template.replace('<!--page-->', () => render(facts)),
    asset(request) {
      const file = request.withoutPrefix('/assets');
      return (file && serveDir(file, `${root}/dist/client/assets`, FOR_EVER)) ?? Response.empty(404);
    },
  };
}
