/**
 * A program with calls without `await`, as bundlers and tracers of files leave it, and in other runtimes: its module is an entry of its own, and undici stays outside.
 */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BANNER, bun, deno, describeWithTools, esbuild, placeOf, project, rollDown, runTool, trace } from './support.ts';

const { folder, start } = project();
const ENTRIES = ['calls.js', 'database.js'];

/** What is to be seen of the calls. */
const CALLS = {
  sum: 3,
  isOneThread: true,
  counted: [1, 2, 3],
  kept: 'ab',
  failure: [true, 'far', true],
  fetched: 'from upstream',
  together: 200,
};

type Command = readonly string[];

/** Node, with the program that lies in a folder. */
function byNode(place: string): Command {
  return [process.execPath, join(place, 'calls.js')];
}

/** A folder beside the project, with undici and nothing else installed. */
function alone(built: string): string {
  const place = join(folder, '../elsewhere', built);
  cpSync(join(folder, built), place, { recursive: true });
  cpSync(join(folder, 'node_modules/undici'), join(place, 'node_modules/undici'), { recursive: true });
  return place;
}

/** Three servers from one program: alone, with handler threads, with worker processes where the runtime has them. */
function callsFrom(prepare: () => Command | Promise<Command>, hasWorkers = true): void {
  let command: Promise<Command> | undefined;
  const run = async (options: object, role: string): Promise<string> => {
    const program = start(await (command ??= Promise.resolve(prepare())), options);
    const [, origin = ''] = await program.prints(new RegExp(`${role} listens on (http\\S+)`));
    expect((await placeOf(origin)).isMainThread).toBe(!('threads' in options));
    const answer = await fetch(`${origin}/calls`);
    expect([answer.status, await answer.json()]).toEqual([200, CALLS]);
    process.kill(program.pid, 'SIGTERM');
    expect(await program.ended).toBe(0);
    return program.stdout;
  };

  it('calls its module and other servers without threads', async () => {
    expect(await run({}, 'single')).toMatch(/the module is closed/);
  });

  it('calls them from handler threads', async () => {
    expect(await run({ threads: 2 }, 'single')).toMatch(/the module is closed/);
  });

  it.runIf(hasWorkers)('calls them from the handler threads of worker processes', async () => {
    expect(await run({ workers: 1, threads: 2 }, 'primary')).toMatch(/the module is closed/);
  });
}

describeWithTools('calls of a program bundled by esbuild as ES modules', () => {
  callsFrom(() => {
    esbuild(folder, ...ENTRIES, '--format=esm', '--external:undici', '--outdir=esm', '--sourcemap', BANNER);
    return byNode(alone('esm'));
  });
});

describeWithTools('calls of a program bundled by esbuild as CommonJS', () => {
  callsFrom(() => {
    const url = ['--define:import.meta.url=__url', "--banner:js=const __url = require('node:url').pathToFileURL(__filename).href;"];
    esbuild(folder, ...ENTRIES, '--format=cjs', '--external:undici', '--outdir=cjs', ...url);
    writeFileSync(join(folder, 'cjs/package.json'), '{ "type": "commonjs" }');
    return byNode(alone('cjs'));
  });
});

describe('calls of a program bundled by rolldown', () => {
  callsFrom(async () => {
    await rollDown(folder, ENTRIES, 'rolldown');
    return byNode(alone('rolldown'));
  });
});

describeWithTools('calls of a program traced by @vercel/nft and copied elsewhere', () => {
  callsFrom(() => byNode(trace(folder, ENTRIES)));
});

describeWithTools('calls of a program that Bun runs', () => {
  callsFrom(() => [bun(), 'run', join(folder, 'calls.js')]);
});

describeWithTools('calls of a program that "bun build --compile" made an executable of', () => {
  callsFrom(() => {
    mkdirSync(join(folder, 'compiled'));
    runTool(folder, bun(), 'build', '--compile', ...ENTRIES, '--external', 'undici', '--outfile', 'compiled/calls');
    return [join(folder, 'compiled/calls')]; // undici is found from the folder in which it is started: that of the tests
  });
});

describeWithTools('calls of a program that Deno runs', () => {
  callsFrom(() => [deno(), 'run', '--allow-all', join(folder, 'calls.js')], false);
});

describeWithTools('createFetch in a bundle in CommonJS, where nothing has an import.meta.url', () => {
  it('finds undici beside the bundle', async () => {
    writeFileSync(
      join(folder, 'ask.js'),
      "import { createFetch } from 'filrouge/blocking'; console.log(createFetch()(process.env.UPSTREAM).text());",
    );
    esbuild(folder, 'ask.js', '--format=cjs', '--external:undici', '--outfile=ask/ask.cjs');
    const program = start([process.execPath, join(alone('ask'), 'ask.cjs')], {});
    expect([await program.ended, program.stdout]).toEqual([0, 'from upstream\n']);
  });
});
