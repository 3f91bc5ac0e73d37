/** The status page of real servers in Chromium: what it shows, how it looks, and that it does not grow. */
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { request } from 'undici';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { ServerOptions } from '../../src/index.ts';
import { describeInChromium, launchChromium, lookAt } from '../support/chromium.ts';
import { until } from '../support/until.ts';
import { type Cluster, startCluster } from './support.ts';

const IN_FIXTURE = String.raw`\(test/cluster/fixtures/seen\.mjs:\d+:\d+\)`;

/** In the page: another source of events, which the test feeds. */
const FED = `window.EventSource = class extends EventTarget {
  constructor() {
    super();
    window.feed = (news) => this.dispatchEvent(Object.assign(new Event('message'), { data: JSON.stringify(news) }));
  }
  close() {}
};`;

/** In the page: the news of so many seconds, in which workers come and go. @returns How much of it the page shows. */
const SECONDS = `(from, to) => {
  const at = Date.now();
  for (let i = from; i < to; i++) {
    const pid = 100 + Math.floor(i / 10);
    window.feed({
      at: at + i * 1000, generation: 1, restarts: i, requests: i,
      rates: { answers: i, failures: 0, refusals: null, p50: 1, p95: null, p99: 2, loopDelay: 1 },
      workers: [{ pid, generation: 1, connections: 1, inFlight: 1, queued: 0, rss: 1e8, threads: [
        { thread: 1, state: 'running', place: 'at a (b.ts:1:1)', open: 2, requests: [{ method: 'GET', path: '/' + i, ms: i }, { method: 'GET', path: '/', ms: 1 }] },
        { thread: 2, state: 'idle', open: 0, requests: [] },
      ] }],
      slowest: [{ pid, method: 'GET', path: '/' + i, ms: i, status: 200, at, place: 'at a (b.ts:1:1)' }],
      marks: i % 10 === 0 ? [{ at: at + i * 1000, event: 'replaced', message: 'worker ' + i }] : [],
    });
  }
  const path = document.querySelector('#answers path').getAttribute('d');
  return { points: path.match(/[ML]/g).length, elements: document.querySelectorAll('*').length, events: document.querySelectorAll('#events li').length };
}`;

/** Opens a row until the stack is there: on a busy machine a click may meet a row that has just moved, and a thread may not be interrupted in time. */
async function openStack(row: Locator, text: string): Promise<void> {
  const button = row.locator('button');
  const shown = row.locator('pre', { hasNotText: 'Looking' });
  await until(
    async () => {
      const isOpen = (await button.getAttribute('aria-expanded')) === 'true';
      if (isOpen && (await shown.textContent())?.includes(text)) return true;
      await button.click();
      return undefined;
    },
    () => `a stack with ${text}`,
    60_000,
  );
}

/** What a page holds, once what it does not need has been collected: also elements that are shown no more. */
async function heldBy(page: Page): Promise<{ heap: number; nodes: number; listeners: number }> {
  const session = await page.context().newCDPSession(page);
  for (let i = 0; i < 3; i++) await session.send('HeapProfiler.collectGarbage');
  const { usedSize: heap } = await session.send('Runtime.getHeapUsage');
  const { nodes, jsEventListeners: listeners } = await session.send('Memory.getDOMCounters');
  await session.detach();
  return { heap, nodes, listeners };
}

describeInChromium('the status page', () => {
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  /** What the browser complains of: errors of scripts, what the policy forbids, answers from 400 on. */
  let complaints: string[];

  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());

  beforeEach(async () => {
    complaints = [];
    context = await browser.newContext();
    page = await context.newPage();
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  });
  afterEach(() => context.close());

  function start(options: ServerOptions): Promise<Cluster> {
    return startCluster(options, { fixture: 'seen' });
  }

  /** Begins a request and waits for nothing. */
  function begin(cluster: Cluster, path: string): void {
    void request(cluster.origin + path, { reset: true })
      .then(({ body }) => body.dump())
      .catch(() => {}); // some never end
  }

  it('names the line at which a handler thread is stuck, and on a click all that lies above it', async () => {
    const cluster = await start({ workers: 2, threads: 3, handlerTimeout: 0 });
    await page.goto(`${cluster.origin}/status`);
    begin(cluster, '/loop?secret=1');
    begin(cluster, '/later/60000');
    for (let i = 0; i < 20; i++) begin(cluster, `/busy/${i * 5}`);
    begin(cluster, '/busy/900');
    await page.waitForSelector('.place:text-matches("stands at forEver")');
    const row = page.locator('.worker li', { hasText: '/loop' });
    await row.filter({ hasText: new RegExp(`in a handlerGET /loop \\d.*stands at forEver ${IN_FIXTURE}`) }).waitFor();
    await openStack(row, 'at answer');
    expect(await row.locator('pre').textContent()).toMatch(new RegExp(`^at forEver ${IN_FIXTURE}\nat answer ${IN_FIXTURE}\n`));
    expect(await row.locator('button').getAttribute('aria-expanded')).toBe('true');
    await page.waitForSelector('#slowest .path:text-matches("/busy/900")');
    expect(await page.content()).not.toContain('secret');
    await page.waitForSelector('#link.live:text-is("live")');
    await lookAt(page, 'status-threads', { fullPage: true });
    expect(complaints).toEqual([]);
  });

  it('names the line at which a worker is stuck, as another worker sees it', async () => {
    const cluster = await start({ workers: 2, handlerTimeout: 0 });
    await page.goto(`${cluster.origin}/status`);
    begin(cluster, '/loop');
    await page.waitForSelector('.place:text-matches("stands at forEver")', { timeout: 25_000 }); // the one that served the page may be the one that is stuck
    const row = page.locator('.worker li', { hasText: '/loop' });
    expect(await row.textContent()).toContain('main thread');
    await openStack(row, 'at answer');
    expect(await page.locator('.worker').count()).toBe(2);
  });

  it('marks a reload and a restart', async () => {
    const cluster = await start({ workers: 1, handlerTimeout: 300 });
    await page.goto(`${cluster.origin}/status`);
    await page.waitForSelector('#link.live');
    begin(cluster, '/loop');
    await page.waitForSelector('#events li:has-text("is replaced")', { timeout: 25_000 });
    await cluster.ask('reload');
    await page.waitForSelector('#events li:has-text("reloaded: generation 2 serves")');
    expect(await page.locator('#answers svg line title').allTextContents()).toEqual([
      expect.stringMatching(/^stuck: GET "\/loop" has taken/),
      'reloaded: reloaded: generation 2 serves',
    ]);
    await lookAt(page, 'status-restart', { fullPage: true });
  });

  it('does not grow, however long it is open: an hour of news holds no more than ten minutes of it', { timeout: 240_000 }, async () => {
    const cluster = await start({ workers: 0 });
    await page.addInitScript(FED);
    await page.goto(`${cluster.origin}/status`);
    const play = (from: number, to: number): Promise<unknown> => page.evaluate(`(${SECONDS})(${from}, ${to})`);
    const early = await play(0, 600);
    const atTen = await heldBy(page);
    let late: unknown;
    for (let from = 600; from < 3600; from += 600) late = await play(from, from + 600);
    const atHour = await heldBy(page);
    expect(early).toMatchObject({ points: 300, events: 50 });
    expect(late).toEqual(early);
    expect([atHour.nodes, atHour.listeners]).toEqual([atTen.nodes, atTen.listeners]);
    expect(atHour.heap).toBeLessThan(atTen.heap * 1.1);
    await lookAt(page, 'status-hour', { fullPage: true });
    expect(complaints).toEqual([]);
  });

  it('shows what a server sends as text, whatever it is', async () => {
    const cluster = await start({ workers: 0 });
    await page.addInitScript(FED);
    await page.goto(`${cluster.origin}/status`);
    const evil = '<img src=x onerror="document.title=1">';
    const threads = [{ thread: 1, state: 'waiting', waitsIn: evil, place: evil, open: 1, requests: [{ method: evil, path: evil, ms: 1 }] }];
    const news = {
      at: Date.now(),
      generation: 1,
      restarts: 0,
      requests: 0,
      rates: { answers: null, failures: null, refusals: null, p50: null, p95: null, p99: null, loopDelay: null },
      workers: [{ pid: 1, generation: 1, connections: 0, inFlight: 0, queued: 0, rss: 1, threads }],
      slowest: [{ pid: 1, method: evil, path: evil, ms: 1, status: 200, at: Date.now(), place: evil }],
      marks: [{ at: Date.now(), event: evil, message: evil }],
    };
    await page.evaluate(`feed(${JSON.stringify(news)})`);
    expect(await page.textContent('#events li span')).toBe(evil);
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.title()).toBe('Server status');
  });

  it('stops listening while nobody sees it', async () => {
    const cluster = await start({ workers: 0 });
    await page.goto(`${cluster.origin}/status`);
    await page.waitForSelector('#link.live');
    const hide = (isHidden: boolean): string =>
      `Object.defineProperty(document, 'hidden', { value: ${isHidden}, configurable: true }); document.dispatchEvent(new Event('visibilitychange'));`;
    await page.evaluate(hide(true));
    expect(await page.textContent('#link')).toBe('paused');
    await page.evaluate(hide(false));
    await page.waitForSelector('#link.live');
  });
});
