/** Handler threads that are not needed any more. It takes its time, most of which is waiting: a file of its own, so that others need not wait with it. */
import { expect, it } from 'vitest';
import { until } from '../support/until.ts';
import { startCluster } from './support.ts';

it('a pool of threads ends those it does not need, and then the process, when their memory has not come back', async () => {
  const cluster = await startCluster({ workers: 1, threads: { min: 1, max: 24 }, handlerTimeout: 0 }, { fixture: 'threads' });
  const [before] = (await cluster.ask('status')).workers;
  await Promise.all(Array.from({ length: 24 }, () => fetch(`${cluster.origin}/block/4000`)));
  expect((await cluster.ask('status')).workers[0]?.threads).toBeGreaterThan(12);
  await cluster.prints(/worker \d+ recycled after \d+ requests, \d+ MiB of memory/);
  expect(await (await fetch(`${cluster.origin}/ping`)).text()).toBe('pong');
  const after = await until(
    async () => (await cluster.ask('status')).workers.find(({ pid }) => pid !== before?.pid),
    () => 'another process',
  );
  expect(after.threads).toBe(1);
  expect(after.rss).toBeLessThan(1.2 * (before?.rss ?? 0));
});
