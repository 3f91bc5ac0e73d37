/**
 * A process that leads a group of its own, so that it can be ended together with everything it has started.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { withCode } from '../../http/errors/error-codes.ts';
import { HttpError } from '../../http/response.ts';
import { groupEnded, groupStarted } from '../../process/child-groups.ts';
import type { Environment } from './meta-variables.ts';

/** The program to start. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string | undefined;
  readonly environment: Environment;
}

/** How a process has ended: one of the two is set. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The time between asking a process to end and killing it, ms: enough to remove a lock file, not to finish a report. */
const GRACE = 2000;

/** Groups to be killed if this process ends before they do. */
const unfinished = new Set<ProcessGroup>();

/** A process with its group. */
export class ProcessGroup {
  readonly child: ChildProcess;
  ending: Ending | undefined = undefined;
  #timer: NodeJS.Timeout | undefined;
  #isKilled = false;

  private constructor(child: ChildProcess) {
    this.child = child;
    child.on('exit', (code, signal) => {
      this.ending = { code, signal };
      if (!this.#isKilled || !this.#send(0)) this.#forget();
    });
    if (unfinished.size === 0) process.on('exit', killAll);
    unfinished.add(this);
    groupStarted(this.#id);
  }

  /**
   * Starts a program, without a shell.
   *
   * @param hasInput Whether its standard input is a pipe; else it is empty.
   * @returns The group, once the program runs.
   * @throws Error (code `script-not-started`) when it cannot be started, HttpError 431 when the request does not fit into an environment.
   */
  static start(program: Program, hasInput: boolean): Promise<ProcessGroup> {
    return new Promise((resolve, reject) => {
      const child = launch(program, hasInput);
      child.once('error', (error) => reject(startError(program, error)));
      child.once('spawn', () => {
        child.on('error', () => {}); // a signal that could not be sent
        resolve(new ProcessGroup(child));
      });
    });
  }

  /** Asks every process of the group to end, and kills those that are left after two seconds. */
  kill(): void {
    if (this.#isKilled || (this.ending && !this.#send(0))) return;
    this.#isKilled = true;
    unfinished.add(this);
    this.#send('SIGTERM');
    this.#timer = setTimeout(() => {
      this.#send('SIGKILL');
      this.#forget();
    }, GRACE);
    this.#timer.unref(); // when nothing else keeps the process alive, `killAll` does it
  }

  /** Kills every process of the group at once. */
  killNow(): void {
    this.#send('SIGKILL');
  }

  get #id(): number {
    return this.child.pid as number; // defined, since it was started
  }

  #forget(): void {
    clearTimeout(this.#timer);
    unfinished.delete(this);
    groupEnded(this.#id);
    if (unfinished.size === 0) process.off('exit', killAll);
  }

  /**
   * Sends a signal to the group. Its number is that of its first process, which the system does not reuse while any process of the group is
   * left.
   *
   * @returns Whether there is such a process.
   */
  #send(signal: NodeJS.Signals | 0): boolean {
    try {
      process.kill(-this.#id, signal);
      return true;
    } catch {
      return false;
    }
  }
}

function killAll(): void {
  for (const group of unfinished) group.killNow();
}

function launch(program: Program, hasInput: boolean): ChildProcess {
  const { command, args, cwd, environment } = program;
  try {
    return spawn(command, args, {
      cwd,
      env: environment,
      detached: true, // a group of its own
      stdio: [hasInput ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    });
  } catch (error) {
    throw startError(program, error as Error); // some failures are thrown, others come as events
  }
}

function startError({ command, cwd }: Program, cause: Error): Error {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === 'E2BIG') return new HttpError(431, 'The header is too large', { code: 'header-too-large', cause });
  const isNoFolder = cwd !== undefined && !existsSync(cwd);
  const why = isNoFolder ? `there is no folder "${cwd}"` : code === 'ENOENT' ? 'there is no such program' : cause.message;
  return withCode(new Error(`Cannot run "${command}": ${why}`, { cause }), 'script-not-started');
}
