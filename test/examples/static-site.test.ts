import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeInChromium, launchChromium, SCREENSHOTS } from '../support/chromium.ts';
import { accepting, freePort, start } from '../support/program.ts';

async function site(env: Record<string, string> = {}): Promise<number> {
  const port = await freePort();
  start('.build/examples/static-site.js', { PORT: String(port), ...env });
  await accepting(port);
  return port;
}

describe('examples/static-site', () => {
  it('does what its first comment shows', async () => {
    const port = await site();
    const get = (path: string, headers: Record<string, string> = {}): Promise<globalThis.Response> =>
      fetch(`http://localhost:${port}${path}`, { headers, redirect: 'manual' });

    const home = await get('/');
    expect([home.status, home.headers.get('cache-control'), home.headers.has('etag'), home.headers.has('last-modified')]).toEqual([
      200,
      'no-cache',
      true,
      true,
    ]);
    expect(await home.text()).toContain('<h1>A static site</h1>');
    const about = await get('/about');
    expect([about.status, about.headers.get('location')]).toEqual([301, '/about/']);
    const style = await get('/assets/style.4f1c.css');
    expect([style.status, style.headers.get('cache-control')]).toEqual([200, 'max-age=31536000, immutable']);
    const part = await get('/', { Range: 'bytes=0-14' });
    expect([part.status, await part.text()]).toEqual([206, '<!doctype html>']);
    expect((await get('/', { 'If-None-Match': '*' })).status).toBe(304);
    expect((await get('/.env')).status).toBe(404);
    const notes = await get('/notes.txt');
    expect([notes.headers.get('content-type'), (await notes.text()).includes('startServer')]).toEqual(['text/plain; charset=utf-8', true]);

    const asIs = request({ host: 'localhost', port, path: '/../static-site.ts' }).end(); // node:http leaves a path as it is
    const [outside] = (await once(asIs, 'response')) as [IncomingMessage];
    outside.resume();
    expect(outside.statusCode).toBe(404);
  });
});

/** A minute and a half of a rising tone, 16 bit at 44.1 kHz: 8 MB, so that a player does not fetch all of it. */
function recording(): Buffer {
  const [rate, seconds] = [44_100, 90];
  const samples = Buffer.alloc(rate * seconds * 2);
  for (let i = 0; i < rate * seconds; i++) samples.writeInt16LE(Math.round(8000 * Math.sin((i / rate) * (440 + i / rate) * 6.28)), i * 2);
  const head = Buffer.alloc(44);
  head.write('RIFF....WAVEfmt ', 'latin1');
  head.writeUInt32LE(36 + samples.length, 4);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20); // PCM
  head.writeUInt16LE(1, 22); // mono
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(rate * 2, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36, 'latin1');
  head.writeUInt32LE(samples.length, 40);
  return Buffer.concat([head, samples]);
}

describeInChromium('the static site in Chromium', () => {
  let browser: Browser;
  let folder = '';

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });

  it('plays a recording from its last seconds without fetching what lies before (RFC 9110 §14.2)', async () => {
    const file = recording();
    writeFileSync(join(folder, 'tone.wav'), file);
    writeFileSync(
      join(folder, 'index.html'),
      '<!doctype html><title>Tone</title><h1>A tone that rises</h1><audio controls preload="metadata" src="tone.wav"></audio><p id="place">',
    );
    const port = await site({ ROOT: folder });
    const page = await browser.newPage();
    const answers: [status: number, range: string | undefined][] = [];
    page.on('response', (response) => {
      if (response.url().endsWith('tone.wav')) answers.push([response.status(), response.headers()['content-range']]);
    });
    await page.goto(`http://localhost:${port}/`);
    await page.waitForFunction('document.querySelector("audio").readyState >= 1');
    const seconds = await page.evaluate<number>(`new Promise((resolve, reject) => {
      const audio = document.querySelector('audio');
      audio.onerror = () => reject(new Error(audio.error.message));
      audio.onseeked = () => {
        document.querySelector('#place').textContent = 'It plays from second ' + audio.currentTime + ' of ' + audio.duration;
        resolve(audio.currentTime);
      };
      audio.currentTime = 85;
    })`);
    expect(seconds).toBe(85);
    await page.screenshot({ path: join(SCREENSHOTS, 'static-site-seek.png') });
    expect(answers.length).toBeGreaterThan(1);
    expect(answers.every(([status]) => status === 206)).toBe(true);
    const starts = answers.map(([, range]) => Number(/^bytes (\d+)-/.exec(range ?? '')?.[1]));
    expect(Math.max(...starts)).toBeGreaterThan(file.length / 2);
  });

  it('gives a page the bytes that it fetches by range, and leads it to the folder with the slash', async () => {
    const port = await site();
    const page = await browser.newPage();
    await page.goto(`http://localhost:${port}/`);
    const text = await page.evaluate<string>(
      `fetch('/', { headers: { Range: 'bytes=2-8' }, cache: 'no-store' }).then((response) => response.text())`,
    );
    expect(text).toBe('doctype');
    const statuses: number[] = [];
    page.on('response', (response) => statuses.push(response.status()));
    await page.click('text=the one about it');
    expect(await page.textContent('h1')).toBe('About this site');
    expect(page.url()).toBe(`http://localhost:${port}/about/`);
    await page.screenshot({ path: join(SCREENSHOTS, 'static-site.png') });
    expect(statuses[0]).toBe(301);
  });
});
