/** examples/vite-ssr while it is developed, in a copy whose sources are edited, and as it is built, where neither Vite nor Preact is installed. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { barriers, describeInChromium, launchChromium, SCREENSHOTS } from '../support/chromium.ts';
import { accepting, freePort, type Program, start } from '../support/program.ts';
import { until } from '../support/until.ts';

const IMMUTABLE = 'max-age=31536000, immutable';

/** A project of its own inside this one, so that it finds the packages that are installed here. */
let sources = '';
/** What is deployed: the server, what was built, filrouge, and nothing else. */
let deployed = '';

beforeAll(() => {
  sources = mkdtempSync(resolve('.build', 'vite-ssr-'));
  cpSync('examples/vite-ssr', sources, { recursive: true, filter: (from) => !from.endsWith('/dist') });
  writeFileSync(join(sources, 'package.json'), '{ "type": "module" }');

  deployed = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
  cpSync('.build/examples/vite-ssr', deployed, { recursive: true });
  writeFileSync(join(deployed, 'package.json'), '{ "type": "module" }');
  mkdirSync(join(deployed, 'node_modules'));
  symlinkSync(resolve('.'), join(deployed, 'node_modules', 'filrouge'));
});
afterAll(() => {
  for (const folder of [sources, deployed]) rmSync(folder, { recursive: true });
});

async function development(): Promise<string> {
  const port = await freePort();
  const env = { NODE_ENV: 'development', ROOT: sources, PORT: String(port) };
  start('.build/examples/vite-ssr/server.js', env);
  await accepting(port);
  return `http://localhost:${port}`;
}

async function production(): Promise<{ program: Program; origin: string }> {
  const port = await freePort();
  const program = start(join(deployed, 'server.js'), { NODE_ENV: 'production', ROOT: deployed, PORT: String(port) });
  await accepting(port);
  return { program, origin: `http://localhost:${port}` };
}

/** Edits the page's source until the test ends. */
function edit(what: string, by: string): void {
  const file = join(sources, 'client/page.tsx');
  const before = readFileSync(file, 'utf8');
  onTestFinished(() => writeFileSync(file, before));
  writeFileSync(file, before.replace(what, by));
}

/** Builds both halves, once. */
async function build(): Promise<void> {
  if (readdirSync(deployed).includes('dist')) return;
  const vite = start('node_modules/vite/bin/vite.js', { NODE_ENV: 'production' }, ['build', sources]);
  expect([await vite.ended, vite.stderr]).toEqual([0, '']);
  cpSync(join(sources, 'dist'), join(deployed, 'dist'), { recursive: true });
}

describe('examples/vite-ssr', () => {
  it('draws the page on the server while it is developed, has Vite answer for what it loads, and names the line of a source that fails', async () => {
    edit('  return (', "  if (name === 'eve') throw new Error('No page for her');\n$&");
    const origin = await development();
    const page = await fetch(`${origin}/hello/${encodeURIComponent('<ada>')}`);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    const html = await page.text();
    expect(html).toContain('<h1>hello, &lt;ada></h1>');
    expect(html).toContain('src="/@vite/client"');
    const module = await fetch(`${origin}/client/page.tsx`);
    expect([module.status, module.headers.get('content-type')]).toEqual([200, 'text/javascript']);
    expect((await fetch(`${origin}/nowhere`)).status).toBe(404);

    const failed = await fetch(`${origin}/hello/eve`);
    expect(failed.status).toBe(500);
    expect(await failed.text()).toMatch(/^Error: No page for her\n +at \S+ \(.*client\/page\.tsx:6:\d+\)/);
  });

  it('is served as it was built where neither Vite nor Preact is installed', async () => {
    await build();
    const { origin, program } = await production();
    const page = await fetch(`${origin}/hello/ada`);
    expect([page.status, page.headers.get('cache-control')]).toEqual([200, 'no-store']);
    const html = await page.text();
    expect(html).toContain('<h1>hello, ada</h1>');
    expect(html).not.toContain('vite/client');

    const assets = [...html.matchAll(/(?:src|href)="(\/assets\/index-[\w-]{8}\.(?:js|css))"/g)].map(([, path]) => path ?? '');
    expect(assets).toHaveLength(2);
    const answers = await Promise.all(assets.map((path) => fetch(origin + path)));
    expect(answers.map(({ status, headers }) => [status, headers.get('cache-control')])).toEqual([
      [200, IMMUTABLE],
      [200, IMMUTABLE],
    ]);
    expect(
      await Promise.all(['/assets/none.js', '/client/page.tsx', '/index.html'].map(async (path) => (await fetch(origin + path)).status)),
    ).toEqual([404, 404, 404]);
    process.kill(program.pid, 'SIGTERM');
    expect(await program.ended).toBe(0);

    const vite = start(join(deployed, 'server.js'), { NODE_ENV: 'development', ROOT: deployed });
    await vite.prints(/Cannot find package 'vite'/); // so production has not loaded it
  });
});

describeInChromium('the front end by Vite in Chromium', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());

  /** Opens a page, with what the browser complains of. */
  async function open(url: string, sign?: string): Promise<{ page: Page; complaints: string[] }> {
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on(
      'console',
      (message) => message.type() === 'error' && !message.location().url.endsWith('/favicon.ico') && complaints.push(message.text()),
    );
    const seen = sign === undefined ? undefined : page.waitForEvent('console', (message) => message.text().includes(sign));
    await page.goto(url); // until everything is loaded, so that the browser has taken the page over
    await seen;
    return { page, complaints };
  }

  /** Waits until an element says something. */
  async function says(page: Page, selector: string, text: string): Promise<void> {
    await until(
      async () => (await page.textContent(selector)) === text || undefined,
      () => `${selector} that says "${text}"`,
    );
  }

  it('takes the page over, counts a click, and shows an edit of the source without a reload: the count stays', async () => {
    const origin = await development();
    const { page, complaints } = await open(`${origin}/hello/ada`, '[vite] connected');
    await page.click('text=clicked: 0');
    await says(page, 'button', 'clicked: 1');
    await page.evaluate('window.isTheSame = true');

    edit('hello, {name}', 'welcome, {name}');
    await says(page, 'h1', 'welcome, ada');
    expect([await page.textContent('button'), await page.evaluate('window.isTheSame')]).toEqual(['clicked: 1', true]);
    expect(await (await fetch(`${origin}/hello/bob`)).text()).toContain('<h1>welcome, bob</h1>'); // the server has seen it too
    expect(complaints).toEqual([]);
  });

  it('takes over the page that was built, under the policy of secureHeaders', async () => {
    await build();
    const { origin } = await production();
    const { page, complaints } = await open(`${origin}/hello/ada`);
    await page.click('text=clicked: 0');
    await says(page, 'button', 'clicked: 1');
    await page.screenshot({ path: join(SCREENSHOTS, 'vite-ssr.png') });
    expect([await barriers(page), complaints]).toEqual([[], []]);
  });
});
