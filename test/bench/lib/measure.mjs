/**
 * Measuring: contestants take turns round by round, so that a machine whose speed drifts slows all of them.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { askOverHttp2, checkAnswers, cookieOf, WrongAnswer } from './check.mjs';
import { loadHttp2 } from './h2load.mjs';
import { PEERS } from './peers.mjs';
import { BENCH } from './places.mjs';
import { LOAD_CORE, pinned, SERVER_CORE, startServer } from './servers.mjs';
import { load } from './wrk.mjs';

const MIB = 1024 * 1024;
const CONNECTIONS = 64;

/**
 * @typedef {object} Contestant A peer, as it takes part in one scenario.
 * @property {string} title
 * @property {import('./peers.mjs').Peer} peer
 * @property {import('./peers.mjs').Ready} ready
 * @property {Record<string, string>} env
 * @property {number | undefined} core
 *
 * @typedef {object} Settings
 * @property {number} rounds
 * @property {number} seconds
 * @property {number} rate Requests a second, where they come at a fixed rate.
 * @property {number} idle Connections, where they only wait.
 *
 * @typedef {object} Row
 * @property {Contestant} contestant
 * @property {Record<string, number>[]} rounds What was counted in each.
 */

/**
 * Those of the peers that take part.
 *
 * @param {import('./scenarios.mjs').Scenario} scenario
 * @param {readonly { peer: import('./peers.mjs').Peer, ready: import('./peers.mjs').Ready }[]} field
 * @returns {Contestant[]}
 */
export function contestantsOf(scenario, field) {
  if (scenario.variants) {
    return scenario.variants.flatMap(({ peer: name, title, env }) => {
      const found = field.find(({ peer }) => peer.name === name);
      return found ? [{ ...found, title, env, core: undefined }] : [];
    });
  }
  const needs = [scenario.needs, scenario.isSecure ? 'tls' : 'plain'];
  const isIn = ({ peer }) => !needs.some((need) => peer.lacks.includes(need)) && (scenario.only?.includes(peer.name) ?? true);
  return field.filter(isIn).map((one) => ({ ...one, title: one.peer.title, env: one.peer.env ?? {}, core: SERVER_CORE }));
}

/** How many rounds a scenario takes. */
export function roundsOf(scenario, { rounds }) {
  return Math.min(rounds, scenario.rounds ?? rounds);
}

/** About how long a scenario takes, seconds. */
export function lengthOf(scenario, contestants, settings) {
  const seconds = settings.seconds * (scenario.longer ?? 1);
  const rounds = roundsOf(scenario, settings);
  if (scenario.load === 'startup') return contestants.length * rounds * (seconds + 0.6);
  if (scenario.load === 'idle') return contestants.length * rounds * (0.6 + (scenario.idle ?? settings.idle) / 5000);
  return contestants.length * (rounds * (seconds + 0.1) + warmUp(settings) + 0.5);
}

/**
 * Measures one scenario.
 *
 * @param {import('./scenarios.mjs').Scenario} scenario
 * @param {readonly Contestant[]} contestants
 * @param {Settings} settings
 * @returns {Promise<Row[]>}
 * @throws {WrongAnswer} When one of them answers wrongly, before or after it was loaded.
 */
export async function measure(scenario, contestants, settings) {
  const rows = contestants.map((contestant) => ({ contestant, rounds: [] }));
  const run = scenario.load === 'startup' || scenario.load === 'idle' ? measureFresh : measureRunning;
  await run(
    scenario,
    rows,
    { ...settings, rounds: roundsOf(scenario, settings), seconds: settings.seconds * (scenario.longer ?? 1) },
    settings,
  );
  return rows;
}

/** All of them run, and are loaded in turn. */
async function measureRunning(scenario, rows, settings, usual) {
  const servers = new Map();
  const behind = scenario.hasUpstream ? await startUpstream() : undefined;
  try {
    for (const { contestant } of rows) servers.set(contestant, await startServer(contestant, scenario, behind?.origin));
    const asked = new Map();
    for (const { contestant } of rows) asked.set(contestant, await signedIn(scenario, servers.get(contestant)));
    for (const { contestant } of rows) await checkAnswers(contestant.title, servers.get(contestant), asked.get(contestant));
    const warming = { ...settings, seconds: warmUp(usual) };
    for (const { contestant } of rows) await loadOnce(asked.get(contestant), contestant, servers.get(contestant), warming);
    for (let round = 0; round < settings.rounds; round++) {
      for (const row of rotated(rows, round)) {
        row.rounds.push(await loadOnce(asked.get(row.contestant), row.contestant, servers.get(row.contestant), settings));
      }
    }
    for (const { contestant } of rows) await checkAnswers(contestant.title, servers.get(contestant), asked.get(contestant));
  } finally {
    for (const { kill } of servers.values()) kill();
    behind?.kill();
  }
}

/** A server of ours on the core of the load. */
function startUpstream() {
  const ready = PEERS.find(({ name }) => name === 'filrouge').prepare();
  return startServer({ ready, env: {}, core: LOAD_CORE });
}

/** What is asked of a server, with the cookie of one that has signed in. */
export async function signedIn(scenario, server) {
  if (!scenario.login) return scenario;
  const Cookie = await cookieOf(server, scenario.login);
  return { ...scenario, asks: scenario.asks.map((one) => ({ ...one, headers: { ...one.headers, Cookie } })) };
}

/** Before anything counts: the compilers have to see the code. */
function warmUp({ seconds }) {
  return Math.min(1, seconds);
}

/** Another one begins each round. */
function rotated(rows, round) {
  const at = round % rows.length;
  return [...rows.slice(at), ...rows.slice(0, at)];
}

async function loadOnce(scenario, contestant, server, settings) {
  const options = { seconds: settings.seconds, isFree: contestant.core === undefined };
  const result = await (scenario.load === 'fixedRate' ? loadAtRate(scenario, server, settings) : loadFully(server, scenario, options));
  if (result.errors > 0 && !scenario.isClosing) {
    console.warn(`  ${contestant.title}: ${result.errors} connections failed while it was loaded`);
  }
  return result;
}

/** As many requests as it takes. */
function loadFully(server, scenario, options) {
  if (scenario.load === 'websocket') return loadSockets(server, scenario, options);
  return scenario.isHttp2 ? loadHttp2(server, scenario, options) : load(server, scenario, options);
}

/** As many messages as come back. */
async function loadSockets({ port, cpu }, { connections, underWay }, { seconds, isFree }) {
  const before = cpu();
  const { done, ...result } = await outcomeOf('echo', isFree ? undefined : LOAD_CORE, [port, connections, underWay, seconds]);
  return { ...result, cpu: ((cpu() - before) / done) * 1e6, errors: 0 };
}

function loadAtRate({ asks }, { port }, { rate, seconds }) {
  return outcomeOf('fixed-rate', LOAD_CORE, [port, asks[0].path, rate, seconds, CONNECTIONS]);
}

/** What one of our own clients has counted. */
async function outcomeOf(client, core, given) {
  const args = [join(BENCH, `clients/${client}.mjs`), ...given.map(String)];
  const child = spawn(...pinned(core, process.execPath, args), { stdio: ['ignore', 'pipe', 'pipe'] });
  const [output, complaints] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (output === '') throw new WrongAnswer(complaints);
  return JSON.parse(output);
}

/** A new process for each figure. */
async function measureFresh(scenario, rows, settings) {
  const measureOne = scenario.load === 'startup' ? measureStart : measureIdle;
  for (let round = 0; round < settings.rounds; round++) {
    for (const row of rotated(rows, round)) {
      const began = performance.now();
      const server = await startServer(row.contestant, scenario);
      try {
        row.rounds.push(await measureOne(scenario, row.contestant, server, settings, began));
      } finally {
        server.kill();
      }
    }
  }
}

async function measureStart(scenario, { title }, server, { seconds }, began) {
  await checkAnswers(title, server, scenario);
  const ms = performance.now() - began;
  const rest = server.memory() / MIB;
  await load(server, scenario, { seconds, isFree: false });
  return { ms, rest, loaded: server.memory() / MIB };
}

async function measureIdle(scenario, { title, ready }, server, settings) {
  const { idle = settings.idle } = scenario;
  await checkAnswers(title, server, scenario);
  await loadFully(server, scenario, { seconds: Math.min(1, settings.seconds), isFree: false }); // what a server takes for its work is not counted
  const heapBefore = await heapOf(scenario, ready, server);
  const before = server.memory();
  const child = spawn(
    ...pinned(LOAD_CORE, process.execPath, [
      join(BENCH, 'clients/idle.mjs'),
      String(server.port),
      String(idle),
      ...(scenario.isHttp2 ? ['http2'] : []),
    ]),
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  const lines = createInterface(child.stdout);
  const [opened = '0'] = await Promise.race([once(lines, 'line'), once(child, 'exit').then(() => [])]);
  const after = server.memory();
  if (Number(opened) !== idle) throw new WrongAnswer(`${title} holds ${opened} of ${idle} connections`);
  const heap = (await heapOf(scenario, ready, server)) - heapBefore;
  child.stdin.write('\n');
  const [still] = await once(lines, 'line');
  child.stdin.end();
  await once(child, 'exit');
  if (Number(still) !== idle) throw new WrongAnswer(`${title} has closed ${idle - Number(still)} of ${idle} idle connections`);
  return { kib: (after - before) / idle / 1024, heap: heap / idle / 1024, mib: after / MIB };
}

/** What is in use of the heap of V8, bytes; NaN for what is not asked over HTTP/2, or is no Node. */
async function heapOf({ isHttp2 }, { command }, server) {
  if (!isHttp2 || command !== process.execPath) return Number.NaN;
  const { body } = await askOverHttp2(server, { path: '/heap' });
  return Number(body);
}
