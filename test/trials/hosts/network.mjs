/**
 * Machines for trials: network namespaces on a bridge, each with an address of its own. The network is closed: nothing in it reaches the network of
 * the machine it is on, so its addresses are free, and several trials can run beside each other.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';

/** The namespace that holds the bridge, and with it one end of every cable. */
const HUB = 'edge';

/** @typedef {import('node:child_process').ChildProcess} ChildProcess */

/** Whether this process may make namespaces, and `ip` is there. */
export function canMakeNetworks() {
  const name = `filrouge-${process.pid}-try`;
  try {
    ip('netns', 'add', name);
    ip('netns', 'delete', name);
    return true;
  } catch {
    return false;
  }
}

/** Some machines and the cables between them. */
export class Network {
  /** @readonly */
  #prefix = `filrouge-${process.pid}-`;
  /** @readonly @type {string[]} */
  #names = [];

  /** @param {Readonly<Record<string, string>>} addresses Of each machine by its name, the hub's among them. */
  constructor(addresses) {
    try {
      this.#add(HUB);
      this.#in(HUB, 'link', 'add', 'bridge', 'type', 'bridge');
      this.#in(HUB, 'address', 'add', `${addresses[HUB]}/24`, 'dev', 'bridge');
      this.#in(HUB, 'link', 'set', 'bridge', 'up');
      for (const [name, address] of Object.entries(addresses)) {
        if (name !== HUB) this.#join(name, address);
      }
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  /** The words that, before a command, run it on a machine. @param {string} name @returns {string[]} */
  on(name) {
    return ['ip', 'netns', 'exec', this.#prefix + name];
  }

  /**
   * Starts a program on a machine: its process id is that of the child.
   *
   * @param {string} name
   * @param {readonly string[]} command
   * @param {import('node:child_process').SpawnOptions} [options]
   */
  start(name, command, options = {}) {
    const [file = '', ...words] = [...this.on(name), ...command];
    return spawn(file, words, options);
  }

  /** Pulls a machine's cable. Nobody is told: packets are lost from now on. @param {string} name */
  cut(name) {
    this.#in(HUB, 'link', 'set', name, 'down');
  }

  /** Plugs it in again. @param {string} name */
  mend(name) {
    this.#in(HUB, 'link', 'set', name, 'up');
  }

  /** The processes that run on a machine. @param {string} name @returns {number[]} */
  pidsOn(name) {
    return ip('netns', 'pids', this.#prefix + name)
      .split('\n')
      .filter(Boolean)
      .map(Number);
  }

  /** Ends all that runs on a machine, at once. @param {string} name */
  killAllOn(name) {
    for (const pid of this.pidsOn(name)) endProcess(pid);
  }

  /** Ends all that runs on the machines, and takes them away. At once: it is called as the trial's own process ends. */
  remove() {
    for (const name of this.#names.splice(0)) {
      try {
        this.killAllOn(name);
        ip('netns', 'delete', this.#prefix + name);
      } catch (error) {
        console.error(`${this.#prefix}${name} is left behind:`, error);
      }
    }
  }

  /** @param {string} name */
  #add(name) {
    ip('netns', 'add', this.#prefix + name);
    this.#names.push(name);
    this.#in(name, 'link', 'set', 'lo', 'up');
  }

  /** @param {string} name @param {string} address */
  #join(name, address) {
    this.#add(name);
    this.#in(HUB, 'link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', this.#prefix + name);
    this.#in(HUB, 'link', 'set', name, 'master', 'bridge', 'up');
    this.#in(name, 'address', 'add', `${address}/24`, 'dev', 'eth0');
    this.#in(name, 'link', 'set', 'eth0', 'up');
  }

  /** @param {string} name @param {...string} words */
  #in(name, ...words) {
    ip('-netns', this.#prefix + name, ...words);
  }
}

/** Ends a program and waits for it. @param {ChildProcess} child @param {NodeJS.Signals} signal */
export async function end(child, signal) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

/** @param {...string} words */
function ip(...words) {
  return execFileSync('ip', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** @param {number} pid */
function endProcess(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended by itself
  }
}
