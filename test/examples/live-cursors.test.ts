import { once } from 'node:events';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { describeInChromium, launchChromium, SCREENSHOTS } from '../support/chromium.ts';
import { accepting, freePort, type Program, start } from '../support/program.ts';
import { until } from '../support/until.ts';

async function run(): Promise<{ program: Program; port: number }> {
  const port = await freePort();
  const program = start('.build/examples/live-cursors.js', { PORT: String(port) });
  await program.prints(/serving on/);
  await accepting(port);
  return { program, port };
}

describe('examples/live-cursors', () => {
  it('does what its first comment shows', async () => {
    const { program, port } = await run();
    const plain = await fetch(`http://localhost:${port}/pointers`);
    expect([plain.status, plain.headers.get('upgrade')]).toEqual([426, 'websocket']);
    program.child.kill('SIGTERM');
    expect(await program.ended).toBe(0);
  });

  it('closes the connection of a client that sends no place', async () => {
    const { port } = await run();
    for (const text of ['left', '5', '5 1001', '-1 5', ' '.repeat(33)]) {
      const client = new WebSocket(`ws://localhost:${port}/pointers`, { origin: `http://localhost:${port}` });
      await once(client, 'open');
      client.send(text);
      const [code] = (await once(client, 'close')) as [number];
      expect([text, code]).toEqual([text, text.length > 32 ? 1009 : 1008]);
    }
  });
});

describeInChromium('the pointers in Chromium', () => {
  it('are seen by the visitors of another worker: who is there, who comes, moves and goes', { timeout: 90_000 }, async () => {
    const { port } = await run();
    const browser = await launchChromium();
    const complaints: string[] = [];
    const open = async (): Promise<{ page: Page; worker: string }> => {
      const page = await browser.newPage({ viewport: { width: 800, height: 400 } });
      page.on('pageerror', (error) => complaints.push(error.message));
      await page.goto(`http://localhost:${port}/`);
      await page.waitForFunction("/^\\d+$/.test(document.querySelector('#worker').textContent)");
      return { page, worker: await page.locator('#worker').innerText() };
    };
    const placeOf = (page: Page): Promise<unknown> =>
      page.evaluate("(([{ style } = {}]) => style && [style.left, style.top].join())(document.querySelectorAll('.pointer'))");
    try {
      const ada = await open();
      await ada.page.mouse.move(200, 100);
      const bob = await until(
        async () => {
          const visitor = await open();
          if (visitor.worker !== ada.worker) return visitor;
          await visitor.page.close();
          return undefined;
        },
        () => 'a visitor of another worker',
        60_000,
      );
      await until(
        async () => ((await placeOf(bob.page)) === '25%,25%' ? true : undefined),
        () => "Ada's pointer, which was there before",
      );
      await bob.page.mouse.move(400, 300);
      await until(
        async () => ((await placeOf(ada.page)) === '50%,75%' ? true : undefined),
        () => "Bob's pointer",
      );
      await ada.page.mouse.move(600, 200);
      await until(
        async () => ((await placeOf(bob.page)) === '75%,50%' ? true : undefined),
        () => "Ada's pointer where it has moved",
      );
      await bob.page.screenshot({ path: join(SCREENSHOTS, 'live-cursors-bob.png'), animations: 'disabled' });
      await bob.page.close();
      await ada.page.waitForFunction("document.querySelector('#count').textContent === '0'");
      expect(complaints).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});
