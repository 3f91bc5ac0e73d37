/** Three hosts with two workers each, Redis on a fourth, HAProxy before them, and the clients on a machine of their own. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { childrenOf, Server, until } from '../server.mjs';
import { Balancer } from './balancer.mjs';
import { end, Network } from './network.mjs';

export const REDIS = ['/usr/bin/redis-server', '/usr/local/bin/redis-server'].find((path) => existsSync(path));

/** Their names are those of docs/scaling.md, and so are their addresses. */
const HOSTS = { one: '10.0.0.11', two: '10.0.0.12', three: '10.0.0.13' };
const REDIS_ADDRESS = '10.0.0.20';
const BALANCER_ADDRESS = '10.0.0.1';
/** How long a program may take to start or to end, ms. */
const DEADLINE = 60_000;

/** @typedef {keyof typeof HOSTS} HostName */
export const NAMES = /** @type {HostName[]} */ (Object.keys(HOSTS));

export class Site {
  /** @readonly */
  #folder = mkdtempSync(join(tmpdir(), 'filrouge-hosts-'));
  /** @readonly */
  #network;
  /** @readonly @type {Map<HostName, Server>} */
  #servers = new Map();
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #redis;
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #load;
  /** What waits for the answer to a question. @type {((answer: unknown) => void) | undefined} */
  #answered;
  /** @type {((error: Error) => void) | undefined} */
  #lost;
  /** @readonly @type {number} Admitted to each key. */
  #limit;
  /** @type {Balancer | undefined} */
  balancer;
  /** What became of all requests. @readonly @type {import('./load.mjs').Outcome[]} */
  outcomes = [];

  /** @param {number} limit Of requests for each key, in an hour. */
  constructor(limit) {
    this.#limit = limit;
    try {
      this.#network = new Network({ edge: BALANCER_ADDRESS, redis: REDIS_ADDRESS, ...HOSTS, clients: '10.0.0.100' });
    } catch (error) {
      rmSync(this.#folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Starts all of it. */
  async start() {
    await this.startRedis();
    await Promise.all(NAMES.map((name) => this.startHost(name)));
    this.balancer = new Balancer(this.#network, this.#folder);
    await this.balancer.sees(NAMES);
  }

  /** Sends the clients. */
  startLoad() {
    const load = this.#network.start('clients', [process.execPath, 'test/trials/hosts/load.mjs'], {
      env: { ...process.env, ADDRESS: BALANCER_ADDRESS },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
    });
    load.on('message', (/** @type {{ outcomes: import('./load.mjs').Outcome[], answer?: unknown }} */ { outcomes, answer }) => {
      for (const outcome of outcomes) this.outcomes.push(outcome);
      if (answer !== undefined) this.#answered?.(answer);
    });
    load.on('exit', () => this.#lost?.(new Error('The clients have ended')));
    this.#load = load;
  }

  /**
   * Asks the clients, one question at a time.
   *
   * @param {string} what One of the questions of load.mjs.
   * @param {string} [argument]
   * @returns {Promise<any>}
   */
  ask(what, argument = '') {
    return new Promise((resolve, reject) => {
      [this.#answered, this.#lost] = [resolve, reject];
      if (this.#load?.connected) this.#load.send({ ask: what, argument });
      else reject(new Error('The clients have ended'));
    });
  }

  /** Starts a host's server, and waits until it listens. @param {HostName} name */
  async startHost(name) {
    const env = {
      HOST: HOSTS[name],
      NAME: name,
      NODE_ENV: 'production',
      REDIS: `redis://${REDIS_ADDRESS}:6379`,
      CLIENT: name === 'two' ? 'ioredis' : 'redis',
      LIMIT: String(this.#limit),
      SESSION_SECRET: 'the same on every host, and 32 characters long',
    };
    const server = new Server('test/trials/fixtures/hosts.mjs', { workers: 2, host: HOSTS[name] }, env, this.#network.on(name));
    this.#servers.set(name, server);
    await server.port;
  }

  /** Stops a host's server as a system does that is updated. @param {HostName} name */
  async stopHost(name) {
    await this.#serverOf(name).stop();
  }

  /** Has a host's server start its script anew, and waits until the old workers have ended. @param {HostName} name */
  async reloadHost(name) {
    const { pid } = this.#serverOf(name);
    const old = childrenOf(pid);
    process.kill(pid, 'SIGHUP');
    const isNew = () => childrenOf(pid).every((worker) => !old.includes(worker)) || undefined;
    if (!(await until(isNew, DEADLINE))) throw new Error(`${name} does not reload`);
  }

  /** Kills a host's primary, and waits until its workers have ended by themselves. @param {HostName} name */
  async killPrimary(name) {
    await this.#serverOf(name).end('SIGKILL');
    const isEmpty = await until(() => this.#network.pidsOn(name).length === 0 || undefined, DEADLINE);
    if (!isEmpty) throw new Error(`Workers of ${name} go on without their primary`);
  }

  /** Kills all that runs on a host. @param {HostName} name */
  async killHost(name) {
    this.#network.killAllOn(name);
    await this.#serverOf(name).end('SIGKILL');
  }

  /** @param {HostName | 'redis'} name */
  cut(name) {
    this.#network.cut(name);
  }

  /** @param {HostName | 'redis'} name */
  mend(name) {
    this.#network.mend(name);
  }

  async startRedis() {
    const words = ['--bind', REDIS_ADDRESS, '--protected-mode', 'no', '--save', '', '--appendonly', 'yes', '--dir', this.#folder];
    const redis = this.#network.start('redis', [REDIS ?? '', ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#redis = redis;
    let said = '';
    redis.stdout?.on('data', (bytes) => {
      said += bytes;
    });
    if (!(await until(() => said.includes('Ready to accept connections') || (redis.exitCode !== null ? false : undefined), DEADLINE))) {
      throw new Error(`Redis does not start:\n${said}`);
    }
  }

  async stopRedis() {
    if (this.#redis) await end(this.#redis, 'SIGTERM');
  }

  /** Takes all of it away, at once. */
  remove() {
    this.#network.remove();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** @param {HostName} name */
  #serverOf(name) {
    const server = this.#servers.get(name);
    if (!server) throw new Error(`${name} has not been started`);
    return server;
  }
}
