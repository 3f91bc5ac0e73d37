/**
 * h2load: as many requests over HTTP/2 as a server takes.
 *
 * @module
 */
import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { WrongAnswer } from './check.mjs';
import { BUILD } from './places.mjs';
import { LOAD_CORE, pinned } from './servers.mjs';

const ATTEMPTS = 3;

/** Whether it is there, with a word when it is not. */
export function hasH2load() {
  const { error } = spawnSync('h2load', ['--version']);
  if (error) console.warn('SKIPPED: HTTP/2, h2load is not installed (Debian: nghttp2-client)');
  return error === undefined;
}

/**
 * Loads a server.
 *
 * @param {import('./servers.mjs').Running} server
 * @param {import('./scenarios.mjs').Scenario} scenario
 * @param {{ seconds: number }} options
 * @returns {Promise<{ rate: number, cpu: number, errors: number }>} Requests a second, µs of the server for each, requests that failed.
 * @throws {WrongAnswer} When it is answered with anything but 2xx.
 */
export async function loadHttp2(server, scenario, { seconds }) {
  for (let attempt = 1; ; attempt++) {
    const result = await loadOnce(server, scenario, seconds);
    if (result.rate > 0) return result;
    // On a machine that has other work h2load may give up its connections before any has been measured.
    if (attempt === ATTEMPTS) throw new WrongAnswer(`${server.origin} answered nothing in ${seconds} s, ${attempt} times`);
  }
}

async function loadOnce(server, scenario, seconds) {
  const [{ path, headers = {}, body }] = scenario.asks;
  const args = ['-t1', `-c${scenario.connections}`, `-m${scenario.streams}`, `-D${Math.max(1, Math.round(seconds))}`];
  for (const [name, value] of Object.entries(headers)) args.push('-H', `${name}: ${value}`);
  if (body !== undefined) args.push('-d', fileOf(scenario.name, body));
  const before = server.cpu();
  const child = spawn(...pinned(LOAD_CORE, 'h2load', [...args, server.origin + path]), { stdio: ['ignore', 'pipe', 'pipe'] });
  const [output, complaints] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [rate, done, failed, errored] = [/([\d.]+) req\/s/, /(\d+) succeeded/, /(\d+) failed/, /(\d+) errored/].map((pattern) =>
    Number(pattern.exec(output)?.[1]),
  );
  const others = /status codes: \d+ 2xx, (.*)/.exec(output)?.[1]?.match(/\b\d+(?= \dxx)/g) ?? ['1'];
  if (Number.isNaN(rate) || others.some((count) => count !== '0')) {
    throw new WrongAnswer(`h2load on ${server.origin}: ${output}${complaints}`);
  }
  return { rate, cpu: ((server.cpu() - before) / done) * 1e6, errors: failed + errored };
}

function fileOf(name, body) {
  const path = join(BUILD, `${name}.body`);
  writeFileSync(path, body);
  return path;
}
