/**
 * Clients that stay and listen: how many messages reach them when each is for all of them, and how much memory one of them takes. The servers take turns
 * round by round, so that a machine whose speed drifts slows all of them. Two rows of peers, by protocol: a ratio is to the other of its protocol.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { markdownTable } from './document.mjs';
import { figure, median, spread } from './numbers.mjs';
import { BENCH } from './places.mjs';
import { LOAD_CORE, pinned, SERVER_CORE, startServer } from './servers.mjs';

export const BROADCAST = { name: 'broadcast', title: 'One message to all clients' };
export const SOCKETS = { name: 'sockets', title: 'Memory of clients that stay' };

/** Each beside the one that its ratio is to. */
const SERVERS = [
  { name: 'filrouge', title: '**filrouge**, websockets', protocol: 'ws' },
  { name: 'ws', title: 'ws on node:http', protocol: 'ws', isBase: true },
  { name: 'filrouge-io', title: '**filrouge**, Socket.IO', protocol: 'io' },
  { name: 'socket.io', title: 'socket.io on node:http', protocol: 'io', isBase: true },
];
/** Messages that are told before the last has been heard: a client that wakes for each would be slower than the server. */
const AT_A_TIME = 10;
const FEW = 1000;
/** Clients that come and stay before memory is looked at: what a server takes for its work is not counted. */
const FIRST = 500;
const KIB = 1024;

/** @param {{ rounds: number, seconds: number, idle: number }} settings @returns {Promise<{ server: typeof SERVERS[number], clients: number, rounds: { rate: number, cost: number }[] }[]>} */
export async function measureBroadcast({ rounds, seconds, idle }) {
  const results = [FEW, idle].flatMap((clients) => SERVERS.map((server) => ({ server, clients, rounds: [] })));
  for (let round = 0; round < rounds; round++) {
    for (const result of results) result.rounds.push(await broadcastOf(result.server, result.clients, seconds));
  }
  return results;
}

/** @param {{ rounds: number, idle: number }} settings @returns {Promise<{ server: typeof SERVERS[number], rounds: { rss: number, heap: number }[] }[]>} */
export async function measureSockets({ rounds, idle }) {
  const results = SERVERS.map((server) => ({ server, rounds: [] }));
  for (let round = 0; round < rounds; round++) {
    for (const result of results) result.rounds.push(await memoryOf(result.server, idle));
  }
  return results;
}

/** The table of what was measured, as Markdown. */
export function tableOfBroadcast(results) {
  const lines = results.map(({ server, clients, rounds }) => {
    const base = results.find((other) => other.clients === clients && other.server.isBase && other.server.protocol === server.protocol);
    return [
      figure(clients),
      server.title,
      server.isBase ? '–' : spread(ratios(rounds, base.rounds, 'rate'), 2),
      spread(rounds.map(({ rate }) => rate)),
      figure(median(rounds.map(({ cost }) => cost)), 2),
    ];
  });
  return markdownTable(['clients', 'server', 'ratio', 'messages/s', 'µs of the processor a message'], lines);
}

export function tableOfSockets(results) {
  const lines = results.map(({ server, rounds }) => {
    const base = results.find((other) => other.server.isBase && other.server.protocol === server.protocol);
    return [
      server.title,
      server.isBase ? '–' : spread(ratios(rounds, base.rounds, 'rss'), 2),
      spread(
        rounds.map(({ rss }) => rss),
        1,
      ),
      figure(median(rounds.map(({ heap }) => heap)), 1),
    ];
  });
  return markdownTable(['server', 'ratio (less is better)', 'KiB a client, resident', 'KiB a client, of that in V8’s heap'], lines);
}

function ratios(rounds, base, of) {
  return rounds.map((round, i) => round[of] / base[i][of]);
}

async function broadcastOf(server, clients, seconds) {
  const running = await start(server);
  try {
    const crowd = await Crowd.of(running, clients, server.protocol);
    await crowd.listen(AT_A_TIME, Math.max(1, seconds / 2)); // the compilers
    const before = running.cpu();
    const { received, seconds: took } = await crowd.listen(AT_A_TIME, seconds);
    const cost = ((running.cpu() - before) * 1e6) / received;
    await crowd.leave();
    return { rate: received / took, cost };
  } finally {
    running.kill();
  }
}

async function memoryOf(server, clients) {
  const running = await start(server);
  const heap = async () => Number(await (await fetch(`${running.origin}/heap`)).text());
  try {
    const first = await Crowd.of(running, FIRST, server.protocol);
    const heapBefore = await heap();
    const before = running.memory();
    const crowd = await Crowd.of(running, clients, server.protocol);
    const heapAfter = await heap();
    const after = running.memory();
    await first.leave();
    await crowd.leave();
    return { rss: (after - before) / clients / KIB, heap: (heapAfter - heapBefore) / clients / KIB };
  } finally {
    running.kill();
  }
}

function start({ name }) {
  const args = ['--expose-gc', join(BENCH, 'servers/realtime.mjs'), name];
  return startServer({ ready: { command: process.execPath, args }, env: {}, core: SERVER_CORE });
}

/** Clients in a process of their own. */
class Crowd {
  #child;
  #lines;
  #size;

  /** @param {import('./servers.mjs').Running} running @param {number} size @param {string} protocol @returns {Promise<Crowd>} When all are there. */
  static async of({ port }, size, protocol) {
    const crowd = new Crowd();
    const args = [join(BENCH, 'clients/crowd.mjs'), String(port), String(size), protocol];
    crowd.#child = spawn(...pinned(LOAD_CORE, process.execPath, args), { stdio: ['pipe', 'pipe', 'inherit'] });
    crowd.#lines = createInterface(crowd.#child.stdout);
    crowd.#size = size;
    await crowd.#expectAll(crowd.#next());
    return crowd;
  }

  async listen(messages, seconds) {
    return JSON.parse(await this.#ask(`${messages} ${seconds}`));
  }

  /** All have to be there to the end. */
  async leave() {
    await this.#expectAll(this.#ask('?'));
    this.#child.stdin.end();
    await once(this.#child, 'exit');
  }

  async #expectAll(answer) {
    const open = Number(await answer);
    if (open !== this.#size) throw new Error(`${open} of ${this.#size} clients are there`);
  }

  #ask(line) {
    const answer = this.#next();
    this.#child.stdin.write(`${line}\n`);
    return answer;
  }

  async #next() {
    const ended = once(this.#child, 'exit').then(() => {
      throw new Error('The clients have broken off');
    });
    const [line] = await Promise.race([once(this.#lines, 'line'), ended]);
    return line;
  }
}
