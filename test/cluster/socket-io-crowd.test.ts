/** The mix of test/trials/socket-io.mjs in short: nobody fails, neither on a quiet server nor when a worker dies, nor over a reload. */
import { expect, it } from 'vitest';
import { childrenOf } from '../support/program.ts';
import { crowd } from '../trials/crowd.mjs';
import { startCluster } from './support.ts';

it('a crowd of Socket.IO users of all transports loses nobody when a worker is killed, and over a reload', {
  timeout: 120_000,
}, async () => {
  const cluster = await startCluster({ workers: 2 }, { fixture: 'socket-io' });
  const how = { port: Number(new URL(cluster.origin).port), users: 30, seconds: 3, standing: 6 };
  const quiet = await crowd(how);
  expect(quiet).toMatchObject({ failures: [], completed: 30, repeated: 0, comebacks: 0, standing: 6 });
  const killed = crowd(how);
  const [worker = 0] = childrenOf(cluster.pid);
  process.kill(worker, 'SIGKILL');
  expect(await killed).toMatchObject({ failures: [], completed: 30, standing: 6 });
  const reloaded = crowd(how);
  await cluster.ask('reload');
  expect(await reloaded).toMatchObject({ failures: [], completed: 30, standing: 6 });
});
