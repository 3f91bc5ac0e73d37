import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { accepting, freePort, type Program, shared, start } from '../support/program.ts';
import { until } from '../support/until.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The demo, when all of its workers serve. */
async function begin(env: Readonly<Record<string, string>>): Promise<Program> {
  const port = await freePort();
  const program = start('.build/examples/demo/server.js', { PORT: String(port), ...env });
  await program.prints(/serving on/);
  await accepting(port);
  return program;
}

interface Demo {
  readonly program: Program;
  readonly origin: string;
}

function demoOf(program: Program): Demo {
  return { program, origin: /serving on (http:\S+)/.exec(program.stderr)?.[1] ?? '' };
}

/** A demo for one test. */
async function run(env: Readonly<Record<string, string>> = {}): Promise<Demo> {
  return demoOf(await begin({ DEMO_FOLDER: folder, ...env }));
}

const sharedFolder = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
afterAll(() => rmSync(sharedFolder, { recursive: true }));
const program = shared(() => begin({ DEMO_FOLDER: sharedFolder }));
/** That for all tests which leave nothing that another would notice. */
const one = (): Demo => demoOf(program());

const post = (url: string, body: URLSearchParams | FormData, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(url, { method: 'POST', redirect: 'manual', body, headers });

const logIn = (origin: string, password: string, headers: Record<string, string> = {}): Promise<Response> =>
  post(`${origin}/login`, new URLSearchParams({ name: 'ada', password }), headers);

const cookieOf = (response: Response): string => response.headers.get('set-cookie')?.split(';')[0] ?? '';

function formOf(...files: readonly File[]): FormData {
  const form = new FormData();
  for (const file of files) form.append('files', file);
  return form;
}

describe('examples/demo', () => {
  it('does what its first comment shows', async () => {
    const { program, origin } = await run();
    await program.prints(/The demo is at/);
    expect(await (await fetch(`${origin}/api/notes`)).json()).toEqual([]);
    const posted = await post(`${origin}/notes`, new URLSearchParams({ text: 'hello', author: 'ada' }));
    expect([posted.status, posted.headers.get('location')]).toEqual([303, '/notes']);
    expect(await (await fetch(`${origin}/api/notes`)).json()).toMatchObject([{ text: 'hello', author: 'ada' }]);
    expect(await (await fetch(`${origin}/api/facts`)).json()).toMatchObject({ node: process.version });
    const sent = await post(`${origin}/files`, formOf(new File(['# filrouge'], 'README.md')));
    expect([sent.status, sent.headers.get('location')]).toEqual([303, '/files']);
    const guarded = await fetch(`${origin}/members`, { redirect: 'manual' });
    expect([guarded.status, guarded.headers.get('location')]).toEqual([303, '/login']);
    const right = await logIn(origin, 'lovelace');
    expect([right.status, cookieOf(right)]).toEqual([303, expect.stringMatching(/^session=[\w.-]+$/)]);
    const style = await fetch(`${origin}/style.css`, { headers: { Range: 'bytes=0-99' } });
    expect([style.status, (await style.text()).length]).toEqual([206, 100]);
    const events = new AbortController();
    const { headers } = await fetch(`${origin}/status?events`, { signal: events.signal });
    expect(headers.get('content-type')).toBe('text/event-stream');
    events.abort();
    expect((await fetch(`${origin}/nowhere`)).status).toBe(404);
  });

  it('does not say where it is before it is there: a port in use is one sentence', async () => {
    const occupant = createServer().listen(0, 'localhost');
    onTestFinished(() => void occupant.close());
    await once(occupant, 'listening');
    const { port } = occupant.address() as { port: number };
    const program = start('.build/examples/demo/server.js', { PORT: String(port), DEMO_FOLDER: folder });
    expect(await program.ended).toBe(1);
    expect(program.stdout).toBe('');
    expect(program.stderr).toMatch(new RegExp(`^Cannot start server: port ${port} of localhost is in use \\(EADDRINUSE\\): .*\n$`));
  });

  it('says what is wrong with a note, and keeps what was typed', async () => {
    const { origin } = one();
    const wrong = await post(`${origin}/notes`, new URLSearchParams({ text: '<i>'.repeat(100), author: 'ada' }));
    expect(wrong.status).toBe(400);
    expect(await wrong.text()).toMatch(/at most 280 characters; this one has 300.*&lt;i&gt;&lt;i&gt;/s);
  });

  it('answers an error with a page that tells nothing, and goes on', async () => {
    const { program, origin } = one();
    const panic = await fetch(`${origin}/panic`);
    const page = await panic.text();
    expect(panic.status).toBe(500);
    expect(page).not.toContain('red button');
    expect(panic.headers.get('x-content-type-options')).toBe('nosniff');
    await program.prints(/The visitor pressed the red button/);
    expect((await fetch(`${origin}/`)).status).toBe(200);
  });

  it('gives pages compressed and with a policy that forbids what is not its own', async () => {
    const { origin } = one();
    const home = await fetch(origin, { headers: { 'Accept-Encoding': 'gzip' } });
    expect([home.headers.get('content-encoding'), home.headers.get('vary')]).toEqual(['gzip', 'Accept-Encoding']);
    expect(await home.text()).toContain('<h1>');
    expect(home.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/);
  });

  it('gives its files with a tag, and 304 to who has them; nothing beside its folder', async () => {
    const { origin } = one();
    const script = await fetch(`${origin}/chat.js`);
    expect([script.status, script.headers.get('content-type')]).toEqual([200, 'text/javascript; charset=utf-8']);
    const again = await fetch(`${origin}/chat.js`, { headers: { 'If-None-Match': script.headers.get('etag') ?? '' } });
    expect(again.status).toBe(304);
    expect((await fetch(`${origin}/..%2Fserver.ts`)).status).toBe(404);
  });

  it('ends by itself, with code 0, when it is asked to, also while somebody chats', async () => {
    const { program, origin } = await run();
    const client = new WebSocket(`${origin.replace('http', 'ws')}/chat/socket`);
    const end = once(client, 'close');
    await once(client, 'message');
    program.child.kill('SIGTERM');
    expect((await end)[0]).toBe(1001);
    expect(await program.ended).toBe(0);
    expect(program.stderr).not.toMatch(/Error/);
  });
});

describe('the members of the demo', () => {
  it('are let in by whichever worker they reach, with the secret that the primary has made', async () => {
    const { origin } = one();
    const headers = { Cookie: cookieOf(await logIn(origin, 'lovelace')), Connection: 'close' };
    const processes = new Set<string | undefined>();
    const areSeveral = async (): Promise<true | undefined> => {
      const pages = await Promise.all(Array.from({ length: 20 }, async () => (await fetch(`${origin}/members`, { headers })).text()));
      expect(pages.filter((page) => page.includes('Hello, ada.'))).toHaveLength(20);
      for (const page of pages) processes.add(/process (\d+)/.exec(page)?.[1]);
      return processes.size > 1 || undefined;
    };
    await until(areSeveral, () => `pages of two processes, not of ${[...processes].join()} alone`);
  });

  it('stay logged in over a restart when SESSION_SECRET is the same, and are out when it is another', async () => {
    const first = await run({ SESSION_SECRET: 'a secret of at least 32 bytes, for tests' });
    const headers = { Cookie: cookieOf(await logIn(first.origin, 'lovelace')) };
    const second = await run({ SESSION_SECRET: 'a secret of at least 32 bytes, for tests' });
    const third = await run();
    expect((await fetch(`${second.origin}/members`, { headers })).url).toBe(`${second.origin}/members`);
    expect((await fetch(`${third.origin}/members`, { headers })).url).toBe(`${third.origin}/login`);
  });

  it('are out after the logout, and their page is kept nowhere', async () => {
    const { origin } = one();
    const headers = { Cookie: cookieOf(await logIn(origin, 'lovelace')) };
    expect((await fetch(`${origin}/members`, { headers })).headers.get('cache-control')).toBe('no-store');
    const out = await post(`${origin}/members/logout`, new URLSearchParams(), headers);
    expect([out.status, out.headers.get('location')]).toEqual([303, '/login']);
    expect(out.headers.get('set-cookie')).toMatch(/^session=; Max-Age=0;/);
  });

  it('are five times a minute told that a password is wrong, and then when to come again', async () => {
    const { origin } = await run();
    const answers = await Promise.all(Array.from({ length: 8 }, () => logIn(origin, 'x', { Connection: 'close' })));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([403, 403, 403, 403, 403, 429, 429, 429]);
    const late = await logIn(origin, 'lovelace');
    expect([late.status, Number(late.headers.get('retry-after')) > 0]).toEqual([429, true]);
    expect(await late.text()).toContain('Too many attempts: try again in');
  });

  it('may log in as often as they like: only failures are counted', async () => {
    const { origin } = one();
    for (let i = 0; i < 7; i++) expect((await logIn(origin, 'lovelace')).status).toBe(303);
    expect((await logIn(origin, 'x')).status).toBe(403);
  });

  it('are logged in and out by forms of the demo only', async () => {
    const { origin } = await run();
    const elsewhere = { Origin: 'https://other.example' };
    const login = await logIn(origin, 'lovelace', elsewhere);
    expect([login.status, login.headers.get('set-cookie')]).toEqual([403, null]);
    expect(await login.text()).toContain('This form was sent by another site');
    const headers = { Cookie: cookieOf(await logIn(origin, 'lovelace', { Origin: origin })), ...elsewhere };
    const logout = await post(`${origin}/members/logout`, new URLSearchParams(), headers);
    expect([logout.status, logout.headers.get('set-cookie')]).toEqual([403, null]);
    expect((await post(`${origin}/notes`, new URLSearchParams({ text: 'spam' }), elsewhere)).status).toBe(403);
  });
});

describe('the files of the demo', () => {
  it('come back byte for byte, under a name with quotes and accents', async () => {
    const { origin } = await run();
    const name = 'été "x".txt';
    // undici escapes the quotes as browsers do, %22 (WHATWG HTML, multipart/form-data encoding)
    expect((await post(`${origin}/files`, formOf(new File(['bonjour'], name), new File(['<b>'], '<b>.html')))).status).toBe(303);
    const list = await (await fetch(`${origin}/files`)).text();
    expect(list).toContain('été &quot;x&quot;.txt');
    expect(list).not.toContain('<b>');
    const hrefs = [...list.matchAll(/href="(\/files\/[\w-]+)"/g)].map((match) => match[1] ?? '');
    const files = await Promise.all(hrefs.map((href) => fetch(origin + href)));
    const texts = await Promise.all(files.map((file) => file.text()));
    expect(texts.toSorted()).toEqual(['<b>', 'bonjour']);
    expect(files.map((file) => file.headers.get('content-type'))).toEqual(['application/octet-stream', 'application/octet-stream']);
    const dispositions = files.map((file) => file.headers.get('content-disposition')).join();
    expect(dispositions).toContain("filename*=UTF-8''%C3%A9t%C3%A9%20%22x%22.txt");
  });

  it('are refused in words when one is too large, when they are too many, and when there is none; nothing of them is kept', async () => {
    const { origin } = await run();
    const large = await post(`${origin}/files`, formOf(new File([new Uint8Array(8 * 2 ** 20 + 1)], 'large')));
    expect([large.status, await large.text()]).toEqual([413, expect.stringContaining('each of at most 8 MiB')]);
    const many = await post(`${origin}/files`, formOf(...Array.from({ length: 7 }, (_, i) => new File(['x'], `${i}`))));
    expect([many.status, await many.text()]).toEqual([413, expect.stringContaining('At most 6 files at once')]);
    const none = await post(`${origin}/files`, formOf(new File([], '')));
    expect([none.status, await none.text()]).toEqual([400, expect.stringContaining('Choose a file first')]);
    expect(readdirSync(join(folder, 'files'))).toEqual([]);
  });

  it('are never more than 24: the oldest go', async () => {
    const { origin } = await run();
    for (let i = 0; i < 5; i++) {
      const form = formOf(...Array.from({ length: 6 }, (_, j) => new File([`${i}${j}`], `file ${i}-${j}`)));
      expect((await post(`${origin}/files`, form)).status).toBe(303);
    }
    const list = await (await fetch(`${origin}/files`)).text();
    expect(list).not.toContain('file 0-');
    expect(list.match(/<li>/g)).toHaveLength(24);
    expect(readdirSync(join(folder, 'files'))).toHaveLength(48);
    expect((await fetch(`${origin}/files/0-0`)).status).toBe(404);
  });
});

interface Line {
  readonly name: string;
  readonly text: string;
  readonly pid: number;
}

/** Somebody in the chat: what was heard so far, and which worker took them. */
async function guest(origin: string, cookie = ''): Promise<{ client: WebSocket; heard: Line[]; pid: number }> {
  const client = new WebSocket(`${origin.replace('http', 'ws')}/chat/socket`, { origin, headers: { Cookie: cookie } });
  const heard: Line[] = [];
  client.on('message', (data: Buffer) => heard.push(JSON.parse(data.toString()) as Line));
  await once(client, 'open');
  const hello = `it is me, ${randomUUID()}`;
  client.send(hello);
  const own = await until(
    () => heard.find(({ text }) => text === hello),
    () => `our own line among ${JSON.stringify(heard)}`,
  );
  return { client, heard, pid: own.pid };
}

describe('the chat of the demo', () => {
  it('tells everybody the same, in the same order, whichever worker they are connected to', async () => {
    const { origin } = await run();
    const guests = [await guest(origin)];
    while (new Set(guests.map(({ pid }) => pid)).size < 2 && guests.length < 200) guests.push(await guest(origin));
    const ada = guests[0] as (typeof guests)[0];
    const bob = guests.find(({ pid }) => pid !== ada.pid) as (typeof guests)[0];
    expect(bob).toBeDefined();
    for (let i = 0; i < 20; i++) {
      ada.client.send(`ada ${i}`);
      bob.client.send(`bob ${i}`);
    }
    const said = ({ heard }: { heard: Line[] }): string[] => heard.map(({ text }) => text).filter((text) => /^(?:ada|bob) \d/.test(text));
    for (const one of [ada, bob]) {
      await until(
        () => said(one).length === 40 || undefined,
        () => `40 lines among ${JSON.stringify(said(one))}`,
      );
    }
    expect(said(ada)).toEqual(said(bob));
    for (const { client } of guests) client.terminate();
  });

  it('calls members by their names, and tells newcomers the last lines', async () => {
    const { origin } = await run();
    const ada = await guest(origin, cookieOf(await logIn(origin, 'lovelace')));
    expect(ada.heard.map(({ name }) => name)).toContain('ada');
    ada.client.send('first!');
    const isTold = ({ heard }: { heard: Line[] }): boolean => heard.some(({ name, text }) => name === 'ada' && text === 'first!');
    await until(
      () => isTold(ada) || undefined,
      () => 'the first line',
    );
    const bob = await guest(origin);
    expect(isTold(bob)).toBe(true);
    expect(bob.heard.at(-1)?.name).toMatch(/^guest \d{3}$/);
    for (const { client } of [ada, bob]) client.terminate();
  });

  it('is not open to pages of other sites', async () => {
    const { origin } = await run();
    const client = new WebSocket(`${origin.replace('http', 'ws')}/chat/socket`, { origin: 'https://other.example' });
    const [error] = (await once(client, 'error')) as [Error];
    expect(error.message).toContain('403');
  });
});
