/**
 * Real Redis servers for tests, each in a folder of its own.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './until.ts';

const SERVER = '/usr/bin/redis-server';

/** Whether tests with Redis are left out: it is not installed. Never where the whole suite has to run. */
export const isWithoutRedis: boolean = !existsSync(SERVER) && process.env['CI'] === undefined;
if (isWithoutRedis) console.warn(`SKIPPED: the Redis tests need ${SERVER} (Debian: apt-get install redis-server)`);

/** A Redis server. */
export class RedisServer {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
  /** Of its unix socket. */
  readonly path: string = join(this.folder, 'redis.sock');
  readonly #port: number;
  readonly #lines: readonly string[];
  readonly #isSentinel: boolean;
  #process: ChildProcess | undefined;

  /**
   * @param port On the loopback interface; 0: only the unix socket.
   * @param lines More lines of its configuration.
   */
  constructor(port = 0, lines: readonly string[] = [], isSentinel = false) {
    this.#port = port;
    this.#lines = lines;
    this.#isSentinel = isSentinel;
  }

  /** Starts it; also again, empty, after it was killed. */
  async start(): Promise<this> {
    const config = join(this.folder, 'redis.conf');
    const usual = ['bind 127.0.0.1', `port ${this.#port}`, `unixsocket ${this.path}`, `dir ${this.folder}`, 'protected-mode no'];
    const kept = this.#isSentinel ? [] : ['save ""', 'appendonly no'];
    rmSync(this.path, { force: true });
    writeFileSync(config, [...usual, ...kept, ...this.#lines, ''].join('\n'));
    const log = join(this.folder, 'log');
    const output = openSync(log, 'w');
    const running = spawn(SERVER, [config, ...(this.#isSentinel ? ['--sentinel'] : [])], { stdio: ['ignore', output, output] });
    closeSync(output);
    this.#process = running;
    await until(
      async () => {
        if (running.exitCode !== null) throw new Error(`Redis has ended with ${running.exitCode}: ${readFileSync(log, 'utf8')}`);
        return (await this.ask('PING').catch(() => '')).includes('PONG') || undefined;
      },
      () => `a Redis server, which says: ${readFileSync(log, 'utf8')}`,
    );
    return this;
  }

  /** Sends it a command by a connection of its own. @returns The first piece of its answer. */
  async ask(...words: readonly string[]): Promise<string> {
    const socket = connect(this.path);
    try {
      await once(socket, 'connect');
      socket.write(`${words.join(' ')}\r\n`);
      const [bytes] = (await once(socket, 'data')) as [Buffer];
      return bytes.toString();
    } finally {
      socket.destroy();
    }
  }

  /** Makes it stand still, with all its connections open. */
  pause(): void {
    this.#process?.kill('SIGSTOP');
  }

  /** Has it go on. */
  resume(): void {
    this.#process?.kill('SIGCONT');
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    const running = this.#process;
    this.#process = undefined;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    running.kill('SIGKILL');
    await once(running, 'exit');
  }

  /** Ends it, and removes its folder. */
  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
