/**
 * The same program where it is not Node that runs it; docs/bundles.md says what each runtime lacks.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { accepting, freePort } from '../support/program.ts';
import {
  BASICS,
  basics,
  binaryOf,
  bun,
  deno,
  describeWithTools,
  EVERYTHING,
  everything,
  placeOf,
  project,
  runTool,
  scriptOf,
  stuck,
} from './support.ts';

const { folder, start } = project();
const PROGRAM = join(folder, 'program.mjs');

/** No inspector reaches into a stuck thread there: it is noticed, but not where it stands. */
const UNSEEN = 'stands in a call that cannot be looked into';

function runsInBun(prepare: () => readonly string[]): void {
  it('answers with every helper, and notices a handler that is stuck', async () => {
    const program = start(prepare(), { handlerTimeout: 700 });
    const [, origin = ''] = await program.prints(/single listens on (http\S+)/);
    expect(await everything(origin)).toEqual(EVERYTHING);
    void stuck(origin);
    await program.prints(new RegExp(`has taken \\d+ ms and ${UNSEEN}`));
  });

  it('calls the handler in threads, and replaces one that is stuck', async () => {
    const program = start(prepare(), { handlerTimeout: 1500, threads: 1 });
    const [, origin = ''] = await program.prints(/single listens on (http\S+)/);
    expect(await placeOf(origin)).toEqual({ pid: program.pid, isMainThread: false });
    expect(await stuck(origin)).toBe(503);
    await program.prints(new RegExp(`GET "/stuck" has taken \\d+ ms and ${UNSEEN}; its thread is replaced`));
  });

  it('serves with worker processes, and replaces one that is stuck', async () => {
    const program = start(prepare(), { handlerTimeout: 700, workers: 1 });
    const [, origin = ''] = await program.prints(/primary listens on (http\S+)/);
    expect((await placeOf(origin)).pid).not.toBe(program.pid);
    expect(await stuck(origin)).toBeUndefined();
    await program.prints(new RegExp(`${UNSEEN}; its worker \\d+ is replaced\\n(?:.*\\n)*.*worker \\d+ is ready`));
  });
}

describeWithTools('a program that Bun runs', () => {
  runsInBun(() => [bun(), 'run', PROGRAM]);
});

describeWithTools('a program that "bun build --compile" made an executable of', () => {
  let file: string | undefined;
  runsInBun(() => {
    if (file === undefined) runTool(folder, bun(), 'build', '--compile', 'program.mjs', '--outfile', 'compiled');
    file = join(folder, 'compiled');
    return [file];
  });
});

describeWithTools('a program that Deno runs', () => {
  it('answers with every helper, and notices a handler that is stuck', async () => {
    const program = start([deno(), 'run', '--allow-all', PROGRAM], { handlerTimeout: 700 });
    const [, origin = ''] = await program.prints(/single listens on (http\S+)/);
    expect(await everything(origin)).toEqual(EVERYTHING);
    void stuck(origin);
    await program.prints(new RegExp(`has taken \\d+ ms and ${UNSEEN}`));
  });

  it('calls the handler in threads, and replaces one that is stuck', async () => {
    const program = start([deno(), 'run', '--allow-all', PROGRAM], { handlerTimeout: 1500, threads: 1 });
    const [, origin = ''] = await program.prints(/single listens on (http\S+)/);
    expect(await placeOf(origin)).toEqual({ pid: program.pid, isMainThread: false });
    expect(await stuck(origin)).toBe(503);
  });

  it('says at its start that it can have no workers', async () => {
    const program = start([deno(), 'run', '--allow-all', PROGRAM], { workers: 1 });
    expect(await program.ended).toBe(3);
    expect(program.stderr).toContain('unsupported-runtime: Cannot start server: a worker under Deno outlives a primary that dies');
  });
});

describeWithTools('a handler that workerd calls', () => {
  it('answers with the helpers that need no system, and is told that it cannot start a server', async () => {
    const banner = "import { createRequire } from 'node:module'; const require = createRequire('/');";
    const args = ['worker.mjs', '--bundle', '--platform=node', '--format=esm', '--outfile=workerd/worker.js', `--banner:js=${banner}`];
    runTool(folder, process.execPath, scriptOf('esbuild'), ...args);
    const port = await freePort();
    writeFileSync(join(folder, 'workerd/config.capnp'), configFor(port));
    start([binaryOf('@cloudflare', 'bin/workerd'), 'serve', join(folder, 'workerd/config.capnp')], {});
    const origin = `http://127.0.0.1:${port}`;
    await accepting(port);
    expect(await basics(origin)).toEqual(BASICS);
    const told = await (await fetch(`${origin}/server`)).text();
    expect(told).toMatch(/^unsupported-runtime: Cannot start server: in workerd no program listens/);
  });
});

function configFor(port: number): string {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [ (name = "main", worker = .main) ],
  sockets = [ (name = "http", address = "127.0.0.1:${port}", http = (), service = "main") ]
);
const main :Workerd.Worker = (
  modules = [ (name = "worker", esModule = embed "worker.js") ],
  compatibilityDate = "2026-11-01"
);
`;
}
