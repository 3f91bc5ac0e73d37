/**
 * Redis as it is run for real: one server, a pair watched by a Sentinel, a Cluster.
 *
 * @module
 */
import { freePort } from './program.ts';
import { RedisServer } from './redis.ts';
import type { RedisPlace } from './redis-clients.mjs';
import { until } from './until.ts';

/** Some servers that belong together. */
export interface Deployment {
  readonly place: RedisPlace;
  /** What holds data, the master first. */
  readonly servers: readonly RedisServer[];
  remove(): Promise<void>;
}

/** Starts each kind. */
export const DEPLOYMENTS: Readonly<Record<'single' | 'Sentinel' | 'Cluster', () => Promise<Deployment>>> = {
  single: startOne,
  Sentinel: startSentinel,
  Cluster: startCluster,
};

async function startOne(): Promise<Deployment> {
  const server = await new RedisServer().start();
  return { place: { path: server.path }, servers: [server], remove: () => server.remove() };
}

/** A master, a replica, and the Sentinel that makes a master of it when the first is gone. */
async function startSentinel(): Promise<Deployment> {
  const [masterPort, replicaPort, port] = [await freePort(), await freePort(), await freePort()];
  const master = await new RedisServer(masterPort, ['repl-diskless-sync-delay 0']).start();
  const replica = await new RedisServer(replicaPort, [`replicaof 127.0.0.1 ${masterPort}`]).start();
  await says(replica, 'master_link_status:up', 'INFO', 'replication');
  const rules = ['monitor main 127.0.0.1 ' + masterPort + ' 1', 'down-after-milliseconds main 500', 'failover-timeout main 2000'];
  const watcher = new RedisServer(
    port,
    rules.map((rule) => `sentinel ${rule}`),
    true,
  );
  await watcher.start();
  await says(watcher, `127.0.0.1:${replicaPort}`, 'SENTINEL', 'REPLICAS', 'main');
  const all = [watcher, replica, master];
  return { place: { sentinel: port }, servers: [master, replica], remove: () => removeAll(all) };
}

/** Three masters, which share the slots. */
async function startCluster(): Promise<Deployment> {
  const servers: RedisServer[] = [];
  const ports: [own: number, bus: number][] = [];
  for (let i = 0; i < 3; i++) {
    const [port, bus] = [await freePort(), await freePort()];
    ports.push([port, bus]);
    servers.push(await new RedisServer(port, ['cluster-enabled yes', `cluster-port ${bus}`, 'cluster-node-timeout 2000']).start());
  }
  for (const [i, server] of servers.entries()) {
    const [first, last] = [Math.ceil((16_384 / 3) * i), Math.ceil((16_384 / 3) * (i + 1)) - 1];
    await server.ask('CLUSTER', 'ADDSLOTSRANGE', String(first), String(last));
    for (const [port, bus] of ports) await servers[0]?.ask('CLUSTER', 'MEET', '127.0.0.1', String(port), String(bus));
  }
  for (const server of servers) await says(server, 'cluster_state:ok', 'CLUSTER', 'INFO');
  return { place: { cluster: ports.map(([port]) => port) }, servers, remove: () => removeAll(servers) };
}

async function says(server: RedisServer, text: string, ...words: readonly string[]): Promise<void> {
  await until(
    async () => (await server.ask(...words)).includes(text) || undefined,
    () => `${text} from ${words.join(' ')}`,
  );
}

async function removeAll(servers: readonly RedisServer[]): Promise<void> {
  await Promise.all(servers.map((server) => server.remove()));
}
