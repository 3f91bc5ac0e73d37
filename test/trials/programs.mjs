/** Other people's programs for trials: PostgreSQL, and nginx before php-fpm. Each lives in a folder of its own, as nobody when we are root. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { asNobody, makeDatabase, makeFolder, POSTGRES, spawnPostgres } from '../support/postgres-programs.mjs';
import { pause, until } from './server.mjs';

/** A program may take so long to start, ms. */
const DEADLINE = 10_000;
/** Debian's nginx and php-fpm are not in everybody's PATH; the name of the latter has its version. */
const SBIN = '/usr/sbin';
const PHP_FPM = existsSync(SBIN) ? readdirSync(SBIN).find((name) => /^php-fpm\d/.test(name)) : undefined;

export const hasPostgres = POSTGRES !== undefined;
export const hasFpm = existsSync(join(SBIN, 'nginx')) && PHP_FPM !== undefined;
export const hasPhp = hasFpm && modulesOfPhp().includes('pgsql');

/**
 * An empty PostgreSQL.
 *
 * @returns {Promise<{ env: Record<string, string>, stop: () => Promise<void> }>} `env` is what tells a client where it is.
 */
export async function startPostgres() {
  const folder = makeDatabase();
  const port = await freePort();
  const child = spawnPostgres(folder, port);
  const said = outputOf(child);
  const stop = async () => {
    await end(child, 'SIGQUIT');
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await startOf('PostgreSQL', child, said, () => said().includes('ready to accept connections'));
  } catch (error) {
    await stop();
    throw error;
  }
  return { env: { PGHOST: '127.0.0.1', PGPORT: String(port), PGUSER: 'postgres', PGDATABASE: 'postgres' }, stop };
}

/**
 * A script in PHP: nginx with a process for each core, and as many processes of php-fpm as asked for, all from the start.
 *
 * @param {string} script
 * @param {number} children
 * @param {Record<string, string>} env
 * @param {string} [files] Served by nginx below /static/.
 * @returns {Promise<{ port: Promise<number>, stop: () => Promise<void> }>}
 */
export async function startPhp(script, children, env, files) {
  const folder = makeFolder('filrouge-php-');
  const port = await freePort();
  copyFileSync(script, join(folder, 'index.php'));
  const socket = join(folder, 'php.sock');
  writeFileSync(join(folder, 'fpm.conf'), fpmConfig(folder, socket, children));
  writeFileSync(join(folder, 'nginx.conf'), nginxConfig(folder, socket, port, files));
  /** @type {import('node:child_process').SpawnOptionsWithStdioTuple<'ignore', 'ignore', 'pipe'>} */
  const how = { ...asNobody(), cwd: folder, env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] };
  const fpm = spawn(join(SBIN, PHP_FPM ?? ''), ['-F', '-y', join(folder, 'fpm.conf')], how);
  const nginx = spawn(join(SBIN, 'nginx'), ['-p', folder, '-e', 'stderr', '-c', join(folder, 'nginx.conf')], how);
  const fpmSaid = () => readFileSync(join(folder, 'fpm.log'), 'utf8');
  const nginxSaid = outputOf(nginx);
  const stop = async () => {
    await Promise.all([end(nginx, 'SIGTERM'), end(fpm, 'SIGTERM')]);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await startOf('php-fpm', fpm, fpmSaid, () => existsSync(socket));
    await accepting(nginx, nginxSaid, port);
  } catch (error) {
    await stop();
    throw error;
  }
  return { port: Promise.resolve(port), stop };
}

export function versionOfPhp() {
  return PHP_FPM === undefined ? '' : (/PHP ([\d.]+)/.exec(execFileSync(join(SBIN, PHP_FPM), ['-v'], { encoding: 'utf8' }))?.[1] ?? '');
}

/** @returns {string[]} */
function modulesOfPhp() {
  return PHP_FPM === undefined ? [] : execFileSync(join(SBIN, PHP_FPM), ['-m'], { encoding: 'utf8' }).split('\n');
}

/** @param {string} folder @param {string} socket @param {number} children */
function fpmConfig(folder, socket, children) {
  return `[global]
error_log = ${join(folder, 'fpm.log')}
daemonize = no
[www]
listen = ${socket}
pm = static
pm.max_children = ${children}
clear_env = no
`;
}

/** @param {string} folder @param {string} socket @param {number} port @param {string} [files] */
function nginxConfig(folder, socket, port, files) {
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${join(folder, name)};`);
  return `daemon off;
pid ${join(folder, 'nginx.pid')};
worker_processes auto;
events { worker_connections 1024; }
http {
  access_log off;
  ${places.join('\n  ')}
  server {
    listen 127.0.0.1:${port};
    client_max_body_size 10m;
    ${files === undefined ? '' : `location /static/ { alias ${files}/; }`}
    location / {
      include /etc/nginx/fastcgi_params;
      fastcgi_param SCRIPT_FILENAME ${join(folder, 'index.php')};
      fastcgi_pass unix:${socket};
    }
  }
}
`;
}

/** @param {import('node:child_process').ChildProcess} child */
function outputOf(child) {
  let said = '';
  child.stderr?.on('data', (bytes) => {
    said += bytes;
  });
  return () => said;
}

/**
 * @param {string} name
 * @param {import('node:child_process').ChildProcess} child
 * @param {() => string} said
 * @param {() => boolean} isReady
 */
async function startOf(name, child, said, isReady) {
  const isUp = await until(() => (isReady() ? true : child.exitCode === null ? undefined : false), DEADLINE);
  if (!isUp) throw new Error(`${name} does not start:\n${said()}`);
}

/** @param {import('node:child_process').ChildProcess} nginx @param {() => string} said @param {number} port */
async function accepting(nginx, said, port) {
  for (const began = performance.now(); performance.now() - began < DEADLINE && nginx.exitCode === null; await pause(5)) {
    const socket = connect(port, '127.0.0.1');
    const isThere = await new Promise((resolve) => socket.on('connect', () => resolve(true)).on('error', () => resolve(false)));
    socket.destroy();
    if (isThere) return;
  }
  throw new Error(`nginx does not start:\n${said()}`);
}

/** @param {import('node:child_process').ChildProcess} child @param {NodeJS.Signals} signal */
async function end(child, signal) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'close');
  child.kill(signal);
  await ended;
}

/** @returns {Promise<number>} */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  return port;
}
