/** What an operator sees of a server, and what balancers are told. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ServerOptions, ServerStatus } from '../../src/index.ts';
import { shared } from '../support/program.ts';
import { until, untilTold } from '../support/until.ts';
import { type Cluster, startCluster } from './support.ts';

const modes: [string, ServerOptions][] = [
  ['workers', { workers: 2 }],
  ['workers with threads', { workers: 2, threads: 2 }],
];

/** A connection of its own that answers when it is asked. */
async function kept(cluster: Cluster): Promise<{ socket: Socket; get: (path: string) => Promise<string> }> {
  const socket = connect(Number(new URL(cluster.origin).port), '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  const get = async (path: string): Promise<string> => {
    socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    return answer.toString();
  };
  return { socket, get };
}

describe.each(modes)('a server of %s', (_mode, options) => {
  const server = shared(() => startCluster(options, { env: { PAGE: 'my page:' } }));

  it('tells its status to a handler, as JSON and for Prometheus', async () => {
    const cluster = server();
    for (let i = 0; i < 10; i++) await (await fetch(`${cluster.origin}/pid`, { headers: { Connection: 'close' } })).text();
    const json = await fetch(`${cluster.origin}/metrics`);
    const status = (await json.json()) as ServerStatus;
    expect(status).toMatchObject({ generation: 1, restarts: 0, requests: 11 });
    expect(status.workers.map(({ threads }) => threads)).toEqual([options.threads ?? 0, options.threads ?? 0]);
    expect([json.headers.get('vary'), json.headers.get('cache-control')]).toEqual(['Accept', 'no-store']);

    const accept = 'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1'; // what Prometheus sends
    const text = await fetch(`${cluster.origin}/metrics`, { headers: { Accept: accept } });
    expect(text.headers.get('content-type')).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    const lines = (await text.text()).split('\n');
    expect(lines).toContain('filrouge_requests_total 12');
    expect(lines).toContain('# TYPE filrouge_requests counter');
    for (const { pid } of status.workers) {
      expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^filrouge_worker_memory_bytes\\{pid="${pid}"\\} \\d+$`)));
    }
  });

  it('counts what all workers refuse, also those that are gone, and sends the page of onRefused; a connection at rest has two seconds', async () => {
    const cluster = server();
    const refused = async (): Promise<string> => {
      const socket = connect(Number(new URL(cluster.origin).port), '127.0.0.1', () => socket.write('GET /a HTTP/1.1\r\n\r\n'));
      const [answer] = (await once(socket, 'data')) as [Buffer];
      socket.destroy();
      return answer.toString();
    };
    for (let i = 0; i < 10; i++) expect(await refused()).toMatch(/^HTTP\/1\.1 400 [\s\S]*\r\n\r\nmy page: 400 \/a main thread$/);
    await expect.poll(() => cluster.ask('status')).toMatchObject({ refused: { 400: 10 } });
    const { workers } = await cluster.ask('status');
    expect(workers.reduce((total, worker) => total + (worker.refused['400'] ?? 0), 0)).toBe(10);
    await expect
      .poll(() => cluster.stderr.match(/refused GET "\/a" from 127\.0\.0\.1 with 400 bad-host: .*\n/g)?.length)
      .toBe(workers.filter((worker) => (worker.refused['400'] ?? 0) > 0).length); // one line a worker within ten seconds
    const { socket, get } = await kept(cluster);
    await get('/pid');
    const closed = once(socket.resume(), 'close');
    const began = performance.now();
    await cluster.ask('reload');
    await closed;
    expect(performance.now() - began).toBeGreaterThan(2000); // a slow machine only makes it longer
    await untilTold(
      async () => ((await cluster.ask('status')).workers.length === 2 ? true : undefined),
      () => 'the old workers to end',
    );
    expect(await refused()).toContain('my page');
    await expect.poll(() => cluster.ask('status')).toMatchObject({ generation: 2, refused: { 400: 11 } });
    const text = await fetch(`${cluster.origin}/metrics`, { headers: { Accept: 'text/plain;version=0.0.4' } });
    expect((await text.text()).split('\n')).toContain('filrouge_refused_total{kind="400"} 11');
  });
});

it.each(modes)('says 503 to a readiness probe while it goes on for shutdownDelay, then drains: %s', async (_mode, options) => {
  const cluster = await startCluster({ ...options, workers: 1, shutdownDelay: 2500 });
  expect((await fetch(`${cluster.origin}/ready`)).status).toBe(200);
  cluster.child.kill('SIGTERM');
  await untilTold(
    async () => ((await fetch(`${cluster.origin}/ready`)).status === 503 ? true : undefined),
    () => 'the readiness probe to say 503',
  );
  const late = await fetch(`${cluster.origin}/pid`, { headers: { Connection: 'close' } }); // a new connection is still served
  expect(late.status).toBe(200);
  expect(await cluster.ended).toBe(0);
});

it('says it without a delay to connections that are there already', async () => {
  const cluster = await startCluster({ workers: 1 });
  const { get } = await kept(cluster);
  expect(await get('/ready')).toMatch(/^HTTP\/1\.1 200 /);
  cluster.child.kill('SIGTERM');
  await cluster.prints(/draining/);
  await until(
    () => cluster.isRefusing(),
    () => 'the listening socket to be closed',
  );
  expect(await get('/ready')).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n[\s\S]*Connection: close\r\n/);
  expect(await cluster.ended).toBe(0);
});

it('writes one line for each event as JSON when it is told to', async () => {
  const cluster = await startCluster({ workers: 1, log: 'json', handlerTimeout: 300 });
  const [worker] = (await cluster.ask('status')).workers;
  void fetch(`${cluster.origin}/loop`).catch(() => {});
  await cluster.prints(/"event":"stuck"/);
  await untilTold(
    async () => ((await cluster.ask('status')).workers.some(({ pid }) => pid !== worker?.pid) ? true : undefined),
    () => 'a successor',
  );
  await cluster.ask('reload');
  await cluster.ask('close');
  await cluster.prints(/"event":"drained".*\n/);
  const lines = cluster.stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const events = lines.map(({ event }) => event);
  expect(new Set(events)).toEqual(new Set(['ready', 'started', 'stuck', 'reloaded', 'draining', 'drained']));
  expect(events.filter((event) => event === 'ready')).toHaveLength(3);
  expect(lines.find(({ event }) => event === 'started')).toMatchObject({ source: 'filrouge', url: cluster.origin, workers: 1 });
  expect(lines.find(({ event }) => event === 'stuck')).toMatchObject({
    worker: worker?.pid,
    message: expect.stringContaining('GET "/loop"') as string,
  });
  for (const { time } of lines) expect(new Date(String(time)).getTime()).not.toBeNaN();
});

it('says in one line that all workers listen, and then who comes after them, and counts on when they are replaced', async () => {
  const cluster = await startCluster({ workers: 2 });
  const line = `serving on ${cluster.origin} with 2 workers, each with a memory of its own (docs/server.md, "A memory of its own")`;
  await cluster.prints(/serving on .*\n/);
  expect(cluster.stderr).toBe(`filrouge: ${line}\n`);
  for (let i = 0; i < 10; i++) await (await fetch(`${cluster.origin}/pid`, { headers: { Connection: 'close' } })).text();
  await cluster.ask('reload');
  await cluster.prints(/reloaded/);
  expect(cluster.stderr.match(/worker \d+ is ready, generation 2/g)).toHaveLength(2);
  await untilTold(
    async () => ((await cluster.ask('status')).workers.length === 2 ? true : undefined),
    () => 'the old workers to end',
  );
  await expect.poll(() => cluster.ask('status')).toMatchObject({ generation: 2, requests: 10 });
});

it('writes nothing when it is told to', async () => {
  const cluster = await startCluster({ workers: 1, log: 'off' });
  await cluster.ask('reload');
  await cluster.ask('close');
  expect(cluster.stderr).toBe('');
});

// Once more when the machine was so busy that this process heard them all at once.
it.each(modes)('says goodbye to upgraded connections one after the other: %s', { retry: 2 }, async (_mode, options) => {
  const cluster = await startCluster({ ...options, workers: 1, shutdownTimeout: 20_000 });
  const sockets: Socket[] = [];
  for (let i = 0; i < 30; i++) {
    const { socket } = await kept(cluster);
    socket.write('GET /open HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: tell\r\n\r\n');
    await once(socket, 'data');
    sockets.push(socket);
  }
  const told: number[] = [];
  const all = sockets.map(async (socket) => {
    const [bye] = (await once(socket, 'data')) as [Buffer];
    told.push(performance.now());
    return bye.toString();
  });
  cluster.child.kill('SIGTERM');
  expect(new Set(await Promise.all(all))).toEqual(new Set(['bye']));
  expect((told.at(-1) as number) - (told[0] as number)).toBeGreaterThan(200); // 29 pauses of 10 ms, some of them late
  for (const socket of sockets) socket.end();
  expect(await cluster.ended).toBe(0);
});
