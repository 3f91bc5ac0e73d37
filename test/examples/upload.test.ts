import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeInChromium, launchChromium, SCREENSHOTS } from '../support/chromium.ts';
import { accepting, freePort, start } from '../support/program.ts';

const ODD_NAME = 'été "x".txt';

let folder: string;
let origin: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
  const port = await freePort();
  start('.build/examples/upload.js', { PORT: String(port), UPLOADS: join(folder, 'uploads') });
  origin = `http://localhost:${port}`;
  await accepting(port);
});
afterEach(() => rmSync(folder, { recursive: true }));

async function send(...files: readonly File[]): Promise<Response> {
  const form = new FormData();
  for (const file of files) form.append('files', file);
  return fetch(origin, { method: 'POST', body: form, redirect: 'manual' });
}

/** The addresses of all files, in the order of the page. */
async function links(): Promise<string[]> {
  const page = await (await fetch(origin)).text();
  return [...page.matchAll(/<a href="([^"]+)"/g)].map((match) => origin + (match[1] ?? ''));
}

describe('examples/upload', () => {
  it('keeps several files, and gives them back under their names, whole or in part', async () => {
    const sent = await send(
      new File([new Uint8Array(200_000).fill(7)], 'film.mp4', { type: 'video/mp4' }),
      new File(['hello'], ODD_NAME, { type: 'text/plain' }),
    );
    expect([sent.status, sent.headers.get('location')]).toEqual([303, '/']);
    const page = await (await fetch(origin)).text();
    expect(page).toContain('>film.mp4</a>, 200 kB');
    expect(page).toContain('>été &quot;x&quot;.txt</a>, 1 kB');
    const [film = '', text = ''] = await links();
    const back = await fetch(text);
    expect(back.headers.get('content-disposition')).toBe(
      `attachment; filename="?t? ?x?.txt"; filename*=UTF-8''%C3%A9t%C3%A9%20%22x%22.txt`,
    );
    expect(await back.text()).toBe('hello');
    const part = await fetch(film, { headers: { Range: 'bytes=100-199' } });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, 'bytes 100-199/200000']);
    expect((await part.arrayBuffer()).byteLength).toBe(100);
  });

  it('saves under names of its own, whatever the client calls its files', async () => {
    await send(new File(['a'], '../../escaped'), new File(['b'], 'index.ndjson'), new File(['c'], 'same'), new File(['d'], 'same'));
    const names = readdirSync(join(folder, 'uploads'));
    expect(names.filter((name) => name !== 'index.ndjson' && !/^[\da-f-]{36}$/.test(name))).toEqual([]);
    expect(names.length).toBe(5);
    expect(readdirSync(folder)).toEqual(['uploads']);
    expect(await Promise.all((await links()).map(async (link) => (await fetch(link)).text()))).toEqual(['a', 'b', 'c', 'd']);
  });

  it('gives only pictures the type that they came with, and never opens an uploaded page as its own', async () => {
    const script = '<script>alert(1)</script>';
    await send(
      new File([script], 'a.html', { type: 'text/html' }),
      new File([script], 'b.svg', { type: 'image/svg+xml' }),
      new File([script], 'c.png', { type: 'image/png' }),
    );
    const answers = await Promise.all((await links()).map((link) => fetch(link)));
    expect(answers.map((answer) => answer.headers.get('content-type'))).toEqual([
      'application/octet-stream',
      'application/octet-stream',
      'image/png',
    ]);
    expect(answers.filter((answer) => answer.headers.get('x-content-type-options') !== 'nosniff')).toEqual([]);
    expect(answers.filter((answer) => !answer.headers.get('content-disposition')?.startsWith('attachment;'))).toEqual([]);
    const page = await (await fetch(origin)).text();
    expect(page.match(/<img /g)?.length).toBe(1);
  });

  it('takes large bodies at its form only, and nothing where no files were chosen', async () => {
    const elsewhere = await fetch(`${origin}/other`, { method: 'POST', body: new Uint8Array(70_000) });
    expect(elsewhere.status).toBe(413);
    expect((await send()).status).toBe(303);
    expect(await links()).toEqual([]);
    expect((await fetch(`${origin}/files/00000000-0000-4000-8000-000000000000`)).status).toBe(404);
  });
});

describeInChromium('examples/upload in Chromium', () => {
  it('takes three files at once, one of 50 MB and one with an odd name, shows the picture and gives the others back', {
    timeout: 60_000,
  }, async () => {
    const film = Buffer.alloc(50_000_000, 'filrouge');
    const paths = [
      ['film.mp4', film],
      [ODD_NAME, Buffer.from('hello')],
      ['red.png', redSquare(64)],
    ].map(([name, content]) => {
      const path = join(folder, name as string);
      writeFileSync(path, content as Buffer);
      return path;
    });
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('console', (message) => {
        if (message.type() !== 'error' || message.location().url === `${origin}/favicon.ico`) return; // there is none, which is no mistake of the page
        complaints.push(message.text());
      });
      await page.goto(origin);
      await page.setInputFiles('input[type=file]', paths);
      await page.click('button');
      await page.waitForSelector('li:nth-child(3)');
      expect(await page.locator('li a').allTextContents()).toEqual(['film.mp4', ODD_NAME, 'red.png']);
      await page.waitForFunction("document.querySelector('img').complete");
      expect(await page.evaluate("document.querySelector('img').naturalWidth")).toBe(64);
      await page.screenshot({ path: join(SCREENSHOTS, 'upload.png') });

      const [download] = await Promise.all([page.waitForEvent('download'), page.click('li:nth-child(2) a')]);
      // A quotation mark is a name on this system, not on all: Chromium puts another character there.
      expect(download.suggestedFilename()).toMatch(/^été ["_']x["_']\.txt$/);
      expect(readFileSync(await download.path(), 'utf8')).toBe('hello');
      const [large] = await Promise.all([page.waitForEvent('download'), page.click('li:nth-child(1) a')]);
      const path = await large.path();
      expect(statSync(path).size).toBe(50_000_000);
      expect(readFileSync(path).equals(film)).toBe(true);

      await page.reload(); // a GET: nothing is sent again
      expect(await page.locator('li').count()).toBe(3);
      expect(complaints).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});

/** A PNG (ISO/IEC 15948): red, and so many pixels wide and high. */
function redSquare(size: number): Buffer {
  const head = Buffer.from([0, 0, 0, size, 0, 0, 0, size, 8, 2, 0, 0, 0]); // width, height, 8 bits for each of red, green and blue
  const row = Buffer.concat([Buffer.from([0]), Buffer.alloc(size * 3, Buffer.from([0xb3, 0x26, 0x1e]))]);
  const rows = Buffer.concat(Array.from({ length: size }, () => row));
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const content = Buffer.concat([Buffer.from(type), data]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(data.length, 0);
  ends.writeUInt32BE(crc32(content), 4);
  return Buffer.concat([ends.subarray(0, 4), content, ends.subarray(4)]);
}
