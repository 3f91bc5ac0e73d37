import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { describeInChromium, launchChromium, lookAt } from '../support/chromium.ts';
import { accepting, freePort, start } from '../support/program.ts';

/** 2 by 1 pixels, red and blue. */
const PICTURE = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAAD0lEQVR4nGM4IScnZ3MCAAdfAieyfXRcAAAAAElFTkSuQmCC', 'base64');

describeInChromium('the demo in Chromium', () => {
  let browser: Browser;
  let folder: string;
  let origin: string;
  /** What the browser complains of: errors of scripts, what the policy forbids, answers from 400 on. */
  let complaints: string[];
  const contexts: BrowserContext[] = [];

  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());

  beforeEach(async () => {
    complaints = [];
    folder = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
    const port = await freePort();
    const program = start('.build/examples/demo/server.js', { PORT: String(port), DEMO_FOLDER: folder });
    await program.prints(/serving on/);
    await accepting(port);
    origin = `http://localhost:${port}`;
  });
  afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()));
    rmSync(folder, { recursive: true });
  });

  /** A page of a visitor of its own, with its own cookies and connections. */
  async function visitor(): Promise<Page> {
    const context = await browser.newContext();
    contexts.push(context);
    const page = await context.newPage();
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    return page;
  }

  it('takes a note from a form, shows it escaped, and does not send it twice on reload', async () => {
    const page = await visitor();
    await page.goto(origin);
    expect(await page.textContent('h1')).toContain('A red thread');
    await lookAt(page, 'demo-home');

    await page.click('text=Leave a note');
    await page.fill('textarea', '<script>document.title = "taken over"</script> & é');
    await page.fill('input[name=author]', 'Ada');
    await page.click('button');
    await page.waitForSelector('.notes li');
    expect(await page.textContent('.notes li p')).toBe('<script>document.title = "taken over"</script> & é');
    expect(await page.title()).toBe('Notes · filrouge');
    await page.reload();
    expect(await page.locator('.notes li').count()).toBe(1);
    await lookAt(page, 'demo-notes');

    await page.click('text=Workings');
    expect(await page.textContent('main')).toContain('GET /workings');
    await lookAt(page, 'demo-workings');
    expect(complaints).toEqual([]);

    const missing = await page.goto(`${origin}/missing`);
    expect(missing?.status()).toBe(404);
    expect(await page.textContent('main')).toContain('There is no page at /missing');
    await lookAt(page, 'demo-not-found');
  });

  it('shows what its workers are doing', async () => {
    const page = await visitor();
    await page.goto(origin);
    await page.click('nav >> text=Status');
    await page.waitForSelector('#link.live');
    expect(await page.textContent('#workers')).toMatch(/^Process \d+\d+ connection/);
    await lookAt(page, 'demo-status');
    expect(complaints).toEqual([]);
  });

  it('refuses a wrong password, lets the right one in and out, and shows nothing by the back button', async () => {
    const page = await visitor();
    const submit = async (password: string): Promise<void> => {
      await page.fill('input[name=name]', 'ada');
      await page.fill('input[name=password]', password);
      await page.click('button');
    };
    await page.goto(origin);
    await page.click('nav >> text=Members');
    expect(page.url()).toBe(`${origin}/login`);
    await submit('wrong');
    await page.waitForSelector('[role=alert]');
    expect(await page.textContent('[role=alert]')).toBe('Wrong name or password');
    await lookAt(page, 'demo-login-wrong');
    expect(complaints.splice(0)).toEqual([expect.stringContaining('403')]);

    await submit('lovelace');
    await page.waitForURL(`${origin}/members`);
    await page.goto(`${origin}/login`);
    expect(page.url()).toBe(`${origin}/members`); // whoever is in is not asked again
    expect(await page.textContent('h1')).toBe('Hello, ada.');
    expect(await page.textContent('table')).toContain('2 times');
    expect(await page.textContent('table')).toMatch(/Logged in\s*\d{4}-\d\d-\d\d \d\d:\d\d UTC/);
    await page.reload();
    expect(await page.textContent('table')).toContain('3 times');
    await lookAt(page, 'demo-members');
    expect(await page.evaluate('document.cookie')).toBe('');

    await page.click('text=Log out');
    await page.waitForURL(`${origin}/login`);
    expect(await page.context().cookies()).toEqual([]);
    await page.goBack();
    await page.waitForURL(`${origin}/login`);
    expect(await page.textContent('body')).not.toContain('Hello');
    expect(complaints).toEqual([]);
  });

  it('takes several files, shows the pictures, and gives them back under their names', async () => {
    const page = await visitor();
    await page.goto(`${origin}/files`);
    await page.setInputFiles('input[type=file]', [
      { name: 'red and blue.png', mimeType: 'image/png', buffer: PICTURE },
      { name: 'été "x".txt', mimeType: 'text/plain', buffer: Buffer.from('bonjour') },
      { name: 'page.html', mimeType: 'text/html', buffer: Buffer.from('<script>alert(1)</script>') },
    ]);
    await page.click('text=Send');
    await page.waitForSelector('.files li');
    expect((await page.locator('.files li a').allTextContents()).map((text) => text.trim())).toEqual(
      expect.arrayContaining(['red and blue.png', 'txtété "x".txt', 'htmlpage.html']),
    );
    const pictures =
      'Promise.all([...document.images].map((image) => image.decode().then(() => [image.naturalWidth, image.naturalHeight])))';
    expect(await page.evaluate(pictures)).toEqual([[2, 1]]);
    await lookAt(page, 'demo-files');

    const [download] = await Promise.all([page.waitForEvent('download'), page.click('text=été "x".txt')]);
    expect(download.suggestedFilename()).toMatch(/^été .x.\.txt$/); // the system may forbid quotes in names
    expect(readFileSync(await download.path(), 'utf8')).toBe('bonjour');
    expect(complaints).toEqual([]);
  });

  it('says that a file is too large before it is sent, and after it as well', async () => {
    const page = await visitor();
    const large = { name: 'large.bin', mimeType: 'application/octet-stream', buffer: Buffer.alloc(8 * 2 ** 20 + 1) };
    await page.goto(`${origin}/files`);
    await page.setInputFiles('input[type=file]', [large]);
    expect(await page.textContent('[role=alert]')).toContain('That is too much. At most 6 files at once, each of at most 8 MiB.');
    await page.click('text=Send');
    expect(await page.locator('input:invalid').count()).toBe(1); // the form was not sent: the page is the same
    await lookAt(page, 'demo-files-too-large');
    expect(complaints).toEqual([]);

    await page.evaluate("document.querySelector('form').noValidate = true");
    await page.click('text=Send');
    await page.waitForSelector('text=That was too much.');
    expect(await page.locator('.files li').count()).toBe(0);
    expect(complaints).toEqual([expect.stringContaining('413')]);
  });

  it('carries what one page says to the other over two workers, and finds its way back when the line is cut', async () => {
    const ada = await visitor();
    await ada.goto(`${origin}/login`);
    await ada.fill('input[name=name]', 'ada');
    await ada.fill('input[name=password]', 'lovelace');
    await ada.click('button');
    await ada.click('nav >> text=Chat');
    await ada.waitForSelector('#lines >> text=comes in');
    const adasProcess = Number(/process (\d+)/.exec((await ada.textContent('#lines li')) ?? '')?.[1]);

    const bob = await visitor();
    process.kill(adasProcess, 'SIGSTOP'); // so that it is another worker that takes the next visitor
    try {
      await bob.goto(`${origin}/chat`);
      await bob.waitForSelector('text=You are in.');
    } finally {
      process.kill(adasProcess, 'SIGCONT');
    }
    await ada.waitForSelector('text=/guest \\d+ comes in/');
    await ada.fill('#text', 'hello, <i>Bob</i> ❤');
    await ada.press('#text', 'Enter');
    await bob.waitForSelector('text=hello, <i>Bob</i> ❤');
    await bob.fill('#text', 'hello yourself');
    await bob.press('#text', 'Enter');
    await ada.waitForSelector('text=hello yourself');
    await lookAt(ada, 'demo-chat');
    const lines = await ada.locator('#lines li').allTextContents();
    expect(lines.slice(-2)).toEqual([
      `ada hello, <i>Bob</i> ❤ process ${adasProcess}`,
      expect.stringMatching(/^guest \d+ hello yourself process \d+$/),
    ]);
    expect(lines.at(-1)).not.toContain(`process ${adasProcess}`);

    process.kill(adasProcess, 'SIGKILL'); // another worker takes its place, and the page comes back by itself
    await ada.waitForSelector('text=Trying again');
    await ada.waitForSelector('text=You are in.');
    await ada.fill('#text', 'back again');
    await ada.press('#text', 'Enter');
    await bob.waitForSelector('text=back again');
    expect(complaints).toEqual([]);
  });
});
