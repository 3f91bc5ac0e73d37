/**
 * `npm run bench`: filrouge beside its peers, in one run on one machine.
 *
 * One core serves and another loads (wrk). The servers take turns round by round, so that a machine whose speed drifts slows all of them;
 * what counts is the ratio within a round, and of these the median. Every answer is checked once for being right before anything is timed.
 *
 *     npm run bench -- --rounds 7 --seconds 3 --only hello,json --json .build/bench.json
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const HERE = dirname(fileURLToPath(import.meta.url));
const PEERS = ['filrouge', 'node-http', 'fastify'];
const JSON_TEXT = JSON.stringify({ message: 'Hello, World!', at: [1, 2, 3], user: { id: 7, name: 'Ada' } });
const KIBIBYTE = 'x'.repeat(1024);

/** path, method and body of the request; the answer it must get; how it is loaded. */
const SCENARIOS = {
  hello: { title: 'plaintext, one at a time', path: '/', answer: 'Hello, World!', script: 'plain.lua' },
  pipelined: { title: 'plaintext, pipelined ×16', path: '/', answer: 'Hello, World!', script: 'pipelined.lua' },
  json: { title: 'JSON', path: '/json', answer: JSON_TEXT, script: 'plain.lua' },
  echo: { title: 'POST 1 KiB, echoed', path: '/echo', body: KIBIBYTE, answer: KIBIBYTE, script: 'post.lua' },
};

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '64' },
    only: { type: 'string' },
    json: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const chosen = Object.entries(SCENARIOS).filter(([name]) => !values.only || values.only.split(',').includes(name));

requireTools();
const servers = await Promise.all(PEERS.map(startServer));
const results = [];
try {
  for (const server of servers) for (const [, scenario] of chosen) await checkAnswer(server, scenario);
  for (const [name, scenario] of chosen) results.push({ name, title: scenario.title, ...(await measure(scenario)) });
} finally {
  for (const { child } of servers) child.kill('SIGKILL');
}
report();

function requireTools() {
  if (spawnSync('wrk', ['--version']).error) fail('wrk is not installed (Debian: apt-get install wrk)');
  if (!existsSync(join(HERE, '../../dist/index.js'))) fail('dist/ is missing: npm run build');
  if (!existsSync(join(HERE, 'node_modules'))) spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: HERE, stdio: 'inherit' });
}

/** With two cores or more, servers are pinned to the first and wrk to the second. */
function pinned(core, command, args) {
  return availableParallelism() > 1 && existsSync('/usr/bin/taskset')
    ? ['taskset', ['-c', String(core), command, ...args]]
    : [command, args];
}

async function startServer(peer) {
  const child = spawn(...pinned(0, process.execPath, [join(HERE, 'servers', `${peer}.mjs`)]), { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = await once(createInterface(child.stdout), 'line');
  return { peer, child, origin: `http://127.0.0.1:${port}` };
}

async function checkAnswer({ peer, origin }, { path, body, answer }) {
  const response = await fetch(
    origin + path,
    body ? { method: 'POST', body, headers: { 'Content-Type': 'application/octet-stream' } } : {},
  );
  const text = await response.text();
  if (response.status !== 200 || text !== answer) {
    fail(`${peer} answers ${path} with ${response.status} ${JSON.stringify(text.slice(0, 80))}`);
  }
}

/** All servers in turn, round by round. Requests per second of each, and the ratios of ours to each within its round. */
async function measure({ path, script }) {
  const figures = Object.fromEntries(PEERS.map((peer) => [peer, []]));
  for (const { origin } of servers) load(origin + path, script, 1); // warm-up: the compiler has to see it
  for (let round = 0; round < rounds; round++) {
    for (const { peer, origin } of servers) figures[peer].push(load(origin + path, script, Number(values.seconds)));
  }
  const ratios = Object.fromEntries(PEERS.slice(1).map((peer) => [peer, figures.filrouge.map((ours, i) => ours / figures[peer][i])]));
  return { figures, ratios };
}

function load(url, script, seconds) {
  const args = ['-t1', `-c${values.connections}`, `-d${seconds}`, '-s', join(HERE, script), url];
  const { stdout, stderr } = spawnSync(...pinned(1, 'wrk', args), { encoding: 'utf8' });
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1];
  if (!rate || /Non-2xx|Socket errors/.test(stdout)) fail(`wrk on ${url}: ${stdout}${stderr}`);
  return Number(rate);
}

function report() {
  const [{ model } = { model: 'unknown' }] = cpus();
  console.log(
    `\nNode ${process.version}, ${availableParallelism()} cores (${model}), wrk -t1 -c${values.connections} -d${values.seconds}, ${rounds} rounds\n`,
  );
  console.log('| scenario | ÷ node:http | ÷ fastify | filrouge, requests/s | node:http | fastify |\n|---|---|---|---|---|---|');
  for (const { title, figures, ratios } of results) {
    const cells = [
      title,
      ...Object.values(ratios).map(ratioText),
      ...PEERS.map((peer) => Math.round(median(figures[peer])).toLocaleString('en')),
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
  if (values.json) {
    mkdirSync(dirname(values.json), { recursive: true });
    writeFileSync(values.json, JSON.stringify({ node: process.version, rounds, results }, null, 2));
  }
}

function ratioText(ratios) {
  return `**${median(ratios).toFixed(2)}** (${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)})`;
}

function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function fail(message) {
  console.error(`bench: ${message}`);
  process.exit(1);
}
