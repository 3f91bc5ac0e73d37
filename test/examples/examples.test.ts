import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { accepting, freePort, type Program, start } from '../support/program.ts';

const SOURCES = readdirSync('examples', { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.(?:[jt]sx?|eta)$/.test(file) && !file.includes('/dist/'))
  .toSorted();

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function run(example: string): Promise<{ program: Program; origin: string }> {
  const port = await freePort();
  const program = start(`.build/examples/${example}.js`, { PORT: String(port), NOTES_FILE: join(folder, 'notes.ndjson') });
  await accepting(port);
  return { program, origin: `http://localhost:${port}` };
}

/** What talks to something that is a promise by nature: the rate limiter and scrypt, the start of a server, a pool of connections, a stream of events, Vite. */
const ASYNCHRONOUS = [
  'demo/login.ts',
  'demo/server.ts',
  'login-session.ts',
  'mcp.ts',
  'postgres/people.ts',
  'server-sent-events.ts',
  'shop/io/mail.ts',
  'shop/io/orders.ts',
  'shop/io/people.ts',
  'shop/io/pool.ts',
  'shop/io/products.ts',
  'shop/io/schema.ts',
  'shop/io/shop.ts',
  'socket-io.ts', // its answers, and the questions to other workers, are promises
  'vite-ssr/development.ts',
  'vite-ssr/production.ts',
  'vite-ssr/server.ts',
];
const MAX_LINES: Readonly<Record<string, number>> = { 'login-session.ts': 150 };

describe('the examples', () => {
  it('are synchronous: none says async, await or .then(', () => {
    const asynchronous = SOURCES.filter((file) =>
      /\basync\b(?!<)|\bawait\b(?!<)|\.then\(/.test(
        readFileSync(join('examples', file), 'utf8').replace(/<code>(?:async|await)<\/code>/g, ''),
      ),
    );
    expect(asynchronous).toEqual(ASYNCHRONOUS);
  });

  it('are at most 80 lines each, the login 150', () => {
    const long = SOURCES.filter(
      (file) => readFileSync(join('examples', file), 'utf8').trimEnd().split('\n').length > (MAX_LINES[file] ?? 80),
    );
    expect(long).toEqual([]);
  });

  it('are each in the table of docs/examples.md, where the asynchronous ones are named as such', () => {
    const table = readFileSync('docs/examples.md', 'utf8');
    const programs = SOURCES.filter((file) => !file.includes('/'));
    expect(programs.filter((file) => !table.includes(`(../examples/${file})`))).toEqual([]);
    const [, asynchronous = ''] = table.split('## Asynchronous');
    expect(ASYNCHRONOUS.filter((file) => !asynchronous.includes(`(../examples/${file})`))).toEqual([]);
  });

  it('read where to listen from PORT and HOST, all in the same line', () => {
    const servers = SOURCES.filter((file) =>
      /^(?:const server = await )?startServer\(/m.test(readFileSync(join('examples', file), 'utf8')),
    );
    const line = "const { PORT: port = '8000', HOST: host = 'localhost' } = process.env;\n";
    expect(servers.length).toBeGreaterThan(15);
    expect(servers.filter((file) => !readFileSync(join('examples', file), 'utf8').includes(line))).toEqual([]);
  });

  it('listen where HOST says', async () => {
    const port = await freePort();
    const program = start('.build/examples/hello.js', { PORT: String(port), HOST: '127.0.0.2' });
    await program.prints(/serving on/);
    expect((await fetch(`http://127.0.0.2:${port}/`)).status).toBe(200);
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
  });

  it('import the package as a user does', () => {
    const inner = SOURCES.filter((file) => /from '\.\.\/(?:\.\.\/)?(?:src|dist)/.test(readFileSync(join('examples', file), 'utf8')));
    expect(inner).toEqual([]);
  });
});

describe('the program of the README', () => {
  it('runs as it stands', async () => {
    const port = await freePort();
    const place = '.build/readme';
    mkdirSync(place, { recursive: true });
    const [, code = ''] = /```ts\n(.*?)```/s.exec(readFileSync('README.md', 'utf8')) ?? [];
    expect(code).toContain('port: 8000');
    writeFileSync(`${place}/server.mts`, code.replace('port: 8000', `port: ${port}`));
    // Its types are checked with those of all other pages.
    const flags = ['--ignoreConfig', '--noCheck', '--module', 'nodenext'];
    execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', ...flags, `${place}/server.mts`]);
    start(`${place}/server.mjs`);
    await accepting(port);
    const origin = `http://localhost:${port}`;
    expect(await (await fetch(origin)).text()).toBe('hello, world');
    const body = new FormData();
    body.append('text', 'a note');
    for (const name of ['a.txt', 'b.txt']) body.append('files', new File(['x'], name));
    const made = await fetch(`${origin}/notes`, { method: 'POST', body });
    expect([made.status, await made.json()]).toEqual([201, { text: 'a note', files: 2 }]);
    expect((await fetch(`${origin}/notes`, { method: 'POST', body: new URLSearchParams() })).status).toBe(400);
    expect((await fetch(`${origin}/nowhere`)).status).toBe(404);
  });
});

describe('examples/hello', () => {
  it('does what its first comment shows', async () => {
    const { program, origin } = await run('hello');
    const home = await fetch(`${origin}/`, { redirect: 'manual' });
    expect([home.status, home.headers.get('location')]).toEqual([303, '/hello/world']);
    expect(await (await fetch(`${origin}/hello/world`)).text()).toBe('hello, world\n');
    expect(await (await fetch(`${origin}/squares/12`)).text()).toBe('144\n');
    expect((await fetch(`${origin}/squares/x`)).status).toBe(404);
    const panic = await fetch(`${origin}/panic`);
    expect(panic.status).toBe(500);
    expect(await panic.text()).toMatch(/^Error: This handler throws on purpose\n {4}at .+ \(examples\/hello\.ts:\d+:\d+\)/);
    const other = await fetch(`${origin}/panic`, { headers: { Via: '1.1 somewhere' } });
    expect([other.status, await other.text()]).toEqual([500, 'Internal Server Error']);
    await program.prints(/This handler throws on purpose/);
    expect(await (await fetch(`${origin}/hello/again`)).text()).toBe('hello, again\n');
  });
});

describe('examples/notes', () => {
  const json = (text: string): RequestInit => ({ headers: { 'Content-Type': 'application/json' }, body: text });

  it('keeps notes over all its workers', async () => {
    const { origin } = await run('notes');
    const made = await fetch(`${origin}/notes`, { method: 'POST', ...json('{"text":"buy bread"}') });
    expect(made.status).toBe(201);
    const place = made.headers.get('location') ?? '';
    const { id } = (await made.json()) as { id: string };
    expect(place).toBe(`/notes/${id}`);
    const seen = await Promise.all(
      Array.from({ length: 20 }, async () => (await fetch(`${origin}/notes`, { headers: { Connection: 'close' } })).json()),
    );
    expect(seen).toEqual(Array.from({ length: 20 }, () => [{ id, text: 'buy bread' }]));
    expect(await (await fetch(origin + place, { method: 'PUT', ...json('{"text":"buy cake"}') })).json()).toEqual({ id, text: 'buy cake' });
    expect((await fetch(origin + place, { method: 'DELETE' })).status).toBe(204);
    expect((await fetch(origin + place)).status).toBe(404);
  });

  it('says what is wrong with a note, and which methods there are', async () => {
    const { origin } = await run('notes');
    const empty = await fetch(`${origin}/notes`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
      body: '{"text":""}',
    });
    expect(empty.status).toBe(422);
    expect(await empty.json()).toMatchObject({ code: 'schema-mismatch', issues: [{ path: ['text'] }] });
    expect((await fetch(`${origin}/notes`, { method: 'POST', ...json('{"text":') })).status).toBe(400);
    expect((await fetch(`${origin}/notes`, { method: 'POST', body: 'text' })).status).toBe(415);
    const patch = await fetch(`${origin}/notes`, { method: 'PATCH' });
    expect([patch.status, patch.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS, POST']);
  });

  it('loses no note when many are made at once', async () => {
    const { origin } = await run('notes');
    await Promise.all(Array.from({ length: 100 }, (_, i) => fetch(`${origin}/notes`, { method: 'POST', ...json(`{"text":"note ${i}"}`) })));
    const notes = (await (await fetch(`${origin}/notes`)).json()) as { text: string }[];
    expect(new Set(notes.map(({ text }) => text)).size).toBe(100);
  });
});
