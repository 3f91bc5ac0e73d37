/** A cluster in processes of its own, and what its primary tells. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { afterEach } from 'vitest';
import type { ServerOptions, ServerStatus } from '../../src/index.ts';
import { until } from '../support/until.ts';

const running: Cluster[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((cluster) => cluster.kill()));
});

/** A server over workers, seen from outside. */
export class Cluster {
  readonly child: ChildProcess;
  origin = '';
  stderr = '';
  stdout = '';
  readonly ended: Promise<number | string>;

  constructor(options: ServerOptions, env: Readonly<Record<string, string>>, fixture: string) {
    this.child = spawn(process.execPath, [`test/cluster/fixtures/${fixture}.mjs`], {
      env: { ...process.env, OPTIONS: JSON.stringify(options), ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.child.stdout?.on('data', (text: Buffer) => {
      this.stdout += text.toString();
    });
    this.child.stderr?.on('data', (text: Buffer) => {
      this.stderr += text.toString();
    });
    this.ended = once(this.child, 'exit').then(([code, signal]) => (code ?? signal) as number | string);
    running.push(this);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Waits until it has printed what matches. */
  async prints(pattern: RegExp, deadline?: number): Promise<void> {
    await until(
      () => pattern.test(this.stdout + this.stderr) || undefined,
      () => `${pattern} in:\n${this.stdout}${this.stderr}`,
      deadline,
    );
  }

  /** Has the primary do something, and gives what it answers. */
  async ask(what: 'status' | 'reload' | 'close' | 'again'): Promise<ServerStatus> {
    this.child.send({ ask: what });
    const [{ answer, error }] = (await once(this.child, 'message')) as [{ answer?: ServerStatus; error?: string }];
    if (error !== undefined) throw new Error(error);
    return answer as ServerStatus;
  }

  /** Whether nobody accepts connections any more. */
  async isRefusing(): Promise<true | undefined> {
    const socket = connect(Number(new URL(this.origin).port), '127.0.0.1');
    const isOpen = await new Promise<boolean>((resolve) => socket.on('connect', () => resolve(true)).on('error', () => resolve(false)));
    socket.destroy();
    return isOpen ? undefined : true;
  }

  /** Kills it with all its workers. */
  async kill(): Promise<void> {
    const pids = [this.pid, ...childrenOf(this.pid)];
    for (const pid of pids) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    await this.ended;
  }
}

/** What a cluster is started with besides its options. */
export interface ClusterSetup {
  readonly isExpectedToFail?: boolean;
  /** For the workers only. */
  readonly workerEnv?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** A script of test/cluster/fixtures. */
  readonly fixture?: string;
}

/** Starts a cluster and waits until it listens, unless it is expected to fail. */
export async function startCluster(
  options: ServerOptions,
  { isExpectedToFail = false, workerEnv = {}, env = {}, fixture = 'server' }: ClusterSetup = {},
): Promise<Cluster> {
  const cluster = new Cluster(options, { WORKER_ENV: JSON.stringify(workerEnv), ...env }, fixture);
  if (isExpectedToFail) return cluster;
  const [, origin] = await until(
    () => /listening on (http\S+)/.exec(cluster.stdout) ?? undefined,
    () => `a server that listens; it printed:\n${cluster.stderr}`,
  );
  cluster.origin = origin ?? '';
  return cluster;
}

/** The processes that a process has started. */
export function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && parentOf(Number(name)) === parent)
    .map(Number);
}

/** Whether a process runs; one that has ended and was not waited for does not. */
export function isAlive(pid: number): boolean {
  const state = statOf(pid)?.[0];
  return state !== undefined && state !== 'Z';
}

function parentOf(pid: number): number {
  return Number(statOf(pid)?.[1]);
}

function statOf(pid: number): string[] | undefined {
  const file = `/proc/${pid}/stat`;
  try {
    return existsSync(file)
      ? readFileSync(file, 'utf8')
          .replace(/^.*\) /s, '')
          .split(' ')
      : undefined;
  } catch {
    return undefined; // it has ended just now
  }
}
