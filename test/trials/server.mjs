/** Servers for trials: scripts in processes of their own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { optionsOver } from './over.mjs';

/** @typedef {{ time: string, event: string, pid: number, message: string, worker?: number, path?: string, place?: string, ms?: number }} LogLine */

/** Those that have not ended. @type {Set<Server>} */
const running = new Set();

/** A server under trial. */
export class Server {
  /** @readonly */
  #child;
  log = '';
  /** @type {Promise<number>} */
  port;

  /**
   * @param {string} script
   * @param {Record<string, unknown>} [options]
   * @param {Record<string, string>} [env]
   * @param {readonly string[]} [before] Words of a command that runs another one, and is replaced by it: of `ip netns exec`, say.
   */
  constructor(script, options = {}, env = {}, before = []) {
    const [file, ...words] = [...before, process.execPath, script];
    this.#child = spawn(file, words, {
      env: { ...process.env, OPTIONS: JSON.stringify({ ...optionsOver(), ...options }), ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    running.add(this);
    let out = '';
    this.port = new Promise((resolve, reject) => {
      this.#child.stdout?.on('data', (bytes) => {
        out += bytes;
        const port = /listening on https?:\/\/[\d.]+:(\d+)/.exec(out)?.[1];
        if (port) resolve(Number(port));
      });
      this.#child.on('exit', () => {
        running.delete(this);
        reject(new Error(`The server ended:\n${this.log}`));
      });
    });
    this.#child.stderr?.on('data', (bytes) => {
      this.log += bytes;
    });
  }

  get pid() {
    return this.#child.pid ?? 0;
  }

  /** What it has logged, when its option is `log: 'json'`. @returns {LogLine[]} */
  get events() {
    return this.log
      .slice(0, this.log.lastIndexOf('\n') + 1)
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line));
  }

  /** The workers, and the process itself. */
  get pids() {
    return [this.pid, ...childrenOf(this.pid)];
  }

  /** @param {'status' | 'reload' | 'close'} what @returns {Promise<import('../../dist/index.js').ServerStatus>} */
  async ask(what) {
    this.#child.send({ ask: what });
    const [{ answer, error }] = await once(this.#child, 'message');
    if (error) throw new Error(error);
    return answer;
  }

  stop() {
    return this.end('SIGTERM');
  }

  /** Sends the process itself a signal, and waits until it has ended. @param {NodeJS.Signals} signal */
  async end(signal) {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill(signal);
    await once(this.#child, 'exit');
  }

  /** Ends it at once, with its workers. */
  kill() {
    for (const pid of this.pids) endProcess(pid);
  }
}

/** Ends the servers that a trial has left behind. */
export function endAll() {
  for (const server of running) server.kill();
}

/** Resident memory of a process, bytes; 0 when it is gone. @param {number} pid */
export function rssOf(pid) {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** What a process has computed, with all its threads, s. @param {number} pid */
export function cpuOf(pid) {
  const [, fields = ''] = /^.*\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
  const [user, system] = fields.split(' ').slice(11, 13);
  return (Number(user) + Number(system)) / 100; // Linux counts hundredths for everybody
}

/** The processes that one has started. @param {number} pid @returns {number[]} */
export function childrenOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return []; // it is gone
  }
}

/** @param {number} pid */
function endProcess(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended by itself
  }
}

/** @param {number} ms @returns {Promise<void>} */
export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Asks again and again until there is an answer.
 *
 * @template T
 * @param {() => T | undefined} ask
 * @param {number} deadline Gives up after so many ms.
 * @returns {Promise<T | undefined>}
 */
export async function until(ask, deadline) {
  const end = performance.now() + deadline;
  for (;;) {
    const answer = ask();
    if (answer !== undefined || performance.now() > end) return answer;
    await pause(5);
  }
}
