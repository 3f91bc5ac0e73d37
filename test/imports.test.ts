/**
 * What it costs to import the built package, seen in a process of its own.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Writes each module that the loader resolves to stdout: hooks in the same thread where Node has them (22.15), else in a loader thread. */
const WATCH = `
import * as nodeModule from 'node:module';
import { writeSync } from 'node:fs';
if (nodeModule.registerHooks) {
  nodeModule.registerHooks({ resolve(name, context, next) { const found = next(name, context); writeSync(1, found.url + '\\n'); return found; } });
} else {
  const hook = "import { writeSync } from 'node:fs'; export async function resolve(name, context, next) { const found = await next(name, context); writeSync(1, found.url + '\\\\n'); return found; }";
  nodeModule.register('data:text/javascript,' + encodeURIComponent(hook));
}
`;
const IMPORT = "await import('filrouge');";
const PRINT_BUILTINS = "for (const name of process.moduleLoadList) console.log(name.replace(/^(?:NativeModule|Internal Binding) /, ''));";

/** Runs module code in a bare Node process and gives the lines it printed. */
function linesOf(...code: readonly string[]): string[] {
  return linesIn({}, ...code);
}

/** The same with variables in its environment, which is empty otherwise. */
function linesIn(env: Readonly<Record<string, string>>, ...code: readonly string[]): string[] {
  const args = ['--no-warnings', '--input-type=module', '--eval', code.join('\n')];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8', timeout: 60_000, env });
  if (status !== 0) throw new Error(`Node ended with ${status}: ${stderr}`);
  return stdout.split('\n').filter((line) => line !== '');
}

beforeAll(() => {
  if (!existsSync(`${ROOT}dist/index.js`)) throw new Error('Cannot import the package: there is no dist, run "npm run build" first');
});

describe("import 'filrouge'", () => {
  it('loads a handful of files, and of packages none: each costs a process and every handler thread a fraction of a millisecond', () => {
    const loaded = linesOf(WATCH, IMPORT).filter((url) => url.startsWith('file:'));
    expect(loaded.filter((url) => url.includes('/node_modules/'))).toEqual([]);
    expect(new Set(loaded).size).toBeLessThanOrEqual(3);
  });

  it('is ASCII: one other character, be it in a comment, makes V8 hold the whole file as UTF-16', () => {
    const loaded = new Set(linesOf(WATCH, IMPORT).filter((url) => url.endsWith('.js')));
    expect(loaded.size).toBe(2);
    for (const url of loaded) expect(/[^\0-\x7f]/.exec(readFileSync(fileURLToPath(url), 'latin1'))?.index, url).toBeUndefined();
  });

  it('loads no module of Node that is heavy: http, http2, child_process, cluster, fetch', () => {
    const bare = new Set(linesOf(PRINT_BUILTINS));
    const added = linesOf(IMPORT, PRINT_BUILTINS).filter((name) => !bare.has(name));
    expect(
      added.filter((name) => /^(?:internal\/)?(?:https?2?|_http_\w+|child_process|cluster|worker_threads|deps\/undici)(?:\/|$)/.test(name)),
    ).toEqual([]);
  });

  it('starts nothing: no handle, no timer, no listener, no output, and the process ends by itself', () => {
    // Requests (CloseReq and the like) are the loader's own, still closing the files it read.
    const resources = "process.getActiveResourcesInfo().filter((name) => !name.includes('Req'))";
    const state = `console.log(JSON.stringify([${resources}, process.eventNames()]));`;
    expect(linesOf(IMPORT, state)).toEqual(linesOf(state));
  });
});

describe('the explanation of a 500', () => {
  const FAIL = `
    const { startServer } = await import('filrouge');
    const server = await startServer(() => { throw new Error('why'); }, { workers: 0, port: 0, log: 'off', onError() {} });
    const answer = await (await fetch(server.url)).text();
    console.log('answer: ' + answer.split('\\n')[0]);
    await server.close();`;

  it('is loaded when the first one is sent, and never in production', () => {
    const [told, bare] = [linesIn({}, WATCH, FAIL), linesIn({ NODE_ENV: 'production' }, WATCH, FAIL)];
    expect(told).toContain('answer: Error: why');
    expect(bare).toContain('answer: Internal Server Error');
    const more = told.filter((line) => line.startsWith('file:') && !bare.includes(line)).map((url) => url.slice(url.lastIndexOf('/') + 1));
    expect(more).toContain('forms.js');
  });
});

describe("require('filrouge')", () => {
  it('gives the same module: nothing in it awaits at the top level', () => {
    const code = "const { createRequire } = await import('node:module'); const own = createRequire(process.cwd() + '/x.js')('filrouge');";
    const lines = linesOf(
      code,
      "const whole = await import('filrouge'); console.log(own.Response === whole.Response && typeof own.Response === 'function');",
    );
    expect(lines).toEqual(['true']);
  });
});
