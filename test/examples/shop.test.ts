/** examples/shop with a real PostgreSQL, driven as browsers do, and what happens when the database goes away. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { describeInChromium, launchChromium, lookAt } from '../support/chromium.ts';
import { hasPostgres, Postgres } from '../support/postgres.ts';
import { accepting, childrenOf, freePort, type Program, start } from '../support/program.ts';
import { until } from '../support/until.ts';

const PASSWORD = 'a long password';
const POOL = 2;

/** A visitor: keeps cookies, sends forms as pages of the shop do, follows redirects. */
class Visitor {
  readonly #origin: string;
  readonly #cookies = new Map<string, string>();

  constructor(origin: string) {
    this.#origin = origin;
  }

  get cookie(): string {
    return [...this.#cookies].map((pair) => pair.join('=')).join('; ');
  }

  /** A second window: the same cookies from here on, but each keeps its own. */
  twin(): Visitor {
    const other = new Visitor(this.#origin);
    for (const [name, value] of this.#cookies) other.#cookies.set(name, value);
    return other;
  }

  async get(path: string): Promise<Seen> {
    return this.#go(path, {});
  }

  async send(path: string, fields: Record<string, string> = {}, origin = this.#origin): Promise<Seen> {
    return this.#go(path, { method: 'POST', body: new URLSearchParams(fields), headers: { Origin: origin } });
  }

  async join(email: string): Promise<Seen> {
    return this.send('/join', { email, password: PASSWORD });
  }

  async #go(path: string, init: { method?: string; body?: URLSearchParams; headers?: Record<string, string> }): Promise<Seen> {
    const response = await fetch(this.#origin + path, { ...init, redirect: 'manual', headers: { ...init.headers, Cookie: this.cookie } });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (/max-age=0/i.test(cookie)) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    const html = await response.text();
    if (response.status === 303) return this.get(response.headers.get('location') ?? '/');
    return { status: response.status, path, html, headers: response.headers };
  }
}

interface Seen {
  readonly status: number;
  readonly path: string;
  readonly html: string;
  readonly headers: Headers;
}

describe.skipIf(!hasPostgres)('examples/shop', () => {
  let postgres: Postgres;
  let admin: Client;
  let program: Program;
  let folder: string;
  let origin = '';

  beforeAll(async () => {
    postgres = await Postgres.start();
  });
  afterAll(() => postgres.remove());

  const connect = async (): Promise<void> => {
    admin = await postgres.connect();
  };

  /** Starts the shop, and waits until all its workers serve. */
  const open = async (env: Readonly<Record<string, string>> = {}): Promise<void> => {
    const port = await freePort();
    program = start('.build/examples/shop/server.js', {
      ...postgres.env,
      PORT: String(port),
      WORKERS: '1',
      THREADS: String(2 * POOL),
      POOL: String(POOL),
      MAIL_FOLDER: join(folder, 'mail'),
      ...env,
    });
    origin = `http://localhost:${port}`;
    await accepting(port);
  };

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
    await connect();
    await admin.query('drop table if exists mail, line, purchase, attempt, person, product');
  });
  afterEach(async () => {
    await admin.end();
    rmSync(folder, { recursive: true });
  });

  const visitor = (): Visitor => new Visitor(origin);
  /** A visitor with an account and pieces of a product. */
  const buyer = async (email: string, product: number, count = 1): Promise<Visitor> => {
    const one = visitor();
    await one.join(email);
    await one.send('/basket', { product: String(product), count: String(count) });
    return one;
  };
  const number = async (query: string): Promise<number> =>
    (await admin.query<{ n: number }>(`select (${query})::int as n`)).rows[0]?.n ?? -1;
  const stockOf = (product: number): Promise<number> => number(`select stock from product where id = ${product}`);
  const letters = (): string[] => {
    try {
      return readdirSync(join(folder, 'mail')).filter((name) => name.endsWith('.eml'));
    } catch {
      return []; // made with the first letter
    }
  };
  const allSent = async (count: number): Promise<string[]> =>
    until(
      async () => (letters().length >= count && (await number('select count(*) from mail')) === 0 ? letters() : undefined),
      () => `${count} letters, and there are ${letters().length}\n${program.stderr}`,
    );

  it('does what its first comment shows: basket, account, order, letter', async () => {
    await open();
    const ada = visitor();
    expect((await ada.get('/')).html).toMatch(/Thimble.*€7\.20/s);
    expect((await ada.get('/products/4')).html).toContain('1 in stock');
    expect((await ada.send('/basket', { product: '4', count: '1' })).html).toMatch(/role="status">1 × Thimble in your basket/);
    expect((await ada.send('/basket', { product: '1', count: '2' })).html).toMatch(/Log in to order/);
    const joined = await ada.join('ada@example.com');
    expect(joined.path).toBe('/basket'); // with what was chosen before
    expect(joined.html).toMatch(/Welcome, ada@example\.com.*Order for €15\.00/s);
    const ordered = await ada.send('/orders');
    expect([ordered.status, ordered.path]).toEqual([200, '/orders/1']);
    expect(ordered.html).toMatch(/Thank you.*Red thread.*€7\.80.*Thimble.*€7\.20.*€15\.00/s);
    expect((await ada.get('/orders/1')).html).not.toContain('Thank you'); // shown once
    expect((await ada.get('/orders')).html).toContain('href="/orders/1"');
    expect((await ada.get('/')).html).toContain('Out of stock');
    expect([await stockOf(1), await stockOf(4)]).toEqual([38, 0]);

    const [name = ''] = await allSent(1);
    const [head = '', body = ''] = readFileSync(join(folder, 'mail', name), 'utf8').split('\r\n\r\n');
    expect(head).toMatch(/^From: .*\r\nTo: <ada@example\.com>\r\nSubject: Your order 1\r\nDate: .* \+0000\r\nMessage-ID: <1\.mail@/);
    expect(Buffer.from(body, 'base64').toString()).toBe(
      'Thank you for your order 1.\r\n\r\n2 × Red thread: €7.80\r\n1 × Thimble: €7.20\r\n\r\nTotal: €15.00\r\n',
    );
  });

  it('knows people by their passwords, and nobody by a wrong one', async () => {
    await open();
    const ada = visitor();
    await ada.join('Ada@Example.com');
    expect((await ada.send('/logout')).html).toContain('Log in');
    expect((await ada.get('/orders')).path).toBe('/login');
    expect((await ada.send('/login', { email: '"><script>', password: 'x' })).html).toMatch(
      /role="alert" id="problem">Wrong address or password\..*&quot;&gt;&lt;script&gt;/s,
    );
    expect((await ada.send('/login', { email: 'ada@example.com', password: PASSWORD })).html).toContain('Welcome, ada@example.com');
    const mallory = visitor();
    const statuses = [];
    for (let i = 0; i < 6; i++) statuses.push((await mallory.send('/login', { email: 'ada@example.com', password: `wrong ${i}` })).status);
    expect(statuses).toEqual([403, 403, 403, 403, 403, 429]);
    const { rows } = await admin.query<{ email: string; password: string }>('select email, password from person');
    expect(rows).toEqual([{ email: 'ada@example.com', password: expect.stringMatching(/^[\w-]{22}:[\w-]{43}$/) as string }]);
  });

  it('answers 409 for an address that is taken, and 400 for one that is none', async () => {
    await open();
    expect((await visitor().join('ada@example.com')).status).toBe(200);
    const again = await visitor().join('ada@example.com');
    expect([again.status, again.path]).toEqual([409, '/join']);
    expect(again.html).toContain('There is an account with this address');
    expect((await visitor().join('ada@example.com\r\nBcc: all@example.com')).status).toBe(400);
    expect((await visitor().send('/join', { email: 'grace@example.com', password: 'short' })).status).toBe(400);
    expect(await number('select count(*) from person')).toBe(1);
  });

  it('shows an order to its buyer only', async () => {
    await open();
    await (await buyer('ada@example.com', 1)).send('/orders');
    const grace = await buyer('grace@example.com', 1);
    expect((await grace.get('/orders/1')).status).toBe(404);
    expect((await grace.get('/orders')).html).toContain('There are none yet');
  });

  it('refuses forms of other sites, and tells browsers to load nothing from there', async () => {
    await open();
    const ada = await buyer('ada@example.com', 1);
    expect((await ada.send('/orders', {}, 'https://evil.example')).status).toBe(403);
    expect(await number('select count(*) from purchase')).toBe(0);
    const { headers } = await ada.get('/basket');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect([headers.get('x-content-type-options'), headers.get('cache-control')]).toEqual(['nosniff', 'no-store']);
    const style = await fetch(`${origin}/public/style.css`);
    expect([style.status, style.headers.get('content-type')]).toEqual([200, 'text/css; charset=utf-8']);
  });

  it('has a page for what is not there, and one for numbers that no table holds', async () => {
    await open();
    const ada = await buyer('ada@example.com', 1);
    for (const path of ['/nowhere', '/products/99', '/products/9007199254740991', '/orders/9007199254740991', '/public/nothing.css']) {
      expect([path, (await ada.get(path)).status]).toEqual([path, 404]);
    }
    expect((await ada.send('/basket', { product: '9007199254740991', count: '1' })).status).toBe(404);
    expect((await ada.send('/basket', { product: '1', count: 'many' })).status).toBe(400);
    expect((await ada.send('/basket/change', { product: '1', count: '0' })).html).toMatch(/It is empty/);
    expect((await ada.send('/orders')).status).toBe(409);
  });

  it('gives the last piece to one of two buyers who want it at the same time', async () => {
    await open({ WORKERS: '2' });
    const buyers = await Promise.all(['ada@example.com', 'grace@example.com'].map((email) => buyer(email, 4)));
    const seen = await Promise.all(buyers.map((one) => one.send('/orders')));
    expect(seen.map(({ status }) => status).toSorted()).toEqual([200, 409]);
    const loser = seen.find(({ status }) => status === 409);
    expect(loser?.html).toMatch(/role="alert">Somebody was faster.*Out of stock/s);
    expect([await stockOf(4), await number('select count(*) from purchase'), await number('select count(*) from line')]).toEqual([0, 1, 1]);
    expect((await allSent(1)).length).toBe(1);
  });

  it('never sells more than there is, however many buy with however few connections', async () => {
    await open({ WORKERS: '2' });
    const buyers = await Promise.all(Array.from({ length: 12 }, (_, i) => buyer(`buyer${i}@example.com`, 3)));
    await Promise.all(buyers.map((one) => one.send('/basket', { product: '1', count: '1' })));
    const statuses = (await Promise.all(buyers.map((one) => one.send('/orders')))).map(({ status }) => status);
    expect(statuses.toSorted()).toEqual([...Array<number>(6).fill(200), ...Array<number>(6).fill(409)]);
    expect([await stockOf(3), await stockOf(1), await number('select count(*) from purchase')]).toEqual([0, 34, 6]);
    expect((await allSent(6)).length).toBe(6);
  });

  it('makes one order of a form that is sent twice', async () => {
    await open({ WORKERS: '2' });
    const ada = await buyer('ada@example.com', 1, 3);
    const windows = [ada, ada.twin(), ada.twin()];
    const seen = await Promise.all(windows.map((one) => one.send('/orders')));
    expect(seen[0]?.path).toMatch(/^\/orders\/\d+$/); // a number may have been drawn for one that came too late
    expect(seen.map(({ status, path }) => [status, path])).toEqual(seen.map(() => [200, seen[0]?.path]));
    expect([await stockOf(1), await number('select count(*) from purchase')]).toEqual([37, 1]);
    expect((await allSent(1)).length).toBe(1);
  });

  it('sends each letter once from two worker processes, and those of an earlier run', async () => {
    const delivered: string[] = [];
    mkdirSync(join(folder, 'mail'));
    const watcher = watch(join(folder, 'mail'), (_, name) => name?.endsWith('.eml') && delivered.push(name)); // once for each delivery
    onTestFinished(() => watcher.close());
    await open({ WORKERS: '2', THREADS: '1' });
    await until(
      () => childrenOf(program.pid).length === 2 || undefined,
      () => 'two workers',
    );
    await admin.query(
      "insert into mail (recipient, subject, body) select 'ada@example.com', 'letter ' || n, 'text' from generate_series(1, 40) as n",
    );
    expect((await allSent(40)).length).toBe(40);
    await program.kill();
    await admin.query("insert into mail (recipient, subject, body) values ('ada@example.com', 'left', 'text')");
    await open();
    expect((await allSent(41)).length).toBe(41);
    await until(
      () => delivered.length >= 41 || undefined,
      () => 'what was seen of 41 letters',
    );
    expect(delivered.toSorted()).toEqual(letters().toSorted());
    expect(program.stderr).not.toMatch(/waits/);
  });

  it('keeps a letter that cannot be delivered, for later', async () => {
    await open({ MAIL_FOLDER: '/dev/null/mail' });
    await (await buyer('ada@example.com', 1)).send('/orders');
    await program.prints(/letter 1 waits: ENOTDIR/);
    await until(
      async () => (await number('select max(attempts) from mail where due > now()')) === 1 || undefined,
      () => 'a letter that waits',
    );
  });

  it('is closed for a moment while the database is away, and loses nothing', async () => {
    await open();
    const ada = await buyer('ada@example.com', 4);
    await admin.query('begin; select 1 from product where id = 4 for update');
    const placing = ada.send('/orders');
    await until(
      async () => (await number("select count(*) from pg_stat_activity where wait_event_type = 'Lock'")) === 1 || undefined,
      () => 'an order that waits in the database',
    );
    await postgres.kill();
    expect((await placing).status).toBe(503);
    const away = [await ada.get('/'), await ada.send('/orders'), await ada.get('/orders/1'), await ada.get('/products/1')];
    for (const { status, headers, html } of away) {
      expect([status, headers.get('retry-after')]).toEqual([503, '5']);
      expect(html).toMatch(/<title>Service Unavailable.*The shop is closed for a moment/s);
    }
    expect((await ada.get('/login')).status).toBe(200); // needs no database
    expect((await fetch(`${origin}/health`)).status).toBe(200);
    const { pid } = program;
    await postgres.resume();
    await connect();
    await until(
      async () => (await ada.get('/')).status === 200 || undefined,
      () => 'a shop that is open again',
    );
    const ordered = await ada.send('/orders'); // the basket is as it was, and so is the login
    expect([ordered.status, ordered.path]).toEqual([200, `/orders/${await number('select id from purchase')}`]);
    expect(await stockOf(4)).toBe(0);
    expect((await allSent(1)).length).toBe(1);
    expect(program.pid).toBe(pid);
    expect(program.stderr).not.toMatch(/is replaced/);
  });

  it('finishes its requests and its mail at SIGTERM, and closes its pool', async () => {
    await open();
    const buyers = await Promise.all(Array.from({ length: 6 }, (_, i) => buyer(`buyer${i}@example.com`, 1)));
    const orders = buyers.map((one) => one.send('/orders'));
    await until(
      async () => (await number('select count(*) from purchase')) > 0 || undefined,
      () => 'a first order',
    );
    process.kill(program.pid, 'SIGTERM');
    await Promise.allSettled(orders); // some cannot see their page any more
    expect(await program.ended).toBe(0);
    expect(await number("select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()")).toBe(0);
    expect((await number('select count(*) from mail')) + letters().length).toBe(await number('select count(*) from purchase'));
  });

  describeInChromium('in Chromium', () => {
    it('is bought from by keyboard and mouse, looks decent and has no barriers', async () => {
      await open();
      const browser = await launchChromium();
      try {
        const page = await (await browser.newContext()).newPage();
        const complaints: string[] = [];
        page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
        await page.goto(origin);
        await lookAt(page, 'shop-products');
        await page.keyboard.press('Tab');
        expect(await page.evaluate('document.activeElement.textContent')).toBe('To the content');
        await page.click('text=Scissors');
        await page.waitForURL('**/products/3');
        await lookAt(page, 'shop-product');
        await page.fill('input[name=count]', '2');
        await page.click('text=Into the basket');
        await page.waitForURL('**/basket');
        await page.click('text=join first');
        await page.waitForURL('**/join');
        await page.waitForSelector('input[name=email]:focus');
        await page.keyboard.type('ada@example.com');
        await page.keyboard.press('Tab');
        await page.keyboard.type(PASSWORD);
        await lookAt(page, 'shop-join');
        await page.keyboard.press('Enter');
        await page.waitForURL('**/basket');
        await lookAt(page, 'shop-basket');
        await page.click('text=Order for');
        await page.waitForURL('**/orders/1');
        expect(await page.textContent('[role=status]')).toBe('Thank you. We have written to ada@example.com.');
        await lookAt(page, 'shop-order');
        await page.reload();
        expect(await number('select count(*) from purchase')).toBe(1);
        await page.click('text=Log out');
        await page.waitForURL(`${origin}/`);
        await page.goBack();
        await page.waitForURL('**/login'); // not the order, by the back button
        expect(complaints).toEqual([]);
      } finally {
        await browser.close();
      }
    });
  });
});
