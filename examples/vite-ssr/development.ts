/** The front end while it is developed: Vite compiles what is asked for, and the page follows each edit. */
import { readFileSync } from 'node:fs';
import { answerWithNode } from 'filrouge/node';
import { createServer } from 'vite';
import type { Renderer } from './client/facts.ts';
import type { FrontEnd } from './front-end.ts';

/** Starts Vite in this process. */
export async function develop(root: string): Promise<FrontEnd> {
  const vite = await createServer({
    root,
    appType: 'custom', // the pages are ours
    server: {
      middlewareMode: true,
      // Handlers of node:http cannot be handed an upgrade yet, so Vite itself listens for the websocket that tells the browser what has changed.
      ws: { host: 'localhost', port: Number(process.env['HMR_PORT'] ?? 24_678) },
    },
  });
  return {
    async page(path, facts) {
      try {
        const { render } = (await vite.ssrLoadModule('/client/render.tsx')) as Renderer; // the newest
        const template = await vite.transformIndexHtml(path, readFileSync(`${root}/index.html`, 'utf8'));
        return template.replace('<!--page-->', () => render(facts));
      } catch (error) {
        if (error instanceof Error) vite.ssrFixStacktrace(error); // the lines of the sources
        throw error;
      }
    },
    asset: (request) => answerWithNode(request, vite.middlewares),
  };
}
