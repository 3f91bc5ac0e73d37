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
 * @returns {Promise<{ rate: number, errors: number }>} Requests a second, requests that failed.
 * @throws {WrongAnswer} When it is answered with anything but 2xx.
 */
export async function loadHttp2(server, scenario, { seconds }) {
  const [{ path, headers = {}, body }] = scenario.asks;
  const args = ['-t1', `-c${scenario.connections}`, `-m${scenario.streams}`, `-D${Math.max(1, Math.round(seconds))}`];
  for (const [name, value] of Object.entries(headers)) args.push('-H', `${name}: ${value}`);
  if (body !== undefined) args.push('-d', fileOf(scenario.name, body));
  const child = spawn(...pinned(LOAD_CORE, 'h2load', [...args, server.origin + path]), { stdio: ['ignore', 'pipe', 'pipe'] });
  const [output, complaints] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const rate = Number(/([\d.]+) req\/s/.exec(output)?.[1]);
  const [failed, errored] = [/(\d+) failed/, /(\d+) errored/].map((pattern) => Number(pattern.exec(output)?.[1]));
  const others = /status codes: \d+ 2xx, (.*)/.exec(output)?.[1]?.match(/\b\d+(?= \dxx)/g) ?? ['1'];
  if (!(rate > 0) || others.some((count) => count !== '0')) throw new WrongAnswer(`h2load on ${server.origin}: ${output}${complaints}`);
  return { rate, errors: failed + errored };
}

function fileOf(name, body) {
  const path = join(BUILD, `${name}.body`);
  writeFileSync(path, body);
  return path;
}
