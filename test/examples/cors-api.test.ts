import { beforeEach, describe, expect, it } from 'vitest';
import { describeInChromium, launchChromium } from '../support/chromium.ts';
import { accepting, freePort, start } from '../support/program.ts';

const PAGES = 'http://localhost:3000';

async function run(pages: string): Promise<string> {
  const port = await freePort();
  start('.build/examples/cors-api.js', { PORT: String(port), PAGES: pages });
  const api = `http://localhost:${port}`;
  await accepting(port);
  return api;
}

describe('examples/cors-api', () => {
  let api: string;

  beforeEach(async () => {
    api = await run(PAGES);
  });

  const add = (body: string, origin: string): Promise<Response> =>
    fetch(`${api}/sums`, {
      method: 'POST',
      body,
      headers: { Origin: origin, 'Content-Type': 'application/json' },
    });

  it('answers the preflight of its own pages (WHATWG Fetch §3.2.2)', async () => {
    const headers = { Origin: PAGES, 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'content-type' };
    const response = await fetch(`${api}/sums`, { method: 'OPTIONS', headers });
    expect(response.status).toBe(204);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'access-control-allow-origin': PAGES,
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': 'Content-Type',
      'access-control-max-age': '600',
    });
  });

  it('lets its own pages read answers, those that say what was wrong too', async () => {
    const right = await add('{"numbers":[1,2]}', PAGES);
    expect([right.status, await right.json(), right.headers.get('access-control-allow-origin')]).toEqual([200, { sum: 3 }, PAGES]);
    const wrong = await add('{"numbers":"x"}', PAGES);
    expect([wrong.status, wrong.headers.get('access-control-allow-origin')]).toEqual([422, PAGES]);
    expect(await wrong.json()).toMatchObject({ status: 422, code: 'schema-mismatch', issues: [{ path: ['numbers'] }] });
    const missing = await fetch(`${api}/nothing`, { headers: { Origin: PAGES } });
    expect([missing.status, missing.headers.get('access-control-allow-origin')]).toEqual([404, PAGES]);
  });

  it('says nothing of CORS to other pages', async () => {
    const response = await fetch(`${api}/colours`, { headers: { Origin: 'http://other.example' } });
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([200, null]);
    expect(response.headers.get('vary')).toBe('Origin');
  });
});

describeInChromium('examples/cors-api in Chromium', () => {
  it('is read by a page of the origin that it names, and by no other', async () => {
    const port = await freePort();
    start('.build/examples/hello.js', { PORT: String(port) }); // any page will do
    await accepting(port);
    const pages = `http://localhost:${port}`;
    const [own, foreign] = await Promise.all([run(pages), run(PAGES)]);
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      await page.goto(`${pages}/hello/ada`);
      const call = (api: string, body: string): Promise<unknown> =>
        page.evaluate(`fetch('${api}/sums', { method: 'POST', headers: { 'Content-Type': 'application/json', Accept: 'application/json' }, body: '${body}' })
          .then((response) => response.json(), (error) => error.name)`);
      expect(await call(own, '{"numbers":[1,2]}')).toEqual({ sum: 3 });
      expect(await call(own, '{"numbers":"x"}')).toMatchObject({ code: 'schema-mismatch' });
      expect(await call(foreign, '{"numbers":[1,2]}')).toBe('TypeError');
      expect(await page.evaluate(`fetch('${own}/colours').then((response) => response.headers.get('etag'))`)).toBe('"colours-1"');
    } finally {
      await browser.close();
    }
  });
});
