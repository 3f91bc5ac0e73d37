import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accepting, freePort, start } from '../support/program.ts';

const CHROMIUM = '/usr/bin/chromium';
const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const SCREENSHOTS = '.build/screenshots';

const isThere = existsSync(CHROMIUM);
if (!isThere) console.warn(`SKIPPED: the browser tests need ${CHROMIUM} (Debian: apt-get install chromium)`);

describe.skipIf(!isThere && process.env['CI'] === undefined)('the demo in Chromium', () => {
  let browser: Browser;
  let folder: string;

  beforeAll(async () => {
    mkdirSync(SCREENSHOTS, { recursive: true });
    folder = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
    browser = await chromium.launch({ executablePath: CHROMIUM, args: QUIET });
  });
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });

  it('takes a note from a form, shows it escaped, and does not send it twice on reload', async () => {
    const port = await freePort();
    start('.build/examples/demo/server.js', { PORT: String(port), NOTES_FILE: join(folder, 'notes.ndjson') });
    await accepting(port);
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));

    await page.goto(`http://localhost:${port}/`);
    expect(await page.textContent('h1')).toContain('A red thread');
    await page.screenshot({ path: join(SCREENSHOTS, 'home.png') });

    await page.click('text=Leave a note');
    await page.fill('textarea', '<script>document.title = "taken over"</script> & é');
    await page.fill('input[name=author]', 'Ada');
    await page.click('button');
    await page.waitForSelector('.notes li');
    expect(await page.textContent('.notes li p')).toBe('<script>document.title = "taken over"</script> & é');
    expect(await page.title()).toBe('Notes · filrouge');
    await page.reload();
    expect(await page.locator('.notes li').count()).toBe(1);
    await page.screenshot({ path: join(SCREENSHOTS, 'notes.png') });

    await page.click('text=Workings');
    expect(await page.textContent('main')).toContain('GET /workings');
    expect(complaints).toEqual([]);

    const missing = await page.goto(`http://localhost:${port}/missing`);
    expect(missing?.status()).toBe(404);
    expect(await page.textContent('main')).toContain('There is no page at /missing');
    await page.screenshot({ path: join(SCREENSHOTS, 'not-found.png') });
  });
});
