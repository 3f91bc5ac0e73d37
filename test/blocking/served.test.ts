/** Calls without await from handlers, in real processes. */
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { ServerOptions, ServerStatus } from '../../src/index.ts';
import { isAlive, Program, shared } from '../support/program.ts';
import { untilTold } from '../support/until.ts';

interface Served extends Program {
  origin: string;
}

async function serve(options: ServerOptions, env: Readonly<Record<string, string>> = {}): Promise<Served> {
  const all: ServerOptions = { workers: 0, threads: 4, shutdownTimeout: 600_000, ...options };
  const program = new Program(process.execPath, ['test/blocking/fixtures/server.mjs'], { OPTIONS: JSON.stringify(all), ...env }, 'ipc');
  const [, origin = ''] = await program.prints(/listening on (http\S+)/);
  return Object.assign(program, { origin });
}

async function get(server: Served, path: string, signal?: AbortSignal): Promise<{ status: number; body: unknown }> {
  const response = await fetch(server.origin + path, signal ? { signal } : {});
  const text = await response.text();
  return { status: response.status, body: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text };
}

async function ask(server: Served, what: 'status' | 'reload'): Promise<ServerStatus> {
  server.child.send({ ask: what });
  const [{ answer }] = (await once(server.child, 'message')) as [{ answer: ServerStatus }];
  return answer;
}

async function events(server: Served): Promise<string> {
  return untilTold(
    async () => ((await get(server, '/events')).body as string[]).at(0),
    () => 'something that has happened in the I/O thread',
  );
}

/** How many threads of the process wait in `store.sleep`. */
async function waiting(server: Served, count: number): Promise<true> {
  let workers: ServerStatus['workers'] = [];
  return untilTold(
    async () => {
      ({ workers } = await ask(server, 'status'));
      return workers.reduce((sum, { waiting: waits }) => sum + (waits['store.sleep'] ?? 0), 0) === count || undefined;
    },
    () => `${count} threads that wait in store.sleep: ${JSON.stringify(workers)} ${server.stdout}${server.stderr}`,
  );
}

const MODES: [string, { readonly workers: number; readonly threads: number }][] = [
  ['in handler threads', { workers: 0, threads: 2 }],
  ['in handler threads of workers', { workers: 2, threads: 2 }],
  ['in workers without threads', { workers: 2, threads: 0 }],
  ['in one process', { workers: 0, threads: 0 }],
];

describe.each(MODES)('a call without await %s', (_, options) => {
  const { workers, threads } = options;
  const one = shared(() => serve({ workers: Math.min(1, workers), threads: Math.min(1, threads) })); // one thread has all requests

  it('returns values, throws errors, gives each process one I/O thread, is counted once, and is answered before a reload or SIGTERM ends its process', async () => {
    const server = await serve({ ...options, shutdownDelay: 0 });
    const found = await Promise.all(Array.from({ length: 40 }, () => get(server, '/where')));
    const places = found.map(({ body }) => body as { pid: number; threadId: number });
    const count = (keys: string[]): number => new Set(keys).size;
    expect(count(places.map(({ pid, threadId }) => `${pid} ${threadId}`))).toBe(count(places.map(({ pid }) => `${pid}`)));
    expect(await get(server, '/fail')).toEqual({ status: 500, body: { code: 'FAR', name: 'RangeError', message: 'It is too far' } });
    const both = await Promise.all(Array.from({ length: 8 }, () => get(server, '/both/20')));
    expect(both.map(({ body }) => body)).toEqual(both.map(() => [20, 3]));
    const later = await Promise.all(Array.from({ length: 30 }, () => get(server, '/later')));
    expect(later.map(({ body }) => body)).toEqual(later.map(() => '3'));
    const { calls } = await ask(server, 'status');
    expect(calls['store.add']).toMatchObject({ count: 38 });
    expect(calls['store.sleep']).toMatchObject({ count: 8 });
    expect(calls['store.sleep']?.sum).toBeGreaterThan(8 * 0.019);
    if (workers > 0) await reloads(server, workers);
    const last = get(server, '/sleep/301');
    await server.prints(/sleeps for 301 ms/); // it is in flight
    process.kill(server.pid, 'SIGTERM');
    expect((await last).status).toBe(200);
    expect(await server.ended).toBe(0);
    expect(isAlive(server.pid)).toBe(false);
    expect(server.stdout.match(/store closed in \d+/g)).toHaveLength(Math.max(1, 2 * workers)); // of both generations
  });

  it('releases a handle when its handler has answered, whatever happens', async () => {
    const server = one();
    await get(server, '/begin');
    expect(await events(server)).toBe('rolled back 1');
    await get(server, '/begin?commit');
    expect(await events(server)).toBe('released');
    expect((await get(server, '/begin?throw')).status).toBe(500);
    expect(await events(server)).toBe('rolled back 1');
  });

  it('releases a handle that was made behind an await when its own handler has answered, not when another has', async () => {
    const server = one();
    const begun = get(server, '/begin-later');
    await untilTold(
      async () => (await get(server, '/held')).body === '1' || undefined,
      () => 'a handle',
    );
    expect((await get(server, '/answer-later')).body).toEqual([]);
    expect((await begun).status).toBe(200);
    expect(await events(server)).toBe('rolled back 1');
  });

  it('is answered by a new I/O thread when the one before has died', async () => {
    const server = one();
    const { threadId } = (await get(server, '/where')).body as { threadId: number };
    expect(await get(server, '/die')).toMatchObject({ status: 500, body: { code: 'blocking-thread-died' } });
    expect(await get(server, '/where')).toMatchObject({ status: 200 });
    expect(((await get(server, '/where')).body as { threadId: number }).threadId).not.toBe(threadId);
    await server.prints(/the I\/O thread of store has died and is replaced: it ended by itself/);
  });
});

/** Reloads a server of which 38 calls of `store.add` are counted: those under way are answered, and those of the old workers stay counted. */
async function reloads(server: Served, workers: number): Promise<void> {
  const calls = [get(server, '/sleep/300'), get(server, '/sleep/300')];
  await ask(server, 'reload');
  for (const { status } of await Promise.all(calls)) expect(status).toBe(200);
  await get(server, '/later');
  const later = await untilTold(
    async () => {
      const status = await ask(server, 'status');
      return status.workers.length === workers ? status : undefined;
    },
    () => 'the old workers to end',
  );
  expect(later.calls['store.add']).toMatchObject({ count: 39 });
}

describe('a module that does not load', () => {
  it.each(MODES)('is an error of the start %s', async (_, options) => {
    const all = { OPTIONS: JSON.stringify(options), MODULE: './missing.mjs' };
    const program = new Program(process.execPath, ['test/blocking/fixtures/server.mjs'], all);
    expect(await program.ended).toBe(1);
    expect(program.stderr).toMatch(/Cannot start I\/O thread: store does not load: Cannot find module '.*missing\.mjs'/);
  });
});

describe('a handler thread that waits', () => {
  it('goes on when the client has left, and the call is aborted', async () => {
    const server = await serve({ threads: 1 });
    const left = new AbortController();
    const gone = expect(get(server, '/sleep/60000', left.signal)).rejects.toThrow();
    await waiting(server, 1);
    left.abort();
    await gone;
    expect(await events(server)).toBe('aborted: The call has ended: the client has left');
    await get(server, '/fail');
    await server.prints(/onError: It is too far/);
    expect(server.stdout + server.stderr).not.toContain('Cannot finish'); // nobody wants to know
  });
});

describe('a handler thread that waits until its time is up', () => {
  const one = shared(() => serve({ threads: 1, handlerTimeout: 1000, slowRequest: 100 }));

  it('is answered 503, named by its call, and not replaced', async () => {
    const server = one();
    const before = (await get(server, '/thread')).body;
    expect((await get(server, '/sleep/60000')).status).toBe(503);
    await server.prints(/GET "\/sleep\/60000" is slow: \d+ ms, and waits in store\.sleep\n/);
    await server.prints(/GET "\/sleep\/60000" has taken \d+ ms and waits in store\.sleep; the call is ended, answered 503\n/);
    expect(await events(server)).toBe('aborted: The call has ended: the time of its request is up');
    expect((await get(server, '/thread')).body).toBe(before);
  });

  it('releases the handles of its request', async () => {
    const server = one();
    expect((await get(server, '/begin?sleep')).status).toBe(503);
    const found: string[] = [];
    await untilTold(
      async () => {
        found.push(...((await get(server, '/events')).body as string[]));
        return found.length === 2 || undefined;
      },
      () => `two events, not ${found.join()}`,
    );
    expect(found.toSorted()).toEqual(['aborted: The call has ended: the time of its request is up', 'rolled back 1']);
  });

  it('is replaced when its handler goes on all the same, and what it held is released', async () => {
    const server = one();
    const before = (await get(server, '/thread')).body;
    expect((await get(server, '/stubborn')).status).toBe(503);
    await server.prints(/GET "\/stubborn" has taken \d+ ms and stands .*; its thread is replaced/);
    expect((await get(server, '/thread')).body).not.toBe(before);
  });
});

describe('a worker without threads that waits', () => {
  it('is named by its call in the log, and replaced at handlerTimeout', async () => {
    const server = await serve({ workers: 1, threads: 0, handlerTimeout: 1500, slowRequest: 200 });
    const before = ((await get(server, '/where')).body as { pid: number }).pid;
    await expect(get(server, '/sleep/60000')).rejects.toThrow();
    await server.prints(/GET "\/sleep\/60000" is slow: \d+ ms, and waits in store\.sleep\n/);
    await server.prints(/GET "\/sleep\/60000" has taken \d+ ms and waits in store\.sleep/);
    await untilTold(
      async () => (await ask(server, 'status')).workers.every(({ pid }) => pid !== before) || undefined,
      () => 'another worker',
    );
  });
});

describe('a single process without threads that waits', () => {
  it('does not hear that the client has left: only its timeout ends the call, and then the next client has its turn', async () => {
    const server = await serve({ workers: 0, threads: 0, handlerTimeout: 100 }, { TIMEOUT: '700' });
    const left = new AbortController();
    const gone = expect(get(server, '/sleep/60000', left.signal)).rejects.toThrow();
    await server.prints(/sleeps for 60000 ms/);
    left.abort();
    await gone;
    expect(await events(server)).toBe('aborted: The call has ended: it took longer than 700 ms');
    expect(server.stderr).not.toContain('aborted'); // nobody was told of the client
  });
});

describe('a server with calls under way', () => {
  it('shows them in its status, fails them when the I/O thread dies, and hangs none', async () => {
    const server = await serve({ threads: 4 });
    const calls = Array.from({ length: 3 }, () => get(server, '/sleep/60000'));
    await waiting(server, 3);
    expect((await get(server, '/die')).body).toMatchObject({ code: 'blocking-thread-died' });
    const answers = await Promise.all(calls);
    expect(answers.map(({ status, body }) => [status, (body as { code: string }).code])).toEqual(
      calls.map(() => [500, 'blocking-thread-died']),
    );
    expect((await get(server, '/sleep/1')).status).toBe(200);
  });
});

describe('the figures of a server', () => {
  it('keep the calls of a thread that was stopped, and say what threads do', async () => {
    const server = await serve({ workers: 0, threads: 2, handlerTimeout: 3000 });
    for (let i = 0; i < 10; i++) expect((await get(server, '/later')).status).toBe(200);
    await expect
      .poll(async () => (await ask(server, 'status')).workers[0]?.threadStates)
      .toEqual({ starting: 0, idle: 2, running: 0, waiting: 0 });
    const stubborn = get(server, '/stubborn');
    await waiting(server, 1);
    await expect
      .poll(async () => (await ask(server, 'status')).workers[0]?.threadStates)
      .toEqual({ starting: 0, idle: 1, running: 0, waiting: 1 });
    expect((await stubborn).status).toBe(503);
    await server.prints(/GET "\/stubborn" has taken \d+ ms and stands .*; its thread is replaced/);
    for (let i = 0; i < 5; i++) expect((await get(server, '/later')).status).toBe(200);
    const { calls } = await ask(server, 'status');
    expect(calls['store.add']).toMatchObject({ count: 15 });
    expect(calls['store.sleep']?.count).toBeGreaterThan(0);
  });
});
