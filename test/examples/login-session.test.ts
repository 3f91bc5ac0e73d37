import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeInChromium, launchChromium, SCREENSHOTS } from '../support/chromium.ts';
import { accepting, freePort, start } from '../support/program.ts';

async function run(): Promise<string> {
  const port = await freePort();
  start('.build/examples/login-session.js', { PORT: String(port), SESSION_SECRET: 'a secret of at least 32 bytes, for tests' });
  await accepting(port);
  return `http://localhost:${port}`;
}

/** Sends the login form. */
function logIn(origin: string, password: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${origin}/login`, { method: 'POST', redirect: 'manual', headers, body: new URLSearchParams({ name: 'ada', password }) });
}

const cookieOf = (response: Response): string => response.headers.get('set-cookie')?.split(';')[0] ?? '';

describe('examples/login-session', () => {
  it('does what its first comment shows', async () => {
    const origin = await run();
    const home = await fetch(origin, { redirect: 'manual' });
    expect([home.status, home.headers.get('location')]).toEqual([303, '/login']);

    const wrong = await logIn(origin, 'x');
    expect([wrong.status, wrong.headers.get('set-cookie')]).toEqual([403, null]);
    expect(await wrong.text()).toContain('Wrong name or password');

    const right = await logIn(origin, 'lovelace');
    expect([right.status, right.headers.get('location')]).toEqual([303, '/']);
    expect(right.headers.get('set-cookie')).toMatch(/^session=[\w.-]+; Max-Age=86400; Path=\/; HttpOnly; SameSite=Lax$/);
    const headers = { Cookie: cookieOf(right) };
    const page = await fetch(origin, { headers });
    expect(await page.text()).toContain('Hello, ada');
    expect(page.headers.get('cache-control')).toBe('no-store');

    const logout = await fetch(`${origin}/logout`, { method: 'POST', redirect: 'manual', headers });
    expect([logout.status, logout.headers.get('location')]).toEqual([303, '/login']);
    expect(logout.headers.get('set-cookie')).toMatch(/^session=; Max-Age=0;/);
  });

  it('refuses forms of other sites, for the login and the logout', async () => {
    const origin = await run();
    expect((await logIn(origin, 'lovelace', { Origin: 'https://other.example' })).status).toBe(403);
    expect((await logIn(origin, 'lovelace', { Origin: 'null' })).status).toBe(403);
    const right = await logIn(origin, 'lovelace', { Origin: origin });
    const headers = { Cookie: cookieOf(right), Origin: 'https://other.example' };
    const logout = await fetch(`${origin}/logout`, { method: 'POST', redirect: 'manual', headers });
    expect([logout.status, logout.headers.get('set-cookie')]).toEqual([403, null]);
  });

  it('answers the sixth attempt in a minute with 429, whichever worker it reaches', async () => {
    const origin = await run();
    const statuses = await Promise.all(Array.from({ length: 12 }, async () => (await logIn(origin, 'x', { Connection: 'close' })).status));
    expect(statuses.toSorted()).toEqual([...Array.from({ length: 5 }, () => 403), ...Array.from({ length: 7 }, () => 429)]);
    const late = await logIn(origin, 'lovelace');
    expect(late.status).toBe(429);
    expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('does not start without a secret', async () => {
    const program = start('.build/examples/login-session.js', { PORT: '0', SESSION_SECRET: '' });
    expect(await program.ended).toBe(1);
    expect(program.stderr).toContain('openssl rand -base64 32');
  });
});

describeInChromium('the login in Chromium', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());

  it('refuses a wrong password, lets the right one in and out, and shows nothing by the back button', async () => {
    const origin = await run();
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    const submit = async (password: string): Promise<void> => {
      await page.fill('input[name=name]', 'ada');
      await page.fill('input[name=password]', password);
      await page.click('text=Log in');
    };

    await page.goto(origin);
    expect(page.url()).toBe(`${origin}/login`);
    await submit('wrong');
    await page.waitForSelector('[role=alert]:not(:empty)');
    expect(await page.textContent('[role=alert]')).toBe('Wrong name or password');
    await page.screenshot({ path: join(SCREENSHOTS, 'login-wrong.png') });

    await submit('lovelace');
    await page.waitForURL(`${origin}/`);
    expect(await page.textContent('body')).toContain('Hello, ada');
    await page.screenshot({ path: join(SCREENSHOTS, 'login-in.png') });
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({ name: 'session', httpOnly: true, sameSite: 'Lax', path: '/', domain: 'localhost' });
    expect(await page.evaluate('document.cookie')).toBe('');
    await page.reload();
    expect(await page.textContent('body')).toContain('Hello, ada');

    await page.click('text=Log out');
    await page.waitForURL(`${origin}/login`);
    expect(await page.context().cookies()).toEqual([]);
    await page.goBack();
    expect(page.url()).toBe(`${origin}/login`);
    expect(await page.textContent('body')).not.toContain('Hello');
    await page.screenshot({ path: join(SCREENSHOTS, 'login-back.png') });
    expect(errors).toEqual([]);
  });
});
