/**
 * The four Redis commands that we need, on either client.
 *
 * @module
 */
import { badOption } from '../../http/errors/bad-option.ts';
import { isIoRedis } from '../redis-clients/kinds.ts';
import { gateOf } from './gate.ts';

/** What the clients of `redis` and `ioredis` have in common, as far as it matters here. */
export interface RedisClient {
  get(...args: never[]): Promise<unknown>;
  set(...args: never[]): Promise<unknown>;
  del(...args: never[]): Promise<unknown>;
  eval(...args: never[]): Promise<unknown>;
}

/** The commands, whichever client sends them. */
export interface RedisCommands {
  get(key: string): Promise<unknown>;
  set(key: string, value: string, seconds: number): Promise<unknown>;
  del(key: string): Promise<unknown>;
  eval(script: string, key: string, args: readonly string[]): Promise<unknown>;
}

/** A client of the package `redis`: options come as an object. */
interface NodeRedis {
  get(key: string): Promise<unknown>;
  set(key: string, value: string, options: { EX: number }): Promise<unknown>;
  del(key: string): Promise<unknown>;
  eval(script: string, options: { keys: readonly string[]; arguments: readonly string[] }): Promise<unknown>;
}

/** A client of the package `ioredis`: options are written as in Redis. */
interface IoRedis {
  get(key: string): Promise<unknown>;
  set(key: string, value: string, mode: 'EX', seconds: number): Promise<unknown>;
  del(key: string): Promise<unknown>;
  eval(script: string, keys: number, ...keysAndArguments: readonly string[]): Promise<unknown>;
}

/** How long commands may take, and how many may be under way: see `gate.ts`. */
export interface Bounds {
  readonly timeout: number;
  readonly maxPending: number;
}

/** The commands of a client, within bounds. */
export function commandsOf(client: RedisClient, { timeout, maxPending }: Bounds): RedisCommands {
  if (!hasCommands(client)) {
    throw badOption('Cannot create Redis store', 'this is not a client of the packages redis or ioredis');
  }
  const commands = isIoRedis(client) ? ioRedisCommands(client) : nodeRedisCommands(client);
  const gate = gateOf(client);
  const within = (command: () => Promise<unknown>): Promise<unknown> => gate.send(command, timeout, maxPending);
  return {
    get: (key) => within(() => commands.get(key)),
    set: (key, value, seconds) => within(() => commands.set(key, value, seconds)),
    del: (key) => within(() => commands.del(key)),
    eval: (script, key, args) => within(() => commands.eval(script, key, args)),
  };
}

function hasCommands(client: unknown): client is object {
  const names = ['get', 'set', 'del', 'eval'] as const;
  return (
    typeof client === 'object' && client !== null && names.every((name) => typeof (client as Record<string, unknown>)[name] === 'function')
  );
}

function nodeRedisCommands(client: NodeRedis): RedisCommands {
  return {
    get: (key) => client.get(key),
    set: (key, value, seconds) => client.set(key, value, { EX: seconds }),
    del: (key) => client.del(key),
    eval: (script, key, args) => client.eval(script, { keys: [key], arguments: args }),
  };
}

function ioRedisCommands(client: IoRedis): RedisCommands {
  return {
    get: (key) => client.get(key),
    set: (key, value, seconds) => client.set(key, value, 'EX', seconds),
    del: (key) => client.del(key),
    eval: (script, key, args) => client.eval(script, 1, key, ...args),
  };
}
