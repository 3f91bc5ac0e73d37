/**
 * A real PostgreSQL in a folder of its own. It refuses to run as root, so that for root it runs as nobody.
 *
 * @module
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort } from './program.ts';
import { until } from './until.ts';

const NOBODY = 65_534;
/** Where Debian puts it: not in PATH. */
const DEBIAN = '/usr/lib/postgresql';

/** The folder of its programs; undefined when it is not installed. */
export const POSTGRES: string | undefined = [
  ...(process.env['PATH'] ?? '').split(delimiter),
  ...(existsSync(DEBIAN) ? readdirSync(DEBIAN).map((version) => join(DEBIAN, version, 'bin')) : []),
].find((folder) => existsSync(join(folder, 'initdb')));

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
    const folder = mkdtempSync(join(tmpdir(), 'filrouge-postgres-'));
    if (process.getuid?.() === 0) chownSync(folder, NOBODY, NOBODY);
    const flags = ['--auth=trust', '--username=postgres', '--encoding=UTF8', '--locale=C', '--no-sync', `--pgdata=${join(folder, 'data')}`];
    execFileSync(join(POSTGRES ?? '', 'initdb'), flags, { ...asUser(), cwd: folder, stdio: 'pipe' });
    const postgres = new Postgres(folder, await freePort());
    await postgres.resume();
    return postgres;
  }

  /** What a client needs to find it. */
  get env(): Record<string, string> {
    return { PGHOST: '127.0.0.1', PGPORT: String(this.port), PGUSER: 'postgres', PGDATABASE: 'postgres' };
  }

  /** Starts it, again after it was killed. */
  async resume(): Promise<void> {
    const flags = ['-D', join(this.#folder, 'data'), '-h', '127.0.0.1', '-p', String(this.port), '-k', this.#folder, '-c', 'fsync=off'];
    this.#said = '';
    this.#child = spawn(join(POSTGRES ?? '', 'postgres'), flags, { ...asUser(), cwd: this.#folder, stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child.stderr?.on('data', (text: Buffer) => {
      this.#said += text.toString();
    });
    await until(
      () => this.#said.includes('ready to accept connections') || undefined,
      () => `a database that is ready:\n${this.#said}`,
    );
  }

  /** Ends it at once: its clients lose their connections. SIGQUIT, so that it takes its own processes along. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child) return;
    const ended = once(child, 'close');
    child.kill('SIGQUIT');
    await ended;
  }

  /** Ends it and removes its folder. */
  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function asUser(): { uid?: number; gid?: number } {
  return process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
}
