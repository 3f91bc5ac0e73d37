/**
 * The clients of the packages `redis` and `ioredis`, single, Sentinel and Cluster, told apart.
 *
 * @module
 */

/** Whether it is a client of `ioredis`, in any form, or else of `redis`. */
export function isIoRedis(client: object): boolean {
  return 'defineCommand' in client;
}

/** Whether it is a Cluster's: of ioredis, it says so itself; of redis, it has slots. */
export function isCluster(client: object): boolean {
  return (client as { readonly isCluster?: unknown }).isCluster === true || (!isIoRedis(client) && 'slots' in client);
}

/** Whether a client says that it is connected. One that says nothing may be. */
export function isReady(client: object): boolean {
  const { isReady: says, status } = client as { readonly isReady?: unknown; readonly status?: unknown };
  return typeof status === 'string' ? status === 'ready' : says !== false;
}
