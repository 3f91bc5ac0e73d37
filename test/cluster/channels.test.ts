/** Channels over real workers and threads. */
import { describe, expect, it } from 'vitest';
import type { ServerOptions } from '../../src/index.ts';
import { until, untilTold } from '../support/until.ts';
import { type ChannelCluster, type Report, reports, startChannels, tell } from './channels.ts';

const MiB = 1024 * 1024;

/** The events of a stream, as they come. */
async function listen(cluster: ChannelCluster): Promise<{ readonly texts: string[]; end(): void }> {
  const leaving = new AbortController();
  const response = await fetch(`${cluster.origin}/events`, { signal: leaving.signal });
  const texts: string[] = [];
  void (async () => {
    let rest = '';
    for await (const bytes of response.body as ReadableStream<Uint8Array>) {
      const parts = (rest + Buffer.from(bytes).toString()).split('\n\n');
      rest = parts.pop() ?? '';
      texts.push(...parts.filter((part) => part.startsWith('data: ')).map((part) => part.slice(6)));
    }
  })().catch(() => {}); // cut by us, or by the end of the worker
  return { texts, end: () => leaving.abort() };
}

describe('a channel over workers and threads', () => {
  it.each<[count: number, where: string, ServerOptions, readers: number]>([
    [20_000, '2 workers', { workers: 2 }, 3],
    [10_000, '4 workers', { workers: 4 }, 5],
    [20_000, '2 workers with 2 threads each', { workers: 2, threads: 2 }, 7],
    [10_000, '3 workers with 1 thread each', { workers: 3, threads: 1 }, 7],
    [10_000, 'one process with 3 threads', { workers: 0, threads: 3 }, 4],
  ])(
    "brings at least %d messages to all readers of %s, in one order, when all publish at once, and leaves Node's channel to the program",
    async (total, _, options, readers) => {
      const cluster = await startChannels(options);
      const each = Math.ceil(total / readers);
      await tell(cluster, 'order', each, 20);
      const all = await reports(cluster, readers, each * readers);
      for (const report of all) expect(report).toMatchObject({ count: each * readers, isWhole: true, dropped: 0, unsent: 0 });
      expect(new Set(all.map(({ me }) => me)).size).toBe(readers);
      expect(new Set(all.map(({ digest }) => digest)).size).toBe(1);
      expect(await tell(cluster, 'messages')).toEqual([]); // what the program would have heard of ours
    },
    90_000,
  );

  it('is heard over server-sent events by clients of all workers', async () => {
    const cluster = await startChannels({ workers: 2, threads: 1 });
    const clients = await Promise.all(Array.from({ length: 8 }, () => listen(cluster)));
    for (const text of ['one', 'two', 'three']) await fetch(`${cluster.origin}/texts`, { method: 'POST', body: text });
    await until(
      () => (clients.every(({ texts }) => texts.length === 3) ? true : undefined),
      () => `three events at each client: ${JSON.stringify(clients.map(({ texts }) => texts))}`,
    );
    for (const { texts, end } of clients) {
      expect(texts).toEqual(['one', 'two', 'three']);
      end();
    }
  });

  it('goes on when a worker is killed: its successor hears what comes from then on', async () => {
    const cluster = await startChannels({ workers: 2, log: 'text' });
    const { pids } = await tell(cluster, 'publish', 10, 0);
    await reports(cluster, 3, 10);
    process.kill(pids[0] as number, 'SIGKILL');
    await cluster.prints(/is ready, generation 1/);
    await tell(cluster, 'publish', 10, 0);
    const all = await reports(cluster, 3, 10);
    expect(all.map(({ count }) => count).toSorted((a, b) => a - b)).toEqual([10, 20, 20]);
  });

  it('goes on through a reload: the new generation hears what comes from then on', async () => {
    const cluster = await startChannels({ workers: 1, threads: 1 });
    await tell(cluster, 'publish', 10, 0);
    await reports(cluster, 3, 10);
    const before = await tell(cluster, 'publish', 0, 0);
    await tell(cluster, 'reload');
    await untilTold(
      async () => ((await tell(cluster, 'publish', 0, 0)).pids.some((pid) => before.pids.includes(pid)) ? undefined : true),
      () => 'the end of the old workers',
    );
    await tell(cluster, 'publish', 10, 0);
    const all = await reports(cluster, 3, 10);
    expect(all.map(({ count }) => count).toSorted((a, b) => a - b)).toEqual([10, 10, 20]);
  });

  it('loses messages for a worker that reads nothing, and for no other; the primary keeps 8 MiB for it, not more', async () => {
    const cluster = await startChannels({ workers: 2, log: 'text', handlerTimeout: 0 });
    const { pids } = await tell(cluster, 'publish', 1, 0);
    await reports(cluster, 3, 1);
    const stopped = pids[0] as number;
    process.kill(stopped, 'SIGSTOP');
    await tell(cluster, 'publish', 500, 100_000); // 50 MB
    const others = await reports(cluster, 2, 501);
    expect(others.map(({ count, isWhole }) => [count, isWhole])).toEqual([
      [501, true],
      [501, true],
    ]);
    process.kill(stopped, 'SIGCONT');
    const all = await reports(cluster, 3, 501);
    const late = all.find(({ me }) => me === `${stopped}.0`) as Report;
    expect(late.dropped).toBeGreaterThan(350);
    expect(late.count + late.dropped).toBe(501); // it is told how many it has missed
    expect(late.count * 100_000).toBeLessThan(10 * MiB);
  });

  it('holds up nobody for long when a handler thread never comes back', async () => {
    const cluster = await startChannels({ workers: 1, threads: 2, handlerTimeout: 0 });
    await reports(cluster, 4, 0);
    const leaving = new AbortController();
    fetch(`${cluster.origin}/stuck`, { signal: leaving.signal }).catch(() => {});
    await tell(cluster, 'publish', 400, 100_000);
    const others = await reports(cluster, 3, 400);
    for (const { me, count, isWhole } of others) expect([me, count, isWhole]).toEqual([me, 400, true]);
    leaving.abort();
  });
});
