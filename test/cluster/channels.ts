/**
 * Servers with readers and publishers of channels in all their processes and threads.
 *
 * @module
 */
import { once } from 'node:events';
import type { ServerOptions } from '../../src/index.ts';
import { until } from '../support/until.ts';
import { type Cluster, startCluster } from './support.ts';

/** Such a server. */
export type ChannelCluster = Cluster;

/** What one reader says of itself. */
export interface Report {
  readonly me: string;
  readonly count: number;
  readonly isWhole: boolean;
  readonly digest: number;
  readonly dropped: number;
  readonly unsent: number;
}

/** Starts a server whose readers and publishers are those of fixtures/channels.mjs. */
export function startChannels(options: ServerOptions, env: Readonly<Record<string, string>> = {}): Promise<ChannelCluster> {
  return startCluster(options, { fixture: 'channels', env });
}

/** Has the primary do something. */
export async function tell<T = { readonly pids: readonly number[] }>(
  { child }: ChannelCluster,
  ask: 'reports' | 'order' | 'publish' | 'reload' | 'messages',
  count = 0,
  size = 0,
): Promise<T> {
  child.send({ ask, count, size });
  const [{ answer }] = (await once(child, 'message')) as [{ answer: T }];
  return answer;
}

/** The reports of all readers when the primary has heard so many messages: by then all have been passed on by it. */
export async function reports(cluster: ChannelCluster, readers: number, messages: number): Promise<readonly Report[]> {
  return until(
    async () => {
      const all = await tell<readonly Report[]>(cluster, 'reports', readers);
      return all.length < readers || all.some(({ count, dropped }) => count + dropped < messages) ? undefined : all;
    },
    () => `${messages} messages at each of ${readers} readers`,
    60_000,
  );
}
