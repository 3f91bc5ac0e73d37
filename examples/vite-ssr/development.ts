/** The front end while it is developed: Vite compiles what is asked for, and the page follows each edit. */
import { readFileSync } from 'node:fs';
import { createServer as createUpgrades } from 'node:http';
import { answerWithNode, upgradeWithNode } from 'filrouge/node';
import { createServer } from 'vite';
import type { Renderer } from './client/facts.ts';
import type { FrontEnd } from './front-end.ts';

/** Starts Vite in this process. */
export async function develop(root: string): Promise<FrontEnd> {
  const upgrades = createUpgrades(); // listens nowhere: Vite waits for its event `upgrade`, which we emit
  const vite = await createServer({
    root,
    appType: 'custom', // the pages are ours
    server: {
      middlewareMode: true,
      ws: { server: upgrades, path: '/@hmr' }, // the websocket that tells the browser what has changed: not /, which is a page of ours
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
    asset: (request) => {
      if (request.header('upgrade') === undefined) return answerWithNode(request, vite.middlewares);
      return upgradeWithNode(request, (req, socket, head) => upgrades.emit('upgrade', req, socket, head));
    },
  };
}
