/**
 * Programs in bundles and in other runtimes: a project that has nothing but the built package and its dependencies, the tools of test/runtimes, and
 * what a client sees of the program in fixtures/program.mjs.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe } from 'vitest';
import { WebSocket } from 'ws';
import { Program } from '../support/program.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TOOLS = join(ROOT, 'test/runtimes/node_modules');

const areThere = existsSync(TOOLS);
if (!areThere) console.warn('SKIPPED: the tests of bundlers and runtimes need "npm ci --prefix test/runtimes"');

/** A `describe` that is skipped where the tools are not installed; in CI it fails instead. */
export const describeWithTools = describe.skipIf(!areThere && process.env['CI'] === undefined);

/** The script of a tool that is written for Node. */
export function scriptOf(name: string): string {
  return join(TOOLS, '.bin', name);
}

/** The binary of a tool, which lies in a package of its own for each platform. */
export function binaryOf(scope: string, path: string): string {
  const name = readdirSync(join(TOOLS, scope))[0] ?? 'none';
  return join(TOOLS, scope, name, path);
}

export const bun = (): string => binaryOf('@oven', 'bin/bun');
export const deno = (): string => binaryOf('@deno', 'deno');

/** Runs a tool to its end. A failure shows what it printed. */
export function runTool(folder: string, command: string, ...args: readonly string[]): string {
  return printedBy(folder, command, args).stdout;
}

function printedBy(folder: string, command: string, args: readonly string[]): { readonly stdout: string; readonly stderr: string } {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: 'utf8', timeout: 60_000 });
  if (status !== 0) throw new Error(`${command} ended with ${status}\n${stdout}\n${stderr}`);
  return { stdout, stderr };
}

/** As docs/bundles.md says: packages in CommonJS ask for modules of Node. */
export const BANNER = "--banner:js=import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

/** Bundles by esbuild, without a warning. */
export function esbuild(folder: string, ...args: readonly string[]): void {
  const all = [scriptOf('esbuild'), ...args, '--bundle', '--platform=node', '--log-level=warning'];
  const { stderr } = printedBy(folder, process.execPath, all);
  if (stderr !== '') throw new Error(`esbuild warns: ${stderr}`);
}

/** Bundles by rolldown, and returns the folder. */
export async function rollDown(folder: string, input: string[], target: string): Promise<string> {
  const bundle = await rolldown({ cwd: folder, input, platform: 'node' });
  await bundle.write({ dir: join(folder, target), format: 'esm' });
  return join(folder, target);
}

/** Copies the files that @vercel/nft traces to a folder beside the project, and returns it. */
export function trace(folder: string, entries: readonly string[]): string {
  const target = join(folder, '../traced');
  const printed = runTool(folder, process.execPath, scriptOf('nft'), 'print', ...entries);
  const [, list = ''] = /FILELIST:\n(.*?)\n\n/s.exec(printed) ?? [];
  for (const file of new Set([...list.split('\n'), 'package.json'])) {
    mkdirSync(dirname(join(target, file)), { recursive: true });
    cpSync(join(folder, file), join(target, file));
  }
  return target;
}

/** A project folder with the fixtures, there from before the first test to after the last; and a server that the program may send requests on to. */
export function project(): { readonly folder: string; readonly start: (command: readonly string[], options: object) => Program } {
  const base = mkdtempSync(join(tmpdir(), 'filrouge-bundles-'));
  const folder = join(base, 'project'); // beside it is a place from which nothing in it is found
  const upstream = createServer((_, response) => response.end('from upstream'));
  beforeAll(async () => {
    if (!existsSync(join(ROOT, 'dist/index.js'))) throw new Error('Cannot bundle: there is no dist, run "npm run build" first');
    const installed = join(folder, 'node_modules/filrouge');
    mkdirSync(installed, { recursive: true });
    cpSync(join(ROOT, 'dist'), join(installed, 'dist'), { recursive: true });
    cpSync(join(ROOT, 'package.json'), join(installed, 'package.json'));
    for (const name of dependenciesOf(installed)) install(folder, name);
    cpSync(fileURLToPath(new URL('fixtures', import.meta.url)), folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "name": "project", "private": true, "type": "module" }');
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => {
    upstream.close();
    rmSync(base, { recursive: true, force: true });
  });
  return {
    folder,
    start: ([command = '', ...args], options) =>
      new Program(command, args, {
        OPTIONS: JSON.stringify(options),
        FILE: join(folder, 'package.json'),
        UPSTREAM: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
      }),
  };
}

/** Copies a package and what it depends on out of the lock file's tree, so that nothing is fetched. */
function install(folder: string, name: string): void {
  const target = join(folder, 'node_modules', name);
  if (existsSync(target)) return;
  cpSync(join(ROOT, 'node_modules', name), target, { recursive: true });
  for (const dependency of dependenciesOf(target)) install(folder, dependency);
}

function dependenciesOf(directory: string): string[] {
  const { dependencies = {} } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as { dependencies?: object };
  return Object.keys(dependencies);
}

/** What a client sees of helpers that need no system: cookies, forms with files, sessions, compression. */
export async function basics(origin: string): Promise<object> {
  const form = new FormData();
  form.append('text', 'hi');
  form.append('file', new Blob(['abc']), 'a.txt');
  const cookie = await fetch(`${origin}/cookie`, { headers: { cookie: 'a=1' } });
  const first = await fetch(`${origin}/session`);
  const session = first.headers.get('set-cookie')?.split(';')[0] ?? '';
  const compressed = await fetch(`${origin}/compressed`, { headers: { 'accept-encoding': 'gzip' } });
  return {
    cookie: [await cookie.text(), cookie.headers.get('set-cookie')],
    form: await textOf(fetch(`${origin}/form`, { method: 'POST', body: form })),
    session: [await first.text(), await textOf(fetch(`${origin}/session`, { headers: { cookie: session } }))],
    compressed: [compressed.headers.get('content-encoding'), (await compressed.text()).length],
  };
}

/** What is to be seen of them. */
export const BASICS = {
  cookie: ['1', 'b=2; Path=/; HttpOnly; SameSite=Lax'],
  form: 'hi a.txt 3',
  session: ['visit 1', 'visit 2'],
  compressed: ['gzip', 3000],
};

/** What a client sees of all helpers that the program uses. */
export async function everything(origin: string): Promise<object> {
  const file = await fetch(`${origin}/file`);
  await file.arrayBuffer();
  return {
    ...(await basics(origin)),
    file: file.headers.get('content-type'),
    proxied: await textOf(fetch(`${origin}/proxied`)),
    cgi: await textOf(fetch(`${origin}/cgi`)),
    socket: await echo(`${origin}/socket`),
  };
}

/** What is to be seen of them. */
export const EVERYTHING = {
  ...BASICS,
  file: 'application/json; charset=utf-8',
  proxied: 'from upstream',
  cgi: 'GET',
  socket: 'hi',
};

async function textOf(answer: Promise<Response>): Promise<string> {
  return (await answer).text();
}

function echo(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    socket.on('open', () => socket.send('hi'));
    socket.on('error', reject);
    socket.on('message', (data: Buffer) => {
      resolve(data.toString());
      socket.close();
    });
  });
}

/** Where the handler runs. */
export async function placeOf(origin: string): Promise<{ readonly pid: number; readonly isMainThread: boolean }> {
  return (await (await fetch(`${origin}/where`)).json()) as { pid: number; isMainThread: boolean };
}

/** The status of a request whose handler never returns; undefined when it is not answered. */
export async function stuck(origin: string): Promise<number | undefined> {
  return fetch(`${origin}/stuck`).then(
    ({ status }) => status,
    () => undefined,
  );
}
