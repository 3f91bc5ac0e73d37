/**
 * Processes: servers on one core, what loads them on another.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { BENCH, BUILD } from './places.mjs';

/** How long a server may take to listen, ms. */
const DEADLINE = 20_000;
const PAGE = 4096;

/** The core of the servers and the core of the load. */
export const SERVER_CORE = 0;
export const LOAD_CORE = 1;

/**
 * @typedef {object} Running
 * @property {number} port
 * @property {string} origin With its scheme.
 * @property {() => void} kill
 * @property {() => number} memory Resident bytes of all its processes.
 * @property {() => number} cpu What all its processes have computed, in themselves and in the kernel, s.
 */

const running = new Set();
process.on('exit', () => {
  for (const kill of running) kill();
});
for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
]) {
  process.on(signal, () => process.exit(status));
}

/** With two cores or more a program is pinned to one of them; `undefined` leaves it free. */
export function pinned(core, command, args) {
  const isPinned = core !== undefined && availableParallelism() > 1 && existsSync('/usr/bin/taskset');
  return isPinned ? ['taskset', ['-c', String(core), command, ...args]] : [command, args];
}

/**
 * Starts a contestant.
 *
 * @param {{ ready: import('./peers.mjs').Ready, env: Record<string, string>, core: number | undefined }} contestant
 * @param {{ isSecure?: boolean, isHttp2?: boolean }} [scenario]
 * @param {string} [upstream] The origin of a server behind.
 * @returns {Promise<Running>} When it listens.
 */
export async function startServer({ ready, env, core }, { isSecure = false, isHttp2 = false } = {}, upstream) {
  if (ready.start) return startOthers(ready);
  if (ready.command === undefined) return startNginx(core, isSecure, isHttp2, upstream);
  if (ready.argsOf) return startOnPort(core, ready, isSecure);
  const args = env['BENCH_PEER'] === undefined ? ready.args : [join(BENCH, 'servers/clustered.mjs')];
  const child = spawn(...pinned(core, ready.command, args), {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
    env: {
      ...process.env,
      NODE_ENV: 'production',
      BENCH_FILES: BUILD,
      BENCH_TLS: isSecure ? '1' : '0',
      BENCH_HTTP2: isHttp2 ? '1' : '0',
      ...(upstream !== undefined && { BENCH_UPSTREAM: upstream }),
      ...env,
    },
  });
  const kill = killerOf(child);
  try {
    const port = await portOf(child, env['BENCH_PEER'] === undefined ? 1 : Number(env['BENCH_WORKERS']));
    return runningOf(child, port, isSecure, kill);
  } catch (cause) {
    kill();
    throw new Error(`Cannot start ${args[0] ?? ready.command}`, { cause });
  }
}

function runningOf(child, port, isSecure, kill) {
  return {
    port,
    origin: `${isSecure ? 'https' : 'http'}://127.0.0.1:${port}`,
    kill,
    memory: () => memoryOf(child.pid),
    cpu: () => cpuOf(child.pid),
  };
}

/** Ends a server with all its processes: each leads a group of its own. */
function killerOf(child) {
  const kill = () => {
    running.delete(kill);
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  };
  running.add(kill);
  return kill;
}

/** The port it prints: once in each of its processes. */
function portOf(child, processes) {
  return new Promise((resolve, reject) => {
    let printed = 0;
    const timer = setTimeout(() => reject(new Error(`does not listen after ${DEADLINE} ms`)), DEADLINE);
    child.on('error', reject);
    child.on('exit', (code, signal) => reject(new Error(`ended with ${signal ?? code}`)));
    createInterface(child.stdout).on('line', (line) => {
      if (++printed < processes) return;
      clearTimeout(timer);
      resolve(Number(line));
    });
  });
}

/** What starts by itself, with several programs. */
async function startOthers({ start }) {
  const { port, stop } = await start();
  const kill = () => {
    running.delete(kill);
    void stop();
  };
  running.add(kill);
  return { port: await port, origin: `http://127.0.0.1:${await port}`, kill, memory: () => Number.NaN, cpu: () => Number.NaN };
}

/** nginx prints no port: it is given one that is free. */
async function startNginx(core, isSecure, isHttp2, upstream) {
  const port = await freePort();
  const config = join(BUILD, `nginx-${port}.conf`);
  writeFileSync(config, nginxConfig(port, isSecure, isHttp2, upstream));
  const child = spawn(...pinned(core, 'nginx', ['-p', BUILD, '-e', 'stderr', '-c', config]), {
    stdio: ['ignore', 'ignore', 'inherit'],
    detached: true,
  });
  const kill = killerOf(child);
  await untilConnected(port, performance.now() + DEADLINE);
  return runningOf(child, port, isSecure, kill);
}

/** The same for a program that takes it as an argument. */
async function startOnPort(core, { command, argsOf }, isSecure) {
  const port = await freePort();
  const child = spawn(...pinned(core, command, argsOf(port, isSecure)), { stdio: ['ignore', 'ignore', 'inherit'], detached: true });
  const kill = killerOf(child);
  await untilConnected(port, performance.now() + DEADLINE);
  return runningOf(child, port, isSecure, kill);
}

function nginxConfig(port, isSecure, isHttp2, upstream) {
  const routes = Array.from({ length: 100 }, (_, n) => `location ~ ^/api/r${n}/([^/]+)$ { return 200 "${n} $1"; }`);
  const json = '{"message":"Hello, World!","at":[1,2,3],"user":{"id":7,"name":"Ada"}}';
  return `daemon off; ${process.getuid?.() === 0 ? 'user root;' : ''} worker_processes 1; worker_rlimit_nofile 20000; pid nginx-${port}.pid;
events { worker_connections 16000; }
http {
  access_log off; keepalive_timeout 120s; keepalive_requests 100000000; default_type text/plain;
  client_body_temp_path tmp-body; proxy_temp_path tmp-proxy; fastcgi_temp_path tmp-fastcgi; uwsgi_temp_path tmp-uwsgi; scgi_temp_path tmp-scgi;
  types { text/html html; text/plain txt; }
  gzip_types text/plain; gzip_comp_level 6;
  ${isSecure ? 'ssl_certificate cert.pem; ssl_certificate_key key.pem; ssl_protocols TLSv1.3;' : ''}
  ${upstream === undefined ? '' : `upstream behind { server ${new URL(upstream).host}; keepalive 64; keepalive_requests 100000000; }`}
  server {
    ${upstream === undefined ? '' : "location /up/ { proxy_pass http://behind/; proxy_http_version 1.1; proxy_set_header Connection ''; }"}
    listen 127.0.0.1:${port} backlog=4096 ${isSecure ? 'ssl' : ''} ${isHttp2 ? 'http2' : ''};
    location = / { return 200 "Hello, World!"; }
    location = /json { default_type application/json; return 200 '${json}'; }
    location = /large { default_type application/octet-stream; alias static/large.bin; }
    location /static/ { root .; }
    location = /text { gzip on; alias static/text.txt; }
    ${routes.join('\n    ')}
  }
}
`;
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Tries again as soon as it was refused. */
function untilConnected(port, until) {
  return new Promise((resolve, reject) => {
    const attempt = () => {
      const socket = connect(port, '127.0.0.1', () => resolve(socket.destroy()));
      socket.on('error', (error) => (performance.now() > until ? reject(error) : setImmediate(attempt)));
    };
    attempt();
  });
}

/** Resident memory of a group of processes, bytes. NaN where there is no /proc. */
function memoryOf(group) {
  return PAGE * sumOver(group, (pid) => Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]));
}

/** Linux counts hundredths of a second for everybody. */
function cpuOf(group) {
  return sumOver(group, (_pid, fields) => Number(fields[11]) + Number(fields[12])) / 100;
}

/** Adds up something of each process of a group. @param {(pid: string, fields: string[]) => number} of `fields` are those of its stat, from its state on. */
function sumOver(group, of) {
  if (!existsSync('/proc/self/statm')) return Number.NaN;
  let sum = 0;
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (Number(fields[2]) === group) sum += of(pid, fields);
    } catch {
      // It ended while we looked.
    }
  }
  return sum;
}
