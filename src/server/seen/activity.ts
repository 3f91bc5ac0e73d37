/**
 * What the threads of this process are doing, as `ServerActivity` tells it.
 *
 * @module
 */
import { type LocalActivity, oldestOf, type ThreadActivity } from '../../process/watching/server-activity.ts';
import type { Service } from '../service.ts';
import { recentMarks } from './marks.ts';

/** Handler threads that can be asked what they do. */
export interface SeenThreads {
  activity(): Promise<readonly ThreadActivity[]>;
  stackOf(thread: number): Promise<readonly string[] | undefined>;
}

/** What the threads of this process are doing. */
export async function lookAt(service: Service, threads: SeenThreads | undefined): Promise<LocalActivity> {
  const seen = threads ? await threads.activity() : [mainThread(service)];
  const { traffic } = service;
  return { threads: seen, slowest: traffic.slowest.list(), latency: traffic.look(), marks: recentMarks() };
}

/** The main thread, which is in no handler at this moment: it is we who run. */
function mainThread({ connections }: Service): ThreadActivity {
  const now = performance.now();
  const open = Array.from(connections, ({ exchanges }) => exchanges.open).flat();
  const requests = open.map(({ head: { method }, target: { path }, request }) => {
    return { method, path, ms: Math.round(now - (request?.readAt ?? now)) };
  });
  return { thread: 0, state: open.length > 0 ? 'awaiting' : 'idle', open: open.length, requests: oldestOf(requests) };
}
