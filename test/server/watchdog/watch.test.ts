/** The thread that watches the main thread, from its start to its end. */
import type { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Response } from '../../../src/index.ts';
import { logAs } from '../../../src/server/operator-log.ts';
import { resolveOptions } from '../../../src/server/options.ts';
import { Service } from '../../../src/server/service.ts';
import { watchMainThread } from '../../../src/server/watchdog/watch.ts';
import { serve } from '../../support/serve.ts';
import { until } from '../../support/until.ts';

afterEach(() => vi.restoreAllMocks());

/** Collects the threads that this process starts from now on. */
function threads(): Worker[] {
  const found: Worker[] = [];
  const take = (worker: Worker): void => void found.push(worker);
  process.on('worker', take);
  onTestFinished(() => void process.off('worker', take));
  return found;
}

/** Watches this process for a server that does nothing. */
async function startWatch(): Promise<Worker> {
  const started = threads();
  const service = new Service(() => Response.text('hello'), resolveOptions({ workers: 0, handlerTimeout: 60_000 }));
  const watch = watchMainThread(service, false);
  onTestFinished(() => {
    watch.stop();
    service.clock.stop();
  });
  return until(
    () => started[0],
    () => 'a thread',
  );
}

describe('the thread that watches a process', () => {
  it('starts from its text alone: no file has to lie anywhere', async () => {
    const started = await startWatch();
    await new Promise((resolve) => started.once('online', resolve));
    expect(started.threadId).toBeGreaterThan(0);
  });

  it('ends with its server: from then on the clock stands still, and it would call that stuck', async () => {
    const started = threads();
    const { server } = await serve(() => Response.text('hello'), { handlerTimeout: 1000, threads: 0 });
    const ended = new Promise((resolve) => started[0]?.once('exit', resolve));
    await server.close();
    await ended;
  });

  it('is missed in the log, once, when it cannot run', async () => {
    logAs('text');
    const lines = vi.spyOn(console, 'error').mockImplementation(() => {});
    const started = await startWatch();
    started.emit('error', new Error('Threads are sold out'));
    expect(lines.mock.calls).toEqual([
      ['filrouge: nothing watches this process, handlerTimeout and slowRequest do nothing: Threads are sold out'],
    ]);
  });
});
