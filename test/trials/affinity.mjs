/**
 * `affinity`: what does it cost to pass a request on, how much memory does a large one take, and how long do keys go unanswered when a worker is killed?
 *
 *     npm run trial -- affinity
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bounds } from './bounds.mjs';
import { largest, quantile } from './client.mjs';
import { getRequest, LeanLine } from './lean.mjs';
import { pause, Server, until } from './server.mjs';

const WORKERS = 4;
const MiB = 1024 * 1024;
/** Requests of each kind in a row, after some that warm up, and how many rows there are. */
const ROW = 1000;
const WARM_UP = 200;
const ROWS = 15;
const LARGE = 100 * MiB;
const KEYS = Array.from({ length: 64 }, (_, i) => `key ${i}`);
const KILL_INTERVAL = 1500;

/** @param {{ seconds: number }} how */
export async function run({ seconds }) {
  const bounds = new Bounds();
  await measureCost(bounds);
  const server = new Server('test/cluster/fixtures/affinity.mjs', { workers: WORKERS, log: 'json', maxBodySize: 2 * LARGE });
  const client = new Client(await server.port);
  await measureMemory(server, client, bounds);
  await measureDeaths(await server.port, seconds, bounds);
  await server.stop();
  bounds.end();
}

/**
 * The same requests over one connection, one after the other, answered where they were accepted and passed on, by turns: each has just had the machine in the
 * state that the others found it in. The client only writes and reads bytes, and there are no more workers than it takes.
 *
 * @param {Bounds} bounds
 */
async function measureCost(bounds) {
  const server = new Server('test/cluster/fixtures/affinity.mjs', { workers: 2, log: 'json' });
  const line = await LeanLine.to(await server.port);
  const { here, there } = await keysOf(async (path, key) => bodyOf(await line.ask(getRequest(path, key))));
  const relay = await Relay.start();
  const [back, on] = [Buffer.alloc(350, '='), Buffer.alloc(350, '-')];
  const [own, passed] = [getRequest('/peer', here), getRequest('/peer', there)];
  /** @type {Record<string, () => Promise<unknown>>} */
  const kinds = {
    'own key': () => line.ask(own),
    'passed on': () => line.ask(passed),
    'bare bytes, back at once': () => relay.ask(back),
    'bare bytes, by another process': () => relay.ask(on),
  };
  /** @type {Record<string, number[]>} */
  const times = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, []]));
  /** @type {Record<string, number[]>} */
  const medians = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, []]));
  const asked = Object.entries(kinds);
  for (let row = 0; row < ROWS; row++) {
    for (const pair of [asked.slice(0, 2), asked.slice(2)]) {
      for (const [kind, taken] of Object.entries(await byTurns(pair))) {
        times[kind]?.push(...taken);
        medians[kind]?.push(quantile(taken, 0.5));
      }
    }
  }
  line.close();
  relay.end();
  await server.stop();
  console.table(
    Object.entries(times).map(([kind, all]) => ({ kind, 'p50 µs': micro(quantile(all, 0.5)), 'p99 µs': micro(quantile(all, 0.99)) })),
  );
  const between = (/** @type {string} */ less, /** @type {string} */ more) =>
    (medians[more] ?? []).map((median, i) => micro(median - (medians[less]?.[i] ?? 0)));
  const costs = between('own key', 'passed on');
  const floor = between('bare bytes, back at once', 'bare bytes, by another process');
  console.log(`passing on costs, row by row, µs: ${costs.join(' ')}; median ${quantile(costs, 0.5)}`);
  console.log(
    `bare bytes cost, row by row, µs: ${floor.join(' ')}; median ${quantile(floor, 0.5)}: the least that the way to another process takes`,
  );
  bounds.atMost('cost of a passed request at p50, µs', quantile(costs, 0.5), 60);
}

/** @param {(readonly [string, () => Promise<unknown>])[]} kinds @returns {Promise<Record<string, number[]>>} Times of each, ms. */
async function byTurns(kinds) {
  /** @type {Record<string, number[]>} */
  const times = Object.fromEntries(kinds.map(([kind]) => [kind, []]));
  for (let i = -WARM_UP; i < ROW; i++) {
    for (const [kind, ask] of kinds) {
      const began = performance.now();
      await ask();
      if (i >= 0) times[kind]?.push(performance.now() - began);
    }
  }
  return times;
}

/** @param {Server} server @param {Client} client @param {Bounds} bounds */
async function measureMemory(server, client, bounds) {
  const { there } = await keysOf(async (path, key) => (await client.ask(path, key === undefined ? {} : { key })).text);
  const rss = async () => largest((await server.ask('status')).workers.map((/** @type {{ rss: number }} */ worker) => worker.rss));
  await client.ask(`/large?size=${10 * MiB}`, { key: there });
  const before = await rss();
  const began = performance.now();
  const down = await client.ask(`/large?size=${LARGE}`, { key: there });
  const between = performance.now();
  const up = JSON.parse((await client.ask('/streamed', { key: there }, LARGE)).text);
  const after = performance.now();
  const growth = Math.round(((await rss()) - before) / MiB);
  const pace = (/** @type {number} */ ms) => Math.round(LARGE / MiB / (ms / 1000));
  console.table([{ 'down MiB/s': pace(between - began), 'up MiB/s': pace(after - between), 'RSS grows by MiB': growth }]);
  if (down.size !== LARGE || up.size !== LARGE) throw new Error('a body did not come whole');
  bounds.atMost('memory of 100 MiB each way, MiB', growth, 48);
}

/** Workers are killed one after the other while every key is asked for all the time. @param {number} port @param {number} seconds @param {Bounds} bounds */
async function measureDeaths(port, seconds, bounds) {
  const end = new AbortController();
  /** When each key was answered, by whom. @type {Map<string, { at: number, pid: number }[]>} */
  const answers = new Map(KEYS.map((key) => [key, []]));
  let failed = 0;
  const asking = KEYS.map(async (key) => {
    let client = new Client(port);
    while (!end.signal.aborted) {
      const began = performance.now();
      try {
        const { text, status } = await client.ask('/', { key });
        if (status === 200) answers.get(key)?.push({ at: performance.now(), pid: JSON.parse(text).pid });
        else failed++;
      } catch {
        client.close(); // it was a connection of the worker that was killed
        client = new Client(port);
      }
      await pause(5 - (performance.now() - began));
    }
    client.close();
  });
  const gaps = [];
  for (let kill = 0; kill < Math.max(3, seconds / 6); kill++) {
    await pause(KILL_INTERVAL);
    const owners = new Map([...answers].map(([key, all]) => [key, all.at(-1)?.pid ?? 0]));
    const victim = /** @type {number} */ ([...owners.values()][kill % KEYS.length]);
    const at = performance.now();
    process.kill(victim, 'SIGKILL');
    const orphans = [...owners].filter(([, pid]) => pid === victim).map(([key]) => key);
    const times = await until(() => {
      const firsts = orphans.map((key) => answers.get(key)?.find((answer) => answer.at > at && answer.pid !== victim)?.at);
      return firsts.includes(undefined) ? undefined : firsts;
    }, 5000);
    gaps.push(...times.map((first = 0) => first - at));
  }
  end.abort();
  await Promise.all(asking);
  console.table([
    {
      'keys of killed workers': gaps.length,
      'answered by another after, p50 ms': quantile(gaps, 0.5).toFixed(1),
      'at most, ms': largest(gaps).toFixed(1),
      failed,
    },
  ]);
  bounds.atMost('until a key is answered by another worker, ms', largest(gaps), 100);
  bounds.atMost('failed requests, apart from connections of killed workers', failed, 0);
}

/**
 * A key that is answered where the connection was accepted, and one that is not.
 *
 * @param {(path: string, key?: string) => Promise<string>} ask
 */
async function keysOf(ask) {
  const { pid } = JSON.parse(await ask('/here'));
  /** @type {{ here?: string, there?: string }} */
  const found = {};
  for (let i = 0; !found.here || !found.there; i++) {
    const key = `key ${i}`;
    const answering = JSON.parse(await ask('/peer', key)).pid;
    found[answering === pid ? 'here' : 'there'] ??= key;
  }
  return /** @type {{ here: string, there: string }} */ (found);
}

/** @param {Buffer} answer */
function bodyOf(answer) {
  return answer.toString('utf8', answer.indexOf('\r\n\r\n') + 4);
}

/** @param {number} ms */
function micro(ms) {
  return Math.round(ms * 1000);
}

/** One connection. */
class Client {
  /** @readonly */
  #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  /** @readonly */
  #port;

  /** @param {number} port */
  constructor(port) {
    this.#port = port;
  }

  /** @param {string} path @param {Record<string, string>} headers @param {number} [upload] Bytes that are sent. @returns {Promise<{ status: number, text: string, size: number }>} */
  ask(path, headers, upload) {
    return new Promise((resolve, reject) => {
      const method = upload === undefined ? 'GET' : 'POST';
      const sent = request({ port: this.#port, host: '127.0.0.1', path, headers, method, agent: this.#agent }, (response) => {
        let text = '';
        let size = 0;
        response.on('data', (/** @type {Buffer} */ piece) => {
          size += piece.length;
          if (size < 64 * 1024) text += piece.toString();
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text, size }));
        response.on('error', reject);
      });
      sent.on('error', reject);
      if (upload === undefined) sent.end();
      else void feed(sent, upload);
    });
  }

  close() {
    this.#agent.destroy();
  }
}

/** The way to another process and back, without anything else. */
class Relay {
  /** @readonly */
  #child;
  /** @readonly */
  #directory;
  /** @readonly */
  #line;

  static async start() {
    const directory = mkdtempSync(join(tmpdir(), 'filrouge-relay-'));
    const child = fork('test/trials/fixtures/relay.mjs', [join(directory, 'socket')]);
    const [port] = await once(child, 'message');
    return new Relay(child, directory, await LeanLine.to(Number(port)));
  }

  /** @param {import('node:child_process').ChildProcess} child @param {string} directory @param {LeanLine} line */
  constructor(child, directory, line) {
    this.#child = child;
    this.#directory = directory;
    this.#line = line;
  }

  /** Sends as much as a request has. @param {Buffer} bytes Its first says where it goes: see the fixture. */
  ask(bytes) {
    return this.#line.ask(bytes, bytes.length);
  }

  end() {
    this.#line.close();
    this.#child.disconnect();
    rmSync(this.#directory, { recursive: true });
  }
}

/** @param {import('node:http').ClientRequest} sent @param {number} size */
async function feed(sent, size) {
  const piece = Buffer.alloc(MiB, 'u');
  for (let left = size; left > 0; left -= piece.length) await new Promise((resolve) => sent.write(piece, resolve));
  sent.end();
}
