/** Workers and threads that do not get to serve, as with a top-level await that hangs. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { childrenOf, isAlive } from '../support/program.ts';
import { until, untilTold } from '../support/until.ts';
import { type Cluster, startCluster } from './support.ts';

/** More than a start takes on a slow machine, ms. */
const startTimeout = 8000;

/** A gate that holds those who start while it is closed. */
function gate(): { path: string; close: () => void; open: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'closed');
  return { path, close: () => writeFileSync(path, ''), open: () => rmSync(path) };
}

async function pid(cluster: Cluster): Promise<number> {
  return Number(await (await fetch(`${cluster.origin}/pid`, { headers: { Connection: 'close' } })).text());
}

it('a reload whose workers hang rejects, the old ones serve on, and the next reload works', async () => {
  const held = gate();
  const cluster = await startCluster({ workers: 2, startTimeout }, { fixture: 'starting', env: { GATE: held.path } });
  const before = childrenOf(cluster.pid);
  held.close();
  await expect(cluster.ask('reload')).rejects.toThrow('a worker has not listened within 8 s (startTimeout)');
  expect(before).toContain(await pid(cluster));
  expect(new Set(childrenOf(cluster.pid).filter(isAlive))).toEqual(new Set(before));
  held.open();
  await cluster.ask('reload');
  expect((await cluster.ask('status')).generation).toBe(3);
});

it('a server whose first workers hang does not start, and leaves none behind', async () => {
  const held = gate();
  held.close();
  const options = { workers: 2, startTimeout: 1000 };
  const cluster = await startCluster(options, { fixture: 'starting', env: { GATE: held.path }, isExpectedToFail: true });
  await until(
    () => childrenOf(cluster.pid).length === 2 || undefined,
    () => 'the workers to be there',
  );
  const workers = childrenOf(cluster.pid);
  expect(await cluster.ended).toBe(1);
  expect(cluster.stderr).toContain('a worker has not listened within 1 s (startTimeout)');
  expect(workers.filter(isAlive)).toEqual([]);
});

it('when all workers have died and their successors hang, others are started until one listens', async () => {
  const held = gate();
  const cluster = await startCluster({ workers: 2, startTimeout }, { fixture: 'starting', env: { GATE: held.path } });
  held.close();
  for (const worker of childrenOf(cluster.pid)) process.kill(worker, 'SIGKILL');
  await cluster.prints(/worker \d+ could not start: .*startTimeout/);
  held.open();
  const serving = await until(
    () => pid(cluster).catch(() => undefined),
    () => 'a worker that serves',
  );
  expect(childrenOf(cluster.pid)).toContain(serving);
});

it('a handler thread that hangs before it is ready is replaced', async () => {
  const held = gate();
  const options = { workers: 0, threads: 2, handlerTimeout: 300, startTimeout };
  const cluster = await startCluster(options, { fixture: 'starting', env: { GATE: held.path, GATED: 'threads' } });
  held.close();
  expect((await fetch(`${cluster.origin}/loop`)).status).toBe(503);
  await cluster.prints(/a handler thread is replaced: its script has not called startServer within 8 s \(startTimeout\)/);
  held.open();
  await untilTold(
    async () => (await cluster.ask('status')).workers[0]?.threads === 2 || undefined,
    () => 'both threads to be ready',
  );
  expect((await fetch(`${cluster.origin}/pid`)).status).toBe(200);
});

it('a worker whose first handler threads hang says so', async () => {
  const held = gate();
  held.close();
  const options = { workers: 1, threads: 1, startTimeout };
  const env = { GATE: held.path, GATED: 'threads' };
  const cluster = await startCluster(options, { fixture: 'starting', env, isExpectedToFail: true });
  expect(await cluster.ended).toBe(1);
  expect(cluster.stderr).toContain('a handler thread could not start: its script has not called startServer within 8 s (startTimeout)');
});
