/**
 * Clients of a Redis for tests and for the programs that they start.
 *
 * @module
 */

/**
 * Connects a client.
 *
 * @param {'redis' | 'ioredis'} name The package.
 * @param {{ path?: string, sentinel?: number, cluster?: number[] }} where The socket of a server, the port of a Sentinel of `main`, or ports of a Cluster.
 */
export async function connectRedis(name, where) {
  const client = name === 'redis' ? await nodeRedis(where) : await ioRedis(where);
  client.on('error', () => {}); // each test says what it expects
  if (name === 'redis') await client.connect();
  return client;
}

/** Ends a client, whatever its package. */
export function endRedis(client) {
  if ('disconnect' in client && 'defineCommand' in client) client.disconnect();
  else Promise.resolve(client.destroy()).catch(() => {});
}

async function nodeRedis({ path, sentinel, cluster }) {
  const { createClient, createCluster, createSentinel } = await import('redis');
  if (sentinel) return createSentinel({ name: 'main', sentinelRootNodes: [{ host: '127.0.0.1', port: sentinel }], scanInterval: 200 });
  if (cluster) return createCluster({ rootNodes: cluster.map((port) => ({ socket: { host: '127.0.0.1', port } })) });
  return createClient({ socket: { path, tls: false } });
}

async function ioRedis({ path, sentinel, cluster }) {
  const { Cluster, Redis } = await import('ioredis');
  if (sentinel) return new Redis({ name: 'main', sentinels: [{ host: '127.0.0.1', port: sentinel }] });
  if (cluster) return new Cluster(cluster.map((port) => ({ host: '127.0.0.1', port })));
  return new Redis(path);
}
