/**
 * What a request costs, counted without a clock: writes to the socket, timers, promises and other things that Node keeps track of, modules to load.
 * These numbers must not grow unseen; whoever changes one on purpose changes it here.
 */

import { createHook } from 'node:async_hooks';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Request, Response } from '../../src/index.ts';
import { readSources, type Source } from '../house/sources.ts';
import { serve, type Talk, talk } from '../support/serve.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const POST = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1024\r\n\r\n${'x'.repeat(1024)}`;

describe('the writes of a connection', () => {
  it('are one for one request', async () => {
    const { client, port } = await connected(() => Response.text('hello'));
    expect(await writesFor(port, client, GET, 1)).toBe(1);
  });

  it('are one for head and body of 30 KiB', async () => {
    const { client, port } = await connected(() => Response.text('x'.repeat(30 * 1024)));
    expect(await writesFor(port, client, GET, 1)).toBe(1);
  });

  it('are several for a body of 200 KiB: the count can fail', async () => {
    const { client, port } = await connected(() => Response.text('x'.repeat(200 * 1024)));
    expect(await writesFor(port, client, GET, 1)).toBeGreaterThan(1);
  });

  it('are one for a POST of 1 KiB that comes in one piece', async () => {
    const { client, port } = await connected((request) => Response.bytes('application/octet-stream', request.body.bytes()));
    expect(await writesFor(port, client, POST, 1)).toBe(1);
  });

  it('are one for an answer that closes', async () => {
    const { client, port } = await connected(() => Response.text('hello'));
    expect(await writesFor(port, client, GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'), 1)).toBe(1);
  });

  it('are at most two for 16 requests in one piece', async () => {
    const { client, port } = await connected(() => Response.text('hello'));
    expect(await writesFor(port, client, GET.repeat(16), 16)).toBeLessThanOrEqual(2);
  });

  it('are at most one for each of 16 answers that are promises', async () => {
    const { client, port } = await connected(() => Promise.resolve(Response.text('hello')));
    expect(await writesFor(port, client, GET.repeat(16), 16)).toBeLessThanOrEqual(16);
  });
});

describe('what Node keeps track of', () => {
  it('is no timer, no immediate and no promise for a request', async () => {
    const { client } = await connected(() => Response.text('hello'));
    const made = await madeFor(client, GET, 1);
    expect(made.filter((type) => /^(?:Timeout|Immediate|PROMISE|Microtask|RANDOMBYTESREQUEST|FSREQ.*)$/.test(type))).toEqual([]);
  });

  it('is not more for 16 requests in one piece than for one', async () => {
    const { client } = await connected(() => Response.text('hello'));
    const one = await madeFor(client, GET, 1);
    expect(await madeFor(client, GET.repeat(16), 16)).toEqual(one);
  });

  it('is not more for 16 small bodies in one piece than for one', async () => {
    const { client } = await connected((request) => Response.bytes('application/octet-stream', request.body.bytes()));
    const one = await madeFor(client, POST, 1);
    expect(await madeFor(client, POST.repeat(16), 16)).toEqual(one);
  });

  it('is a promise at least for a handler that makes one: the count can fail', async () => {
    const { client } = await connected(() => Promise.resolve(Response.text('hello')));
    expect(await madeFor(client, GET, 1)).toContain('PROMISE');
  });
});

describe("import 'filrouge'", () => {
  it('loads few files', () => {
    expect(reachableFrom('index.ts').size).toBeLessThanOrEqual(185);
  });

  it('adds few modules of Node to those that any module has loaded', () => {
    if (!existsSync(`${ROOT}dist/index.js`)) throw new Error('There is no dist: run "npm run build" first');
    const bare = builtins('');
    expect(builtins("await import('filrouge');").filter((name) => !bare.includes(name)).length).toBeLessThanOrEqual(90);
  });
});

/** A server, a client that has asked before, and the port between them: what only the first request of a connection costs is not counted. */
async function connected(handler: (request: Request) => Response | Promise<Response>): Promise<{ client: Talk; port: number }> {
  const { port } = await serve(handler, { threads: 0 });
  const client = await talk(port);
  client.send(GET + GET);
  await client.answers(2);
  return { client, port };
}

/** The methods of a stream's handle that are a system call each. */
const WRITES = ['writeBuffer', 'writev', 'writeLatin1String', 'writeUtf8String', 'writeAsciiString', 'writeUcs2String'] as const;
type Handle = { getsockname(out: { port?: number }): unknown } & Record<(typeof WRITES)[number], (...args: unknown[]) => unknown>;

/** Ports of the sockets that wrote, one for each write. */
let written: number[] = [];
let restore: () => void = () => {};

beforeEach(async () => {
  written = [];
  restore = await watchWrites();
});
afterEach(() => restore());

/** Counts calls of the handle's own methods, whatever is on top of them. @returns Ends it. */
async function watchWrites(): Promise<() => void> {
  const server = await new Promise<Server>((resolve) => {
    const created = createServer().listen(0, '127.0.0.1', () => resolve(created));
  });
  let owner = (server as unknown as { _handle: Handle })._handle;
  server.close();
  while (!Object.hasOwn(owner, 'writeBuffer')) owner = Object.getPrototypeOf(owner) as Handle;
  const originals = WRITES.map((name) => [name, owner[name]] as const);
  for (const [name, original] of originals) {
    owner[name] = function write(this: Handle, ...args: unknown[]): unknown {
      const own: { port?: number } = {};
      this.getsockname?.(own);
      written.push(own.port ?? 0);
      return original.apply(this, args);
    };
  }
  return () => {
    for (const [name, original] of originals) owner[name] = original;
  };
}

/** How often the server wrote until so many answers had come. */
async function writesFor(port: number, client: Talk, text: string, answers: number): Promise<number> {
  written = [];
  await ask(client, text, answers);
  expect(written.some((own) => own !== port)).toBe(true); // the client's are seen as well: nothing writes past the count
  return written.filter((own) => own === port).length;
}

/** How often the same is counted: what else the process does meanwhile, such as to report tests, can only add to it. */
const COUNTS = 5;

/** Types of all that Node has made, on both sides, from the request to its answer; in their order of names. */
async function madeFor(client: Talk, text: string, answers: number): Promise<string[]> {
  let least: string[] | undefined;
  for (let count = 0; count < COUNTS; count++) {
    const made: string[] = [];
    const hook = createHook({ init: (_id, type) => void made.push(type) });
    await ask(client, text, answers, hook);
    if (!least || made.length < least.length) least = made;
  }
  return (least ?? []).toSorted((a, b) => a.localeCompare(b));
}

/** Sends, and waits for so many answers without a timer or a promise in between. */
function ask(client: Talk, text: string, answers: number, hook?: { enable(): unknown; disable(): unknown }): Promise<void> {
  const { socket } = client;
  return new Promise((resolve) => {
    let count = 0;
    const look = (bytes: Buffer): void => {
      count += bytes.toString('latin1').split('HTTP/1.1 200 OK').length - 1;
      if (count < answers) return;
      hook?.disable();
      socket.off('data', look);
      resolve();
    };
    socket.on('data', look);
    // In a turn of its own: the promises of those who wait for this are not counted.
    setImmediate(() => {
      hook?.enable();
      socket.write(text, 'latin1');
    });
  });
}

/** All files of src that a file loads when it is loaded: not those it only takes types from, or loads later. */
function reachableFrom(path: string): Set<string> {
  const sources = new Map<string, Source>(readSources(`${ROOT}src`).map((source) => [source.path, source]));
  const found = new Set<string>();
  const visit = (from: string): void => {
    if (found.has(from)) return;
    found.add(from);
    for (const { target, relative, typeOnly, lazy } of sources.get(from)?.imports ?? []) if (relative && !typeOnly && !lazy) visit(target);
  };
  visit(path);
  return found;
}

/** Modules of Node that a bare process has loaded after some code. */
function builtins(code: string): string[] {
  const args = ['--no-warnings', '--input-type=module', '--eval', `${code} console.log(process.moduleLoadList.join('\\n'));`];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8', timeout: 60_000, env: {} });
  if (status !== 0) throw new Error(`Node ended with ${status}: ${stderr}`);
  return stdout.split('\n').filter((line) => line.startsWith('NativeModule '));
}
