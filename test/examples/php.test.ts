import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { accepting, freePort, type Program, start } from '../support/program.ts';

const isThere = spawnSync('php-cgi', ['-v']).status === 0;
if (!isThere) console.warn('SKIPPED: the tests of examples/php need php-cgi (Debian: apt-get install php-cgi)');

async function run(): Promise<{ program: Program; origin: string }> {
  const port = await freePort();
  const program = start('.build/examples/php.js', { PORT: String(port) });
  await accepting(port);
  return { program, origin: `http://localhost:${port}` };
}

describe.skipIf(!isThere && process.env['CI'] === undefined)('examples/php', () => {
  it('shows a page, takes a form with a file, sets a cookie and redirects', async () => {
    const { origin } = await run();
    const page = await fetch(`${origin}/`);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=UTF-8']);
    expect(await page.text()).toContain('<h1>Hello, stranger</h1>');

    const form = new FormData();
    form.append('name', 'Ada & Grace');
    form.append('picture', new Blob([Buffer.alloc(300_000, 'x')]), 'cät.jpg');
    const posted = await fetch(`${origin}/`, { method: 'POST', body: form, redirect: 'manual' });
    expect(posted.status).toBe(303);
    expect(posted.headers.get('location')).toBe('/thanks?picture=c%C3%A4t.jpg&size=300000');
    expect(posted.headers.get('set-cookie')).toBe('name=Ada%20%26%20Grace; HttpOnly; SameSite=Lax');

    const thanks = await fetch(`${origin}${posted.headers.get('location')}`, { headers: { Cookie: 'a=b; name=Ada%20%26%20Grace' } });
    const text = await thanks.text();
    expect(text).toContain('<h1>Hello, Ada &amp; Grace</h1>');
    expect(text).toContain('cät.jpg (300000 bytes)');
  });

  it('prints what PHP complains about, and leaves other paths to the server', async () => {
    const { program, origin } = await run();
    expect((await fetch(`${origin}/warning`)).status).toBe(200);
    await program.prints(/\[cgi php-cgi \d+\] .*the guestbook is nearly full/);
    expect(await (await fetch(`${origin}/health`)).text()).toBe('ok\n');
  });

  it('takes no options for PHP from the query (CVE-2012-1823), and no proxy from the client (CVE-2016-5385)', async () => {
    const { origin } = await run();
    for (const query of ['-s', '-d+auto_prepend_file%3dphp://input', '--version']) {
      const answer = await fetch(`${origin}/?${query}`, { headers: { Proxy: 'http://evil.example' } });
      expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('Hello, stranger')]);
    }
  });

  it('gives HEAD the head alone', async () => {
    const { origin } = await run();
    const head = await fetch(`${origin}/`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-type'), await head.text()]).toEqual([200, 'text/html; charset=UTF-8', '']);
  });
});
