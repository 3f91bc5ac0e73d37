/**
 * Real processes for tests: starts a program, collects what it prints, and ends it by its process id.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, vi } from 'vitest';
import { until } from './until.ts';

/** How long a process may take to print something or to serve, ms: on a machine that is busy many times over it may take long to start. */
const DEADLINE = 90_000;

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const running: Program[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((program) => program.kill()));
});

/**
 * A program for all tests of a file, or of a `describe`: started before the first of them, killed after the last. Starting one takes longer than
 * most tests do.
 *
 * @returns Gives it, in a test.
 */
export function shared<T extends Program>(begin: () => Promise<T>): () => T {
  let program: T | undefined;
  beforeAll(async () => {
    program = await begin();
    running.splice(running.indexOf(program), 1);
  });
  afterAll(() => program?.kill());
  return () => {
    if (!program) throw new Error('It is started before the first test, and not earlier');
    return program;
  };
}

/** A process that was started by a test. */
export class Program {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  /** Its exit code, or the signal that ended it, when all that it and its children have printed is there. */
  readonly ended: Promise<number | string>;
  #end: number | string | undefined;

  constructor(
    command: string,
    args: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
    channel: 'ignore' | 'ipc' = 'ignore',
  ) {
    const stdio = ['ignore', 'pipe', 'pipe', channel] as const;
    this.child = spawn(command, args, { env: { ...process.env, ...env }, stdio: [...stdio] });
    this.child.stdout?.on('data', (text: Buffer) => {
      this.stdout += text.toString();
    });
    this.child.stderr?.on('data', (text: Buffer) => {
      this.stderr += text.toString();
    });
    this.ended = once(this.child, 'close').then(([code, signal]) => (this.#end = (code ?? signal) as number | string));
    running.push(this);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** The first match of a pattern in what it has printed, as soon as it is there. Rejects when it has ended without printing it. */
  async prints(pattern: RegExp): Promise<RegExpExecArray> {
    return until(
      () => this.#found(pattern),
      () => `${pattern} in what it printed:\n${this.stdout}${this.stderr}`,
      DEADLINE,
    );
  }

  #found(pattern: RegExp): RegExpExecArray | undefined {
    const printed = this.stdout + this.stderr;
    const found = pattern.exec(printed) ?? undefined;
    if (!found && this.#end !== undefined) {
      throw new Error(`It has ended with ${this.#end}, without ${pattern} in what it printed:\n${printed}`);
    }
    return found;
  }

  /** Kills it with all its workers. */
  async kill(): Promise<void> {
    const { pid } = this.child;
    const pids = pid === undefined ? [] : [pid, ...childrenOf(pid)];
    for (const one of pids) if (isAlive(one)) process.kill(one, 'SIGKILL');
    await this.ended;
  }
}

/** Starts a script of Node. It is killed when the test ends. */
export function start(file: string, env: Readonly<Record<string, string>> = {}, args: readonly string[] = []): Program {
  return new Program(process.execPath, [file, ...args], env);
}

/** Starts any other program, which must stay in the foreground and in one process. It is killed when the test ends. */
export function startCommand(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Program {
  return new Program(command, args, env);
}

/** The processes that a process has started. */
export function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(statOf(Number(name))?.[1]) === parent)
    .map(Number);
}

/** Whether a process runs; one that has ended and was not waited for does not. */
export function isAlive(pid: number): boolean {
  const state = statOf(pid)?.[0];
  return state !== undefined && state !== 'Z';
}

/** Whatever a process has open, one entry for each descriptor. */
export function descriptors(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      return []; // closed just now
    }
  });
}

/** What the system says of a process, from its state on; undefined when there is none. */
function statOf(pid: number): string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
  } catch {
    return undefined;
  }
}

/** A port that nobody listens on. It lies below those the system gives to clients: such a one could be a client's a moment later, even our own. */
export async function freePort(): Promise<number> {
  const port = 20_000 + Math.floor(Math.random() * 12_000);
  const server = createServer().listen(port, 'localhost');
  const isFree = await new Promise<boolean>((resolve) => server.on('listening', () => resolve(true)).on('error', () => resolve(false)));
  if (!isFree) return freePort();
  server.close();
  await once(server, 'close');
  return port;
}

/** Waits until an HTTP server answers on a port. It is asked what it has to refuse before any handler sees it: a request without Host (RFC 9112 §3.2). */
export async function accepting(port: number): Promise<void> {
  await until(
    async () => {
      const socket = connect(port, 'localhost', () => socket.write('GET / HTTP/1.1\r\nConnection: close\r\n\r\n'));
      const answers = await new Promise<boolean>((resolve) =>
        socket
          .on('data', () => resolve(true))
          .on('error', () => resolve(false))
          .on('close', () => resolve(false)),
      );
      socket.destroy();
      return answers || undefined;
    },
    () => `an HTTP server that answers on port ${port}`,
    DEADLINE,
  );
}
