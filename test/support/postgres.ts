/**
 * A real PostgreSQL in a folder of its own.
 *
 * @module
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { Client } from 'pg';
import { makeDatabase, POSTGRES, spawnPostgres } from './postgres-programs.mjs';
import { freePort } from './program.ts';
import { until } from './until.ts';

if (POSTGRES === undefined) console.warn('SKIPPED: some tests need PostgreSQL (Debian: apt-get install postgresql)');

/** Whether the tests that need it run: in CI also when it is missing, so that they fail there. */
export const hasPostgres: boolean = POSTGRES !== undefined || process.env['CI'] !== undefined;

/** A database server that can be killed and started again. */
export class Postgres {
  readonly port: number;
  readonly #folder: string;
  #child: ChildProcess | undefined;
  #said = '';

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.port = port;
  }

  /** Makes a folder and starts a server in it. */
  static async start(): Promise<Postgres> {
    const postgres = new Postgres(makeDatabase(), await freePort());
    await postgres.resume();
    return postgres;
  }

  /** What a client needs to find it. */
  get env(): Record<string, string> {
    return { PGHOST: '127.0.0.1', PGPORT: String(this.port), PGUSER: 'postgres', PGDATABASE: 'postgres' };
  }

  /** A client of its own for a test; that the database is killed is no error of it. */
  async connect(): Promise<Client> {
    const client = new Client({ host: '127.0.0.1', port: this.port, user: 'postgres', database: 'postgres' });
    client.on('error', () => {});
    await client.connect();
    return client;
  }

  /** Starts it, again after it was killed. */
  async resume(): Promise<void> {
    this.#said = '';
    this.#child = spawnPostgres(this.#folder, this.port);
    this.#child.stderr?.on('data', (text: Buffer) => {
      this.#said += text.toString();
    });
    await until(
      () => this.#said.includes('ready to accept connections') || undefined,
      () => `a database that is ready:\n${this.#said}`,
    );
  }

  /** Ends it at once: its clients lose their connections. SIGQUIT takes its own processes along; after SIGKILL they notice, and are waited for too. */
  async kill(signal: 'SIGQUIT' | 'SIGKILL' = 'SIGQUIT'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child) return;
    const ended = once(child, 'close'); // when nobody has its stderr any more
    child.kill(signal);
    await ended;
  }

  /** Ends it and removes its folder. */
  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
