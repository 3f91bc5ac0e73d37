/**
 * wrk: as many requests as a server takes.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { WrongAnswer } from './check.mjs';
import { BUILD } from './places.mjs';
import { LOAD_CORE, pinned } from './servers.mjs';

const CONNECTIONS = 64;
const MEBIBYTE = 1024 * 1024;
const UNITS = { us: 0.001, ms: 1, s: 1000, m: 60_000 };

/**
 * Loads a server.
 *
 * @param {import('./servers.mjs').Running} server
 * @param {import('./scenarios.mjs').Scenario} scenario
 * @param {{ seconds: number, isFree: boolean }} options `isFree`: on all cores.
 * @returns {Promise<{ rate: number, p99: number, cpu: number, mib: number, errors: number }>} Requests a second, ms, µs of the server for each,
 *   its resident memory afterwards, connections that failed.
 */
export async function load(server, scenario, { seconds, isFree }) {
  const whole = Math.max(1, Math.ceil(seconds));
  const asked = ['-t1', `-c${scenario.connections ?? CONNECTIONS}`, `-d${whole}`, '--latency', '-s', scriptOf(scenario), server.origin];
  // wrk counts whole seconds; told to stop it reports what it has.
  const command = seconds === whole ? ['wrk', asked] : ['timeout', ['-s', 'INT', String(seconds), 'wrk', ...asked]];
  const before = server.cpu();
  const child = spawn(...pinned(isFree ? undefined : LOAD_CORE, ...command), { stdio: ['ignore', 'pipe', 'pipe'] });
  const [output, complaints] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const spent = server.cpu() - before;
  const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(output)?.[1]);
  if (rate === 0) throw new WrongAnswer(`${server.origin} answered nothing in ${seconds} s`);
  if (Number.isNaN(rate) || output.includes('Non-2xx')) throw new WrongAnswer(`wrk on ${server.origin}: ${output}${complaints}`);
  const errors = /Socket errors:(.*)/.exec(output)?.[1]?.match(/\d+/g) ?? [];
  const [, value, unit] = /\s99%\s+([\d.]+)(us|ms|s|m)/.exec(output) ?? [];
  const done = Number(/(\d+) requests in/.exec(output)?.[1]);
  const cpu = (spent / done) * 1e6;
  return {
    rate,
    p99: Number(value) * UNITS[unit],
    cpu,
    mib: server.memory() / MEBIBYTE,
    errors: errors.reduce((sum, count) => sum + Number(count), 0),
  };
}

/** The script that makes wrk send what a scenario asks. */
function scriptOf({ name, asks, pipeline = 1 }) {
  const path = join(BUILD, `${name}.lua`);
  const lines = asks.length > 1 || pipeline > 1 ? scriptOfMany(asks, pipeline) : scriptOfOne(asks[0]);
  writeFileSync(path, lines.join('\n'));
  return path;
}

/** Made once by wrk itself. */
function scriptOfOne({ method = 'GET', path, headers = {}, body }) {
  return [
    `wrk.method = ${lua(method)}`,
    `wrk.path = ${lua(path)}`,
    ...Object.entries(headers).map(([name, value]) => `wrk.headers[${lua(name)}] = ${lua(value)}`),
    ...(body === undefined ? [] : [`wrk.body = ${lua(body)}`]),
  ];
}

/** Several in turn, or several in one write. */
function scriptOfMany(asks, pipeline) {
  const requests = asks.map(({ method = 'GET', path, headers = {}, body }) => {
    const fields = Object.entries(headers).map(([name, value]) => `[${lua(name)}] = ${lua(value)}`);
    return `wrk.format(${lua(method)}, ${lua(path)}, { ${fields.join(', ')} }, ${body === undefined ? 'nil' : lua(body)})`;
  });
  return [
    'local requests, at = {}, 0',
    `function init() requests = { ${requests.join(', ')} }`,
    `  for i = 1, #requests do requests[i] = string.rep(requests[i], ${pipeline}) end end`,
    'function request() at = at % #requests + 1; return requests[at] end',
  ];
}

/** A text as Lua spells it. */
function lua(value) {
  return `'${value
    .replaceAll(/[\\']/g, (char) => `\\${char}`)
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')}'`;
}
