/** What a server has done is counted over all its processes and threads, also those that are gone. */
import { describe, expect, it } from 'vitest';
import type { ServerOptions, ServerStatus } from '../../src/index.ts';
import { complaintsOfOthers, hasOthers, parseExposition } from '../support/exposition.ts';
import { untilTold } from '../support/until.ts';
import { type Cluster, startCluster } from './support.ts';

const modes: [string, ServerOptions][] = [
  ['workers', { workers: 2, metrics: true }],
  ['workers with threads', { workers: 2, threads: 2, metrics: true }],
];

/** Kinds of requests: how many of two hundred, and the row that they are counted in. */
const KINDS = [
  ['GET', '/users/7', 'GET /users/{id} 200', 80],
  ['HEAD', '/users/8', 'HEAD /users/{id} 200', 20],
  ['POST', '/users', 'POST /users 201', 40],
  ['GET', '/fails', 'GET /fails 500', 20],
  ['GET', '/nowhere', 'GET none 404', 40],
] as const;
const ROUND = KINDS.flatMap(([method, path, , count]) => Array.from({ length: count }, () => [method, path] as const));

/** Two hundred requests, twenty at a time, each on a connection of its own: all workers get some. */
async function ask200(cluster: Cluster): Promise<void> {
  const left = [...ROUND];
  const lane = async (): Promise<void> => {
    for (let next = left.pop(); next; next = left.pop()) {
      const [method, path] = next;
      await (await fetch(cluster.origin + path, { method, headers: { Connection: 'close' } })).text();
    }
  };
  await Promise.all(Array.from({ length: 20 }, lane));
}

function rowsOf({ answered }: ServerStatus): Record<string, number> {
  return Object.fromEntries(answered.map(({ method, route, status, count }) => [`${method} ${route} ${status}`, count]));
}

/** The rows after so many times two hundred requests. */
function rowsAfter(rounds: number): Record<string, number> {
  return Object.fromEntries(KINDS.map(([, , row, count]) => [row, count * rounds]));
}

async function oldOnesGone(cluster: Cluster, old: readonly number[]): Promise<ServerStatus> {
  return untilTold(
    async () => {
      const status = await cluster.ask('status');
      return status.workers.length === 2 && status.workers.every(({ pid }) => !old.includes(pid)) ? status : undefined;
    },
    () => 'the old workers to end',
  );
}

/** The status once it has these rows: a worker that does not answer in time, since the machine is busy, counts as it did when it last did. */
async function statusWith(cluster: Cluster, rows: Record<string, number>): Promise<ServerStatus> {
  await expect.poll(async () => rowsOf(await cluster.ask('status'))).toEqual(rows);
  return cluster.ask('status');
}

describe.each(modes)('the figures of %s', (_mode, options) => {
  it('are exact after two hundred requests, when a worker was killed, and after a reload', async () => {
    const cluster = await startCluster(options, { fixture: 'figures' });
    await ask200(cluster);
    const first = await statusWith(cluster, rowsAfter(1));
    expect(first).toMatchObject({ requests: 200, abandoned: 0, opened: { 'http/1.1': 200 } });
    expect(first.answered.map(({ durations }) => durations?.count)).toEqual(first.answered.map(({ count }) => count));
    const shares = first.workers.map(({ requests }) => requests);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBe(200);

    const [victim] = first.workers;
    process.kill(victim?.pid ?? 0, 'SIGKILL');
    const replaced = await oldOnesGone(cluster, [victim?.pid ?? 0]);
    await statusWith(cluster, rowsAfter(1));
    await ask200(cluster);
    await cluster.ask('reload');
    const reloaded = await oldOnesGone(
      cluster,
      replaced.workers.map(({ pid }) => pid),
    );
    expect(reloaded.generation).toBe(2);
    await statusWith(cluster, rowsAfter(2));
    await ask200(cluster);
    const last = await statusWith(cluster, rowsAfter(3));
    expect(last).toMatchObject({ requests: 600, restarts: 1, generation: 2 });
    expect(last.answered.map(({ durations }) => durations?.count)).toEqual(last.answered.map(({ count }) => count));
  });

  it('are a page that is valid in both formats whatever the server is doing', async () => {
    const cluster = await startCluster(options, { fixture: 'figures' });
    let pages = 0;
    const scrape = async (): Promise<void> => {
      for (const [accept, format] of [
        ['text/plain', 'prometheus'],
        ['application/openmetrics-text', 'openmetrics'],
      ] as const) {
        const response = await fetch(`${cluster.origin}/metrics`, { headers: { Accept: accept, Connection: 'close' } });
        const text = await response.text();
        expect(parseExposition(text, format).get(format === 'openmetrics' ? 'filrouge_requests' : 'filrouge_requests_total')).toBeDefined();
        if (pages++ < 2 && hasOthers) expect(complaintsOfOthers(text, format)).toBe('');
      }
    };
    await scrape();
    await Promise.all([ask200(cluster), scrape(), cluster.ask('reload').then(scrape), scrape()]);
    await scrape();
    const text = await (await fetch(`${cluster.origin}/metrics`, { headers: { Accept: 'text/plain' } })).text();
    const families = parseExposition(text, 'prometheus');
    const count = families
      .get('filrouge_request_duration_seconds')
      ?.samples.find(({ name, labels }) => name.endsWith('_count') && labels['route'] === '/users/{id}' && labels['method'] === 'GET');
    expect(count?.value).toBe(80);
    expect(families.get('filrouge_reloads_total')?.samples).toMatchObject([{ value: 1 }]);
  });
});

it('counts a request whose time is up in a handler thread under its route: stuck, waiting for a promise, or stuck behind one', async () => {
  const cluster = await startCluster({ workers: 0, threads: 3, handlerTimeout: 1000 }, { fixture: 'threads' });
  const paths = ['/loop', '/never', '/await-loop', '/nowhere'];
  const statuses = await Promise.all(paths.map(async (path) => (await fetch(cluster.origin + path)).status));
  expect(statuses).toEqual([503, 503, 503, 404]);
  const status = await statusWith(cluster, { 'GET /loop 503': 1, 'GET /never 503': 1, 'GET /await-loop 503': 1, 'GET none 404': 1 });
  expect(status.answered).toHaveLength(4);
});

it('counts what a worker has served that exits on its own, without having been asked before', async () => {
  const cluster = await startCluster({ workers: 1 }, { fixture: 'figures' });
  for (let i = 0; i < 30; i++) await (await fetch(`${cluster.origin}/users/1`)).text();
  await fetch(`${cluster.origin}/exit`).catch(() => {});
  await cluster.prints(/ended with code 3/);
  const status = await cluster.ask('status');
  expect(rowsOf(status)).toEqual({ 'GET /users/{id} 200': 30 });
  expect(status.requests).toBe(31);
});

it('counts what a worker has served once when it ends while another has not said yet what it has done', async () => {
  const cluster = await startCluster({ workers: 2 }, { fixture: 'figures' });
  let count = 0;
  const pids = new Set<number>();
  while (pids.size < 2 || count < 30) {
    const response = await fetch(`${cluster.origin}/users/1`, { headers: { Connection: 'close' } });
    pids.add(Number(await response.text()));
    count++;
  }
  await statusWith(cluster, { 'GET /users/{id} 200': count });
  const [silent, ending] = [...pids] as [number, number];
  process.kill(silent, 'SIGSTOP');
  const asked = cluster.ask('status');
  process.kill(ending, 'SIGKILL');
  const status = await asked;
  process.kill(silent, 'SIGCONT');
  expect(rowsOf(status)).toEqual({ 'GET /users/{id} 200': count });
  expect(status.requests).toBe(count);
});

it('counts what a worker has served until a second before it is killed, without having been asked before', async () => {
  const cluster = await startCluster({ workers: 1, metrics: true }, { fixture: 'figures' });
  for (let i = 0; i < 30; i++) await (await fetch(`${cluster.origin}/fails`)).text();
  let pid = 0;
  const end = performance.now() + 2000;
  await untilTold(
    async () => {
      pid = Number(await (await fetch(`${cluster.origin}/users/1`)).text());
      return performance.now() > end || undefined;
    },
    () => 'two seconds to pass',
  );
  process.kill(pid, 'SIGKILL');
  await cluster.prints(/ended with signal SIGKILL/);
  expect(rowsOf(await cluster.ask('status'))).toMatchObject({ 'GET /fails 500': 30, 'GET /users/{id} 200': expect.any(Number) as number });
});
