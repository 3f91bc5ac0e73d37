/** SIGHUP, which an operator sends for a reload, and a terminal to all its processes when it is closed: no request is lost by it. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { childrenOf, isAlive, Program } from '../support/program.ts';
import { parseAnswers, type Talk, talk } from '../support/serve.ts';
import { until } from '../support/until.ts';
import { type Cluster, startCluster } from './support.ts';

async function client(cluster: Cluster): Promise<Talk> {
  return talk(Number(new URL(cluster.origin).port));
}

/** A request that its worker has begun with: the one behind it on the wire waits for its answer. */
async function slowRequest(cluster: Cluster, ms: number): Promise<Talk> {
  const one = await client(cluster);
  one.send('GET /pid HTTP/1.1\r\nHost: a\r\n\r\n');
  await one.answers(1);
  one.send(`GET /slow/${ms} HTTP/1.1\r\nHost: a\r\n\r\n`);
  await until(
    async () => {
      const { workers } = await cluster.ask('status');
      return workers.some(({ inFlight }) => inFlight > 0) || undefined;
    },
    () => 'the request to be in flight',
  );
  return one;
}

function gate(): string {
  const folder = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'closed');
  writeFileSync(path, '');
  return path;
}

it.each([[{ workers: 2 }], [{ workers: 0 }]])('during a drain it changes nothing: %j', async (options) => {
  const cluster = await startCluster(options, { fixture: 'starting' });
  const slow = await slowRequest(cluster, 1000);
  cluster.child.kill('SIGTERM');
  await until(
    () => cluster.isRefusing(),
    () => 'the drain to begin',
  );
  for (const pid of [cluster.pid, ...childrenOf(cluster.pid)]) if (isAlive(pid)) process.kill(pid, 'SIGHUP'); // one that had nothing to do may have ended
  expect(parseAnswers(await slow.closed())[1]?.body).toBe('slow');
  slow.end();
  expect(await cluster.ended).toBe(0);
});

it('to all processes at once it reloads, and what is in flight is answered', async () => {
  const cluster = await startCluster({ workers: 2 }, { fixture: 'starting' });
  const slow = await slowRequest(cluster, 1000);
  const before = childrenOf(cluster.pid);
  for (const pid of [cluster.pid, ...before]) process.kill(pid, 'SIGHUP');
  await cluster.prints(/reloaded: generation 2 serves/);
  expect((await slow.answers(2))[1]?.body).toBe('slow');
  slow.end();
  await until(
    () => before.every((pid) => !isAlive(pid)) || undefined,
    () => 'the old workers to end',
  );
});

it('while the first workers start it changes nothing', async () => {
  const path = gate();
  const starting = startCluster({ workers: 2 }, { fixture: 'starting', env: { GATE: path }, isExpectedToFail: true });
  const cluster = await starting;
  await until(
    () => childrenOf(cluster.pid).length === 2 || undefined,
    () => 'the workers to be there',
  );
  cluster.child.kill('SIGHUP');
  rmSync(path);
  const [, origin] = await cluster.prints(/listening on (http\S+)/);
  expect((await fetch(`${origin}/pid`)).status).toBe(200);
});

it('without workers it drains: there is nothing to reload', async () => {
  const cluster = await startCluster({ workers: 0 }, { fixture: 'starting' });
  const slow = await slowRequest(cluster, 1000);
  cluster.child.kill('SIGHUP');
  expect(parseAnswers(await slow.closed())[1]?.body).toBe('slow');
  slow.end();
  expect(await cluster.ended).toBe(0);
});

it('a SIGTERM in the middle of the reload ends all workers, the new ones as well', async () => {
  const cluster = await startCluster({ workers: 3 }, { fixture: 'starting' });
  cluster.child.kill('SIGHUP');
  await cluster.prints(/is ready, generation 2/);
  cluster.child.kill('SIGTERM');
  expect(await cluster.ended).toBe(0);
  expect(cluster.stderr).not.toContain('reloaded');
});

const PYTHON = '/usr/bin/python3';
const hasPython = existsSync(PYTHON) || process.env['CI'] !== undefined;
if (!hasPython) console.warn(`SKIPPED: the test with a terminal needs ${PYTHON} (Debian: apt-get install python3)`);

/** Starts a program in a terminal, and shows what it prints there. The terminal is closed when this one ends. */
const IN_TERMINAL = `
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0: os.execvp(sys.argv[1], sys.argv[1:])
print('process', pid, flush=True)
while True: os.write(1, os.read(terminal, 1000))
`;

it.skipIf(!hasPython).each([2, 0])('from a terminal that is closed ends the server, with %i workers', async (workers) => {
  const env = { OPTIONS: JSON.stringify({ workers }) };
  const terminal = new Program(PYTHON, ['-c', IN_TERMINAL, process.execPath, 'test/cluster/fixtures/starting.mjs'], env);
  const pid = Number((await terminal.prints(/process (\d+)/))[1]);
  const [, origin = ''] = await terminal.prints(/listening on (http\S+?)\s/);
  expect((await fetch(`${origin}/pid`)).status).toBe(200);
  const all = [pid, ...childrenOf(pid)];
  process.kill(terminal.pid, 'SIGKILL');
  await until(
    () => all.every((one) => !isAlive(one)) || undefined,
    () => `processes that end: ${all.filter(isAlive).join(' ')}`,
  );
});
