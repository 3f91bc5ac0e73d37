/** HAProxy as docs/scaling.md has it, to the letter: what people copy is what is tried. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { pause, until } from '../server.mjs';

export const HAPROXY = ['/usr/sbin/haproxy', '/usr/local/sbin/haproxy'].find((path) => existsSync(path));

/** How long it may take to start, ms. */
const DEADLINE = 10_000;
/** A line of `option httplog`: the server, how the session ended, and the request with the number that the load has given it. */
const LINE = /^\S+ \[[^\]]+\] \S+ \S+\/(\S+) \S+ -?\d+ \+?\d+ - - (\S{4}) .*"[A-Z]+ \S*[?&]id=(\d+)/;

/** The configuration in the documentation. */
function documented() {
  const page = readFileSync(new URL('../../../docs/scaling.md', import.meta.url), 'utf8');
  const [, text] = /```haproxy\n(.*?)```/s.exec(page) ?? [];
  if (text === undefined) throw new Error('docs/scaling.md has no configuration of HAProxy');
  return text;
}

/** A balancer. */
export class Balancer {
  /** Where each request went that the load has numbered, and how it ended. @readonly @type {Map<number, { server: string, state: string }>} */
  routes = new Map();
  /** @readonly */
  #child;
  /** @readonly */
  #socket;
  #said = '';

  /** @param {import('./network.mjs').Network} network @param {string} folder */
  constructor(network, folder) {
    const file = join(folder, 'haproxy.cfg');
    const own = join(folder, 'own.cfg');
    this.#socket = join(folder, 'haproxy.sock');
    writeFileSync(file, documented());
    writeFileSync(own, `global\n  stats socket ${this.#socket}\n`);
    this.#child = network.start('edge', [HAPROXY ?? '', '-db', '-f', own, '-f', file], { stdio: ['ignore', 'pipe', 'pipe'] });
    let rest = '';
    this.#child.stdout?.on('data', (bytes) => {
      const lines = (rest + bytes).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#read(line);
    });
    this.#child.stderr?.on('data', (bytes) => {
      this.#said += bytes;
    });
  }

  /** Waits until it has found that these servers are up, and the others are not. @param {readonly string[]} names @returns {Promise<number>} ms */
  async sees(names) {
    const from = performance.now();
    for (; performance.now() - from < 2 * DEADLINE; await pause(50)) {
      const rows = await this.#stats();
      const isSo = rows.every(({ server, status }) => status.startsWith('UP') === names.includes(server));
      if (isSo && rows.length > 0) return performance.now() - from;
    }
    throw new Error(`HAProxy does not see ${names.join(', ')} alone as up:\n${this.#said}`);
  }

  /** @returns {Promise<{ server: string, status: string }[]>} */
  async #stats() {
    const isThere = await until(() => existsSync(this.#socket) || this.#child.exitCode !== null || undefined, DEADLINE);
    if (!isThere || this.#child.exitCode !== null) throw new Error(`HAProxy does not start:\n${this.#said}`);
    const socket = connect(this.#socket).on('error', () => {});
    socket.write('show stat\n');
    let text = '';
    for await (const bytes of socket) text += bytes;
    const [titles = '', ...rows] = text.trim().split('\n');
    const [name, status] = ['svname', 'status'].map((title) => titles.replace('# ', '').split(',').indexOf(title));
    return rows
      .map((row) => row.split(','))
      .filter((row) => !['FRONTEND', 'BACKEND'].includes(row[name ?? 0] ?? ''))
      .map((row) => ({ server: row[name ?? 0] ?? '', status: row[status ?? 0] ?? '' }));
  }

  /** @param {string} line */
  #read(line) {
    const [, server, state, id] = LINE.exec(line) ?? [];
    if (server !== undefined && state !== undefined) this.routes.set(Number(id), { server, state });
    else if (!line.includes('"')) this.#said += `${line}\n`;
  }
}
