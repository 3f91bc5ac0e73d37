/** Threads that are held by a call into the system, which nothing can stop: their process ends all the same. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { ServerOptions } from '../../src/index.ts';
import { childrenOf, isAlive } from '../support/program.ts';
import { until } from '../support/until.ts';
import { type Cluster, interruptAgain, startCluster } from './support.ts';

/** A server with a thread that opens a FIFO for reading, which nobody opens for writing. */
async function held(options: ServerOptions): Promise<Cluster> {
  const folder = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const FIFO = join(folder, 'fifo');
  execFileSync('mkfifo', [FIFO]);
  const cluster = await startCluster({ threads: 2, handlerTimeout: 0, ...options }, { fixture: 'threads', env: { FIFO } });
  const { port } = new URL(cluster.origin);
  const socket = connect(Number(port), '127.0.0.1', () => socket.write('GET /fifo HTTP/1.1\r\nHost: a\r\n\r\n'));
  socket.on('error', () => {}); // it may be reset
  onTestFinished(() => void socket.destroy());
  await until(
    async () => (await cluster.ask('status')).workers.some(({ inFlight }) => inFlight === 1) || undefined,
    () => 'the request to be in flight',
  );
  return cluster;
}

it('one process ends after shutdownTimeout, by the signal it was sent', async () => {
  const cluster = await held({ workers: 0, shutdownTimeout: 300 });
  cluster.child.kill('SIGTERM');
  expect(await cluster.ended).toBe('SIGTERM');
});

it('one process ends at once at a second signal', async () => {
  const cluster = await held({ workers: 0 });
  cluster.child.kill('SIGINT');
  await until(
    () => cluster.isRefusing(),
    () => 'the drain to begin',
  );
  await interruptAgain(cluster);
  expect(await cluster.ended).toBe('SIGTERM');
});

it('a worker ends after shutdownTimeout, and so does its primary', async () => {
  const cluster = await held({ workers: 1, shutdownTimeout: 300 });
  cluster.child.kill('SIGTERM');
  expect(await cluster.ended).toBe(0);
});

it('a worker whose primary is gone ends as well', async () => {
  const cluster = await held({ workers: 1, shutdownTimeout: 300 });
  const [worker] = childrenOf(cluster.pid);
  cluster.child.kill('SIGKILL');
  await until(
    () => !isAlive(worker ?? 0) || undefined,
    () => 'the worker to end',
  );
});
