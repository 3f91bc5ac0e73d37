/**
 * A cluster in processes of its own, and what its primary says.
 *
 * @module
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { ServerOptions, ServerStatus } from '../../src/index.ts';
import { Program } from '../support/program.ts';
import { until } from '../support/until.ts';

/** No drain that hangs is ended by the server before the test that waits for it fails, ms. */
const PATIENT = 600_000;

/** A server over workers, seen from outside. */
export class Cluster extends Program {
  origin = '';

  constructor(options: ServerOptions, env: Readonly<Record<string, string>>, fixture: string) {
    super(process.execPath, [`test/cluster/fixtures/${fixture}.mjs`], { OPTIONS: JSON.stringify(options), ...env }, 'ipc');
  }

  /** Has the primary do something, and gives what it answers. @param timeout For `close`, ms. */
  async ask(what: 'status' | 'reload' | 'close' | 'again', timeout?: number): Promise<ServerStatus> {
    this.child.send({ ask: what, timeout });
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
  const cluster = new Cluster({ shutdownTimeout: PATIENT, ...options }, { WORKER_ENV: JSON.stringify(workerEnv), ...env }, fixture);
  if (isExpectedToFail) return cluster;
  const [, origin] = await cluster.prints(/listening on (http\S+)/);
  cluster.origin = origin ?? '';
  return cluster;
}

/** Sends SIGINT until it is heard: soon after the first signal, it is taken for that one come twice. */
export async function interruptAgain({ child }: Cluster): Promise<void> {
  await until(
    () => !child.kill('SIGINT') || undefined,
    () => 'a server that has ended',
  );
}
