/** How soon a client hears that its handler does not return. It looks at the clock: alone, and once more when the machine was busy. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { ServerOptions } from '../../src/index.ts';
import { type Cluster, startCluster } from './support.ts';

/** What a handler may take, and the longest that its client may wait for the 503, ms. */
const handlerTimeout = 500;
const LATEST = 600;

function start(options: ServerOptions, env: Readonly<Record<string, string>> = {}): Promise<Cluster> {
  return startCluster({ workers: 0, threads: 2, handlerTimeout, ...options }, { fixture: 'threads', env });
}

async function get(cluster: Cluster, path: string): Promise<{ status: number; ms: number }> {
  const began = performance.now();
  const { status } = await fetch(cluster.origin + path);
  return { status, ms: performance.now() - began };
}

it('at handlerTimeout, whatever the handler is in', { retry: 2 }, async () => {
  const cluster = await start({});
  await get(cluster, '/ping');
  for (const path of ['/loop', '/regex', '/wait', '/json', '/never']) {
    const { status, ms } = await get(cluster, path);
    expect([path, status]).toEqual([path, 503]);
    expect(ms, path).toBeLessThan(LATEST);
  }
});

it('at handlerTimeout when all threads are blocked behind an await, and the next request is not long in coming', { retry: 2 }, async () => {
  const cluster = await start({});
  await get(cluster, '/ping');
  for (const { status, ms } of await Promise.all([get(cluster, '/await-loop'), get(cluster, '/await-loop')])) {
    expect(status).toBe(503);
    expect(ms).toBeLessThan(LATEST);
  }
  expect((await get(cluster, '/ping')).ms).toBeLessThan(800); // two threads are on their way
});

it('at handlerTimeout when nothing can stop it: a program, a FIFO', { retry: 2 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  execFileSync('mkfifo', [join(folder, 'fifo')]);
  const cluster = await start({ workers: 1, shutdownTimeout: 500 }, { FIFO: join(folder, 'fifo') });
  await get(cluster, '/ping');
  for (const { status, ms } of await Promise.all([get(cluster, '/exec'), get(cluster, '/fifo')])) {
    expect(status).toBe(503);
    expect(ms).toBeLessThan(LATEST);
  }
});
