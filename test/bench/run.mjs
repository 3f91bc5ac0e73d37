/**
 * `npm run bench`: filrouge beside its peers, in one run on one machine.
 *
 * One core serves and another loads. The servers take turns round by round, so that a machine whose speed drifts slows all of them; what counts is the
 * ratio to node:http within a round, and of these the median. Every answer is checked for being right before anything is timed, and again afterwards.
 *
 *     npm run bench                                               all of it
 *     npm run bench -- --only json,tls --peers fastify,hono       some of it; filrouge and Node's own server are always in
 *     npm run bench -- --rounds 7 --seconds 3 --write             writes docs/benchmarks.md and docs/benchmarks.svg
 *     npm run bench -- --quick                                    a minute: the ratios beside those recorded
 *     npm run bench -- --dist /elsewhere/dist                     another build of filrouge
 *     npm run bench -- --list                                     names of scenarios and peers
 *
 * Ends with 1 when a server answers wrongly or something is missing that nothing goes without, never because of a figure.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import * as calls from './lib/calls.mjs';
import { chartOf } from './lib/chart.mjs';
import { fallOf, tableOf, versionsOf, withResults, withSection } from './lib/document.mjs';
import { hasH2load } from './lib/h2load.mjs';
import { HTTP2_PEERS, HTTP2_SCENARIOS } from './lib/http2.mjs';
import { contestantsOf, lengthOf, measure } from './lib/measure.mjs';
import { PEERS } from './lib/peers.mjs';
import { hasCertificate, prepareFiles, ROOT } from './lib/places.mjs';
import * as realtime from './lib/realtime.mjs';
import { QUICK, SCENARIOS } from './lib/scenarios.mjs';
import * as traces from './lib/traces.mjs';

/** Ratios to something else than node:http: each has a table of its own. */
const TABLES = [
  { name: calls.NAME, title: calls.TITLE, measure: () => calls.measureCalls(settings.rounds), tableOf: calls.tableOfCalls },
  { ...realtime.BROADCAST, measure: () => realtime.measureBroadcast(settings), tableOf: realtime.tableOfBroadcast },
  { ...realtime.SOCKETS, measure: () => realtime.measureSockets(settings), tableOf: realtime.tableOfSockets },
  { name: traces.NAME, title: traces.TITLE, measure: () => traces.measureTraces(settings), tableOf: traces.tableOfTraces },
];
const PAGE = join(ROOT, 'docs/benchmarks.md');
const CHART = join(ROOT, 'docs/benchmarks.svg');
const ALWAYS = ['filrouge', 'node'];
/** A ratio that fell by more than this is warned of. */
const TOLERANCE = 0.1;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    rate: { type: 'string', default: '8000' },
    idle: { type: 'string', default: '10000' },
    only: { type: 'string' },
    peers: { type: 'string' },
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    json: { type: 'string' },
    dist: { type: 'string', default: join(ROOT, 'dist') },
  },
});

const settings = {
  rounds: numberOf('rounds', values.quick ? '3' : '5'),
  seconds: numberOf('seconds', values.quick ? '0.8' : '2'),
  rate: numberOf('rate'),
  idle: numberOf('idle'),
};

if (values.list) {
  for (const { name, title } of [...SCENARIOS, ...HTTP2_SCENARIOS]) console.log(`${name.padEnd(12)} ${title}`);
  for (const { name, title } of TABLES) console.log(`${name.padEnd(12)} ${title}`);
  console.log(`\n${[...new Set([...PEERS, ...HTTP2_PEERS].map(({ name }) => name))].join(' ')}`);
} else {
  try {
    await main();
  } catch (error) {
    console.error(`bench: ${error.message}${error.cause ? `: ${error.cause.message}` : ''}`);
    process.exitCode = 1;
  }
}
process.exit();

async function main() {
  const dist = resolve(values.dist);
  process.env['BENCH_DIST'] = join(dist, 'index.js');
  prepareFiles(dist);
  const tables = TABLES.filter(({ name }) => (values.only === undefined ? !values.quick : namesOf('only').includes(name)));
  if (values.only !== undefined && tables.length === namesOf('only').length) return runTables(tables);
  const wanted = chosen('only', [...SCENARIOS, ...HTTP2_SCENARIOS], values.quick ? QUICK : undefined);
  const canLoadHttp2 = wanted.some(({ isHttp2 }) => isHttp2) && hasH2load();
  const scenarios = wanted.filter(({ isSecure, isHttp2 }) => (!isSecure || hasCertificate()) && (!isHttp2 || canLoadHttp2));
  const peers = chosen('peers', [...PEERS, ...HTTP2_PEERS], values.quick ? ['node'] : undefined, ALWAYS);
  const fieldOf = (all, isHttp2) =>
    scenarios.some((scenario) => isHttp2 === (scenario.isHttp2 ?? false)) ? prepareField(peers.filter((peer) => all.includes(peer))) : [];
  const fields = { http1: fieldOf(PEERS, false), http2: fieldOf(HTTP2_PEERS, true) };
  const field = [...fields.http1, ...fields.http2];
  const plan = scenarios.map((scenario) => ({
    scenario,
    contestants: contestantsOf(scenario, scenario.isHttp2 ? fields.http2 : fields.http1),
  }));
  const length = plan.reduce((sum, { scenario, contestants }) => sum + lengthOf(scenario, contestants, settings), 0);
  console.log(
    `${scenarios.length} scenarios, ${field.length} servers: about ${lengthText(length)}\n${machineText()} ${versionsOf(field)}.\n`,
  );

  const page = readFileSync(PAGE, 'utf8');
  const results = [];
  for (const { scenario, contestants } of plan) {
    const rows = await measure(scenario, contestants, settings);
    results.push({ scenario, rows });
    if (values.quick) compare(page, scenario, rows);
    else console.log(`${scenario.title}\n\n${tableOf(scenario, rows)}\n`);
    if (values.write) write([{ scenario, rows }]); // a run that is broken off has written what it has measured
  }
  if (values.json) writeJson(values.json, results);
  await runTables(tables);
}

async function runTables(tables) {
  for (const { name, title, measure: run, tableOf: draw } of tables) {
    const table = draw(await run());
    console.log(`${title}\n\n${table}\n`);
    if (!values.write) continue;
    const day = new Date().toISOString().slice(0, 10);
    const basis = `*${day}, Node ${process.versions.node}, ${settings.rounds} rounds. ${machineText()}*`;
    writeFileSync(PAGE, withSection(readFileSync(PAGE, 'utf8'), name, `\n${table}\n\n${basis}\n`));
  }
}

/** What an option names. */
function namesOf(option) {
  return values[option].split(',');
}

/** All that can be started, each with its version; the others are named. */
function prepareField(peers) {
  return peers.flatMap((peer) => {
    const ready = peer.prepare();
    if (typeof ready !== 'string') return [{ peer, ready }];
    console.warn(`SKIPPED: ${peer.title}: ${ready}`);
    return [];
  });
}

/** Those that an option names, or all of them. */
function chosen(option, all, fallback, always = []) {
  const isTable = (name) => option === 'only' && TABLES.some((table) => table.name === name); // which is no scenario
  const names = values[option] === undefined ? fallback : namesOf(option).filter((name) => !isTable(name));
  if (names === undefined) return all;
  const unknown = names.find((name) => all.every((one) => one.name !== name));
  if (unknown !== undefined) throw new Error(`--${option}: there is no "${unknown}", but ${all.map(({ name }) => name).join(', ')}`);
  return all.filter(({ name }) => names.includes(name) || always.includes(name));
}

function numberOf(option, fallback) {
  const number = Number(values[option] ?? fallback);
  if (number > 0) return number;
  console.error(`bench: --${option} is "${values[option]}", not a number above 0`);
  return process.exit(1);
}

/** Ours now and as recorded. */
function compare(page, scenario, rows) {
  const { recorded, now, fall } = fallOf(page, scenario, rows);
  const before = recorded === undefined ? 'nothing recorded' : `recorded ${recorded.toFixed(2)}`;
  console.log(`${scenario.title.padEnd(32)} ${now.toFixed(2).padStart(6)} × node:http   ${before}`);
  if (fall > TOLERANCE) console.warn(`WARNING: ${scenario.title} fell by ${Math.round(fall * 100)} %`);
}

function write(results) {
  const page = withResults(readFileSync(PAGE, 'utf8'), results, machineText(), conditionsText());
  writeFileSync(PAGE, page);
  writeFileSync(CHART, chartOf(page));
}

function writeJson(path, results) {
  const figures = results.map(({ scenario, rows }) => ({
    name: scenario.name,
    servers: rows.map(({ contestant, rounds }) => ({ title: contestant.title, version: contestant.ready.version, rounds })),
  }));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, JSON.stringify({ node: process.version, ...settings, figures }, null, 2));
}

function machineText() {
  const [{ model } = { model: 'unknown processor' }] = cpus();
  return `${model.trim()}, ${availableParallelism()} cores, Linux ${release().split('-')[0]}, Node ${process.versions.node}.`;
}

function conditionsText() {
  const day = new Date().toISOString().slice(0, 10);
  return `${day}, Node ${process.versions.node}, ${settings.seconds} s a round`;
}

function lengthText(seconds) {
  return seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} minutes`;
}
