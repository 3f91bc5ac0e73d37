/**
 * The servers that are measured: what each is started with, its version, and why it cannot be had.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasFpm, startPhp, versionOfPhp } from '../../trials/programs.mjs';
import { BENCH, BUILD, ROOT } from './places.mjs';

/**
 * @typedef {object} Peer
 * @property {string} name For `--peers`.
 * @property {string} title
 * @property {boolean} isFramework For Node: what filrouge is compared with first.
 * @property {readonly string[]} lacks Needs of scenarios that it does not meet.
 * @property {Record<string, string>} [env] What it is started with besides.
 * @property {() => Ready | string} prepare How to start it, or why it cannot be started.
 *
 * @typedef {object} Ready
 * @property {string} version
 * @property {string} [command] Without it, nginx.
 * @property {() => Promise<{ port: Promise<number>, stop: () => Promise<void> }>} [start] For what starts by itself.
 * @property {readonly string[]} [args]
 * @property {(port: number, isSecure: boolean) => readonly string[]} [argsOf] For one that prints no port: it is given one that is free.
 */

const NO_CARGO = 'cargo is not installed (Debian: cargo, librust-hyper-dev, librust-tokio-dev, librust-tiny-http-dev)';
/** What hyper and tiny_http have nothing for by themselves. */
export const SMALL_SERVER = ['form', 'static', 'text', 'api', 'tls'];

/** @type {readonly Peer[]} */
export const PEERS = [
  nodeServer('filrouge', 'filrouge', 'filrouge.mjs', ownVersion),
  nodeServer('node', 'node:http', 'node-http.mjs', () => process.versions.node),
  framework('fastify', 'fastify'),
  framework('hono', 'hono'),
  framework('express', 'express'),
  framework('koa', 'koa'),
  framework('polka', 'polka'),
  framework('h3', 'h3', ['text']),
  { name: 'bun', title: 'Bun.serve', isFramework: false, lacks: [], prepare: prepareBun },
  { name: 'nginx', title: 'nginx', isFramework: false, lacks: ['echo', 'form'], prepare: prepareNginx },
  {
    name: 'php',
    title: 'php-fpm behind nginx',
    isFramework: false,
    lacks: [...SMALL_SERVER, 'hello', 'echo', 'plain', 'idle'],
    prepare: preparePhp,
  },
  { name: 'go', title: 'Go net/http', isFramework: false, lacks: [], prepare: prepareGo },
  { name: 'hyper', title: 'hyper (Rust)', isFramework: false, lacks: SMALL_SERVER, prepare: () => prepareRust('rust-hyper', 'hyper') },
  {
    name: 'tiny_http',
    title: 'tiny_http (Rouille)',
    isFramework: false,
    lacks: [...SMALL_SERVER, 'idle'], // two descriptors a connection: 10,000 are more than it is usually allowed
    prepare: () => prepareRust('tiny-http', 'tiny_http'),
  },
];

/** One that is a script of test/bench/servers. */
export function nodeServer(name, title, script, versionOf, isFramework = false, lacks = [], flags = []) {
  const prepare = () => ({ version: versionOf(), command: process.execPath, args: [...flags, join(BENCH, 'servers', script)] });
  return { name, title, isFramework, lacks, prepare };
}

function framework(name, title, lacks = []) {
  return nodeServer(name, title, `${name}.mjs`, () => versionOfPackage(name), true, lacks);
}

/** The version of filrouge. */
export function ownVersion() {
  return JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version;
}

/** The version of an installed peer. */
export function versionOfPackage(name) {
  return JSON.parse(readFileSync(join(BENCH, 'node_modules', name, 'package.json'), 'utf8')).version;
}

/** Its package has a script that puts the program in its place; scripts of packages are not run here, so it is taken from where it lies. */
function prepareBun() {
  const kinds = [`${process.platform}-${process.arch}`, `${process.platform}-${process.arch}-baseline`];
  const command = kinds.map((kind) => join(BENCH, 'node_modules/@oven', `bun-${kind}`, 'bin/bun')).find((path) => existsSync(path));
  if (!command) return `there is no package @oven/bun-${kinds[0]}`;
  const { error, stdout } = run(command, ['--version']);
  return error ?? { version: stdout.trim(), command, args: [join(BENCH, 'servers/bun.mjs')] };
}

/** A small application of its own, for the scenario that names it. */
function preparePhp() {
  if (!hasFpm) return 'php-fpm or nginx is not installed (Debian: php-fpm, nginx-light)';
  return { version: versionOfPhp(), start: () => startPhp(join(BENCH, 'servers/application.php'), 8, {}, join(BUILD, 'static')) };
}

/** Its configuration is written when it is started. */
export function prepareNginx() {
  const { error, stderr } = run('nginx', ['-v']);
  return error ? 'nginx is not installed (Debian: nginx-light)' : { version: /nginx\/([\d.]+)/.exec(stderr)?.[1] ?? '' };
}

/** Built from our source. */
export function prepareGo() {
  const version = run('go', ['version']);
  if (version.error) return 'go is not installed (Debian: golang-go)';
  const command = join(BUILD, 'go-server');
  const { error } = run('go', ['build', '-o', command, join(BENCH, 'servers/go/main.go')], { env: { ...process.env, GO111MODULE: 'off' } });
  return error ?? { version: /go([\d.]+)/.exec(version.stdout)?.[1] ?? '', command, args: [] };
}

/** From Debian's sources where they are (librust-…-dev), else from the registry. */
export function prepareRust(folder, crate) {
  if (run('cargo', ['--version']).error) return NO_CARGO;
  const cwd = join(BUILD, folder);
  mkdirSync(cwd, { recursive: true });
  for (const file of ['Cargo.toml', 'main.rs']) copyFileSync(join(BENCH, 'servers', folder, file), join(cwd, file));
  const debian = '/usr/share/cargo/registry';
  const source = ['--offline', '--config', 'source.crates-io.replace-with="debian"', '--config', `source.debian.directory="${debian}"`];
  const { error } = run('cargo', ['build', '--release', '--quiet', ...(existsSync(debian) ? source : [])], { cwd });
  if (error) return error;
  const lock = readFileSync(join(cwd, 'Cargo.lock'), 'utf8');
  const version = new RegExp(`name = "${crate}"\\nversion = "([^"]+)"`).exec(lock)?.[1] ?? '';
  return { version, command: join(cwd, 'target/release', `bench-${folder.replace('rust-', '')}`), args: [] };
}

/**
 * Runs a program to its end.
 *
 * @returns {{ error?: string, stdout: string, stderr: string }}
 */
export function run(command, args, options = {}) {
  const { error, status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: 300_000, ...options });
  if (error) return { error: error.message, stdout: '', stderr: '' };
  return status === 0
    ? { stdout, stderr }
    : { error: `${command} ${args[0]}: ${stderr.trim().split('\n').slice(0, 5).join(' ')}`, stdout, stderr };
}
