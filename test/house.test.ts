/**
 * The house stands as docs/architecture.md says: layers, imports, names, sizes.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { figures, statedFigures } from './house/figures.mjs';
import {
  anyTypes,
  badNames,
  brokenImports,
  crowdedFolders,
  defaultExports,
  forbiddenGlobals,
  forbiddenImports,
  heavyImports,
  helpersThatImportHelpers,
  importCycles,
  importsAcrossSides,
  longFiles,
  moduleState,
  needlessReasons,
  optionsWithoutUndefined,
  STATE,
} from './house/rules.ts';
import { parseSource, readSources } from './house/sources.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SOURCES = readSources(`${ROOT}src`);
const PAGE = readFileSync(`${ROOT}docs/architecture.md`, 'utf8');

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
}
const MANIFEST = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as Manifest;
const DEPENDENCIES = Object.keys(MANIFEST.dependencies);
/** Dependencies, and what a program may bring along. */
const KNOWN = [...DEPENDENCIES, ...Object.keys(MANIFEST.peerDependencies)];

describe('the sources', () => {
  it('lie in src, with a front door', () => {
    expect(SOURCES.map((source) => source.path)).toContain('index.ts');
  });

  it('import only the layers, node modules and packages that their layer may know', () => {
    expect(forbiddenImports(SOURCES, KNOWN)).toEqual([]);
  });

  it('touch no process, timer, console or clock where their layer must not', () => {
    expect(forbiddenGlobals(SOURCES)).toEqual([]);
  });

  it('hold no helper that imports another helper', () => {
    expect(helpersThatImportHelpers(SOURCES)).toEqual([]);
  });

  it('run either inside a worker or thread or outside, and share only the words that the two sides exchange', () => {
    expect(importsAcrossSides(SOURCES)).toEqual([]);
  });

  it('keep no state in the modules of http/, h1/, h2/ and exchange/, except where house/rules.ts gives a reason', () => {
    expect(moduleState(SOURCES)).toEqual([]);
    expect(needlessReasons(SOURCES)).toEqual([]);
  });

  it('import nothing in a circle', () => {
    expect(importCycles(SOURCES)).toEqual([]);
  });

  it('import files that exist, by their full name', () => {
    expect(brokenImports(SOURCES)).toEqual([]);
  });

  it('reach nothing heavy from the front door', () => {
    expect(heavyImports(SOURCES, 'index.ts')).toEqual([]);
  });

  it('have at most 350 lines each', () => {
    expect(longFiles(SOURCES, 350)).toEqual([]);
  });

  it('lie at most 16 to a folder, except for the subjects in helpers/', () => {
    expect(crowdedFolders(SOURCES, 16)).toEqual([]);
  });

  it('exist when docs/architecture.md names them', () => {
    const named = [...PAGE.matchAll(/`([\w-]+(?:\/[\w-]+)+\.(?:ts|mjs))`/g)].map(([, path]) => path ?? '');
    const isThere = (path: string): boolean => ['src/', 'src/server/', ''].some((folder) => existsSync(ROOT + folder + path));
    expect(named.length).toBeGreaterThan(30);
    expect(named.filter((path) => !isThere(path))).toEqual([]);
  });

  it('of server/ are all in the table of docs/architecture.md that says which file runs where', () => {
    const [, rows = ''] = /^\| in `server\/` \|.*\n((?:\|.*\n)+)/m.exec(PAGE) ?? [];
    const listed = rows
      .split('\n')
      .flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, path]) => `server/${path}`));
    const paths = SOURCES.map(({ path }) => path).filter((path) => path.startsWith('server/'));
    const isListed = (path: string): boolean => listed.some((entry) => (entry.endsWith('/') ? path.startsWith(entry) : path === entry));
    expect(paths.filter((path) => !isListed(path))).toEqual([]);
    expect(listed.filter((entry) => !paths.some((path) => path.startsWith(entry)))).toEqual([]);
  });

  it('are as many and as long as docs/architecture.md states (node test/house/figures.mjs --write)', () => {
    expect(statedFigures()).toBe(figures());
  });

  it('are named after what they hold, in kebab-case', () => {
    expect(badNames(SOURCES)).toEqual([]);
  });

  it('have no default export', () => {
    expect(defaultExports(SOURCES)).toEqual([]);
  });

  it('take undefined for every option', () => {
    expect(optionsWithoutUndefined(SOURCES)).toEqual([]);
  });

  it('never say any', () => {
    expect(anyTypes(SOURCES)).toEqual([]);
  });
});

describe('package.json', () => {
  it('has only doors that are a file of src, for types and for code', () => {
    const doors = Object.entries(MANIFEST.exports).filter(([, door]) => typeof door === 'object');
    const broken = doors.filter(([, door]) => {
      const { types, default: code } = door as Exclude<typeof door, string>;
      const source = /^\.\/dist\/(.+)\.js$/.exec(code)?.[1];
      return !source || types !== `./dist/${source}.d.ts` || !existsSync(`${ROOT}src/${source}.ts`);
    });
    expect(broken).toEqual([]);
  });

  it('names no dependency that the sources do not import', () => {
    const imported = new Set(SOURCES.flatMap((source) => source.imports.map((found) => found.target)));
    expect(DEPENDENCIES.filter((name) => !imported.has(name))).toEqual([]);
  });
});

describe('a rule of the house', () => {
  const one = (path: string, text: string) => [parseSource(path, text)];

  it('sees imports in every form', () => {
    const { imports } = parseSource(
      'helpers/match.ts',
      [
        "import a, { b } from '../http/a.ts';",
        "import {\n  type C,\n  type D,\n} from '../http/b.ts';",
        "import type { E } from 'node:stream';",
        "export { f } from './match/f.ts';",
        "export * from '../http/g.ts';",
        "import 'ws';",
        "const h = await import('node:http2');",
        "// import { i } from 'undici';",
        "export interface K extends Omit<L, 'cert' | 'from'> {}",
        'const text = "import { j } from \'busboy\'";',
      ].join('\n'),
    );
    expect(imports).toEqual([
      { target: 'http/a.ts', relative: true, typeOnly: false, lazy: false },
      { target: 'http/b.ts', relative: true, typeOnly: true, lazy: false },
      { target: 'node:stream', relative: false, typeOnly: true, lazy: false },
      { target: 'helpers/match/f.ts', relative: true, typeOnly: false, lazy: false },
      { target: 'http/g.ts', relative: true, typeOnly: false, lazy: false },
      { target: 'ws', relative: false, typeOnly: false, lazy: false },
      { target: 'node:http2', relative: false, typeOnly: false, lazy: true },
    ]);
  });

  it('refuses a step up or sideways in the table', () => {
    expect(forbiddenImports(one('http/a.ts', "import { b } from '../h1/b.ts';"), [])).toEqual(['http/a.ts imports h1/b.ts']);
    expect(forbiddenImports(one('server/a.ts', "import { b } from '../helpers/b.ts';"), [])).toEqual(['server/a.ts imports helpers/b.ts']);
    expect(forbiddenImports(one('helpers/a.ts', "import { b } from '../server/b.ts';"), [])).toEqual(['helpers/a.ts imports server/b.ts']);
    expect(forbiddenImports(one('h2/a.ts', "import { b } from '../h1/b.ts';"), [])).toEqual(['h2/a.ts imports h1/b.ts']);
    expect(forbiddenImports(one('helpers/a.ts', "import { b } from '../exchange/b.ts';"), [])).toEqual([
      'helpers/a.ts imports exchange/b.ts',
    ]);
    expect(forbiddenImports(one('exchange/a.ts', "import { b } from 'node:net';"), [])).toEqual(['exchange/a.ts imports node:net']);
    expect(forbiddenImports(one('guests/a.ts', "import { b } from '../server/b.ts';"), [])).toEqual(['guests/a.ts imports server/b.ts']);
    expect(forbiddenImports(one('process/a.ts', "import { b } from '../http/b.ts';"), [])).toEqual(['process/a.ts imports http/b.ts']);
    expect(forbiddenImports(one('h1/a.ts', "import { b } from '../http/b.ts';"), [])).toEqual([]);
  });

  it('lets blocking/ know no other folder', () => {
    expect(forbiddenImports(one('blocking/a.ts', "import { b } from '../http/b.ts';\nimport ws from 'ws';"), ['ws'])).toEqual([
      'blocking/a.ts imports http/b.ts',
      'blocking/a.ts imports ws',
    ]);
    expect(forbiddenImports(one('blocking/a.ts', "import { b } from './b.ts';\nimport { c } from 'node:worker_threads';"), [])).toEqual([]);
  });

  it('lets the vocabulary touch the disk only in http/file/', () => {
    const text = "import { openSync } from 'node:fs';";
    expect(forbiddenImports(one('http/request-body.ts', text), [])).toEqual(['http/request-body.ts imports node:fs']);
    expect(forbiddenImports(one('http/fields/etag.ts', text), [])).toEqual(['http/fields/etag.ts imports node:fs']);
    expect(forbiddenImports(one('http/file/open-file.ts', text), [])).toEqual([]);
  });

  it('keeps a package with the subject it belongs to', () => {
    const text = "const undici = await import('undici');";
    expect(forbiddenImports(one('helpers/proxy/exchange.ts', text), ['undici'])).toEqual([]);
    expect(forbiddenImports(one('helpers/proxy.ts', text), ['undici'])).toEqual([]);
    expect(forbiddenImports(one('helpers/proxy-list.ts', text), ['undici'])).toEqual(['helpers/proxy-list.ts imports undici']);
    expect(forbiddenImports(one('guests/fetch.ts', text), ['undici'])).toEqual(['guests/fetch.ts imports undici']);
  });

  it('refuses a socket in the vocabulary and a package that is no dependency', () => {
    expect(forbiddenImports(one('http/a.ts', "import { Socket } from 'node:net';"), [])).toEqual(['http/a.ts imports node:net']);
    expect(forbiddenImports(one('helpers/a.ts', "import b from '@scope/b/c';"), ['cookie'])).toEqual(['helpers/a.ts imports @scope/b/c']);
    expect(forbiddenImports(one('helpers/a.ts', "import b from '@scope/b/c';"), ['@scope/b'])).toEqual([]);
  });

  it('refuses a timer, the clock and the console in the machine, but not in its comments', () => {
    const text =
      "/* process */\nsetTimeout(f, 1);\nconst t = Date.now(); // console\nconst s = 'console', r = /process/, u = `${console}`;";
    expect(forbiddenGlobals(one('h1/a.ts', text))).toEqual([
      'h1/a.ts touches a timer in line 2',
      'h1/a.ts touches console in line 4',
      'h1/a.ts touches the clock in line 3',
    ]);
  });

  it('keeps what runs inside a worker or thread apart from what runs outside', () => {
    const breaches = (path: string, target: string) => importsAcrossSides(one(path, `import { a } from '${target}';`));
    expect(breaches('server/threads/pool.ts', './inside/thread.ts')).toEqual([
      'server/threads/pool.ts runs outside and imports server/threads/inside/thread.ts, which runs inside',
    ]);
    expect(breaches('server/supervisor/inside/worker.ts', '../../threads/inside/thread.ts')).toEqual([
      'server/supervisor/inside/worker.ts runs outside and imports server/threads/inside/thread.ts, which runs inside',
    ]);
    expect(breaches('server/threads/inside/thread.ts', '../pool.ts')).toEqual([
      'server/threads/inside/thread.ts runs inside and imports server/threads/pool.ts, which runs outside',
    ]);
    expect(breaches('server/threads/inside/thread.ts', '../wire.ts')).toEqual([]);
    expect(breaches('server/threads/inside/thread.ts', './stream-pump.ts')).toEqual([]);
    expect(breaches('server/threads/inside/thread.ts', '../../hit-asker.ts')).toEqual([]);
    expect(importsAcrossSides(one('server/threads/pool.ts', "import type { A } from './inside/thread.ts';"))).toHaveLength(1);
  });

  it('lets server/start.ts load what runs inside by import(), and a thread be played outside', () => {
    const late = "const { a } = await import('./threads/inside/start.ts');";
    expect(importsAcrossSides(one('server/start.ts', late))).toEqual([]);
    expect(importsAcrossSides(one('server/single.ts', late))).toHaveLength(1);
    expect(importsAcrossSides(one('server/start.ts', "import { a } from './threads/inside/start.ts';"))).toHaveLength(1);
    expect(importsAcrossSides(one('server/threads/start.ts', "const { a } = await import('./inside/start.ts');"))).toEqual([]);
    expect(importsAcrossSides(one('server/threads/start.ts', "import { a } from './inside/start.ts';"))).toHaveLength(1);
    expect(importsAcrossSides(one('server/threads/start.ts', "const { a } = await import('./inside/channels.ts');"))).toHaveLength(1);
    expect(importsAcrossSides(one('server/affinity/side.ts', "import { a } from '../threads/inside/thread.ts';"))).toEqual([]);
    expect(importsAcrossSides(one('server/affinity/link.ts', "import { a } from '../threads/inside/thread.ts';"))).toHaveLength(1);
  });

  it('finds state in a variable, in what is put into a constant, and in a field of a class', () => {
    const state = (text: string) => moduleState(one('http/a.ts', text));
    expect(state("let last = '';")).toEqual(['http/a.ts keeps state in last']);
    expect(state('export let last: string;')).toEqual(['http/a.ts keeps state in last']);
    expect(state('const SEEN = new Map<string, number>();\nSEEN.set(a, 1);')).toEqual(['http/a.ts keeps state in SEEN']);
    expect(state('const LINES: string[] = [];\nfunction f() {\n  return (LINES[1] ??= a);\n}')).toEqual(['http/a.ts keeps state in LINES']);
    expect(state('const COUNT = { now: 0 };\nCOUNT.now++;')).toEqual(['http/a.ts keeps state in COUNT']);
    expect(state('class A {\n  static #made = 0;\n}')).toEqual(['http/a.ts keeps state in #made']);
  });

  it('does not take a constant, a local variable or a comment for state', () => {
    const text = [
      "const NAMES = new Set(['a']);",
      'const has = NAMES.has(a) && NAMES.size === 1 && TABLE[0] <= 1;',
      'const TABLE: readonly number[] = [1, 2];',
      'class A {\n  static readonly EMPTY = new A();\n  static of(): A {\n    let made = 1;\n    return made;\n  }\n}',
      '// NAMES.add(b), let x',
      'function f() {\n  const seen = new Set();\n  seen.add(1);\n}',
    ].join('\n');
    expect(moduleState(one('h1/a.ts', text))).toEqual([]);
    expect(moduleState(one('server/a.ts', 'let last = 1;'))).toEqual([]);
  });

  it('asks for a reason for each piece of state, and for no reason without its state', () => {
    const [key = ''] = Object.keys(STATE);
    const [path = '', name = ''] = key.split(' ');
    expect(moduleState(one(path, `let ${name} = 1;`))).toEqual([]);
    expect(needlessReasons(one(path, `let ${name} = 1;`))).not.toContain(key);
    expect(needlessReasons(one(path, `const ${name} = 1;`))).toContain(key);
  });

  it('counts the files of a folder without those of its folders, and leaves helpers/ alone', () => {
    const many = (folder: string) => Array.from({ length: 17 }, (_, i) => parseSource(`${folder}a${i}.ts`, ''));
    expect(crowdedFolders(many('http/'), 16)).toEqual(['http/ has 17 files']);
    expect(crowdedFolders([...many('http/').slice(1), ...many('http/fields/').slice(1)], 16)).toEqual([]);
    expect(crowdedFolders(many('helpers/'), 16)).toEqual([]);
    expect(crowdedFolders(many('helpers/session/'), 16)).toEqual(['helpers/session/ has 17 files']);
  });

  it('counts the lines of a file, without the line end at its end', () => {
    expect(longFiles(one('http/a.ts', 'a\n'.repeat(350)), 350)).toEqual([]);
    expect(longFiles(one('http/a.ts', 'a\n'.repeat(351)), 350)).toEqual(['http/a.ts has 351 lines']);
  });

  it('sees an option that does not take undefined, in an interface and in place', () => {
    const options = (text: string) => optionsWithoutUndefined(one('helpers/a.ts', text));
    const members = (member: string) => `export interface AOptions extends B {\n  /** A; b. */\n  ${member}\n  c: number;\n}`;
    expect(options(members('a?: number;'))).toEqual(['helpers/a.ts has AOptions.a, which does not take undefined']);
    expect(options(members('readonly a?: () => undefined;\n  b?: string;'))).toHaveLength(2);
    expect(options(members('a?:\n    | string\n    | number;'))).toHaveLength(1);
    expect(options(members('a?: number | undefined;\n  b?: unknown;'))).toEqual([]);
    expect(options('export function f(options: { a?: number } = {}): void {}')).toHaveLength(1);
    expect(options('export function f(options: { a?: number | undefined } = {}): void {}')).toEqual([]);
    expect(options('export interface Thing {\n  a?: number;\n}')).toEqual([]);
  });

  it('lets a helper import its own folder and no other helper', () => {
    const sources = [
      parseSource(
        'helpers/match.ts',
        "import { a } from './match/compile.ts';\nimport { b } from './cors/b.ts';\nimport { c } from './routes/c.ts';",
      ),
      parseSource('helpers/cors.ts', ''),
    ];
    expect(helpersThatImportHelpers(sources)).toEqual(['helpers/match.ts imports helpers/cors/b.ts']);
  });

  it('takes a folder of helpers/ without a file of its name for common ground, which must not know a helper', () => {
    const match = parseSource('helpers/match.ts', "import { a } from './routes/pattern.ts';");
    const router = parseSource('helpers/router.ts', "import { a } from './match/a.ts';\nimport { b } from './match.ts';");
    const pattern = parseSource('helpers/routes/pattern.ts', "import { a } from './params.ts';\nimport { b } from '../match.ts';");
    expect(helpersThatImportHelpers([match])).toEqual([]);
    expect(helpersThatImportHelpers([match, parseSource('helpers/routes.ts', '')])).toEqual([
      'helpers/match.ts imports helpers/routes/pattern.ts',
    ]);
    expect(helpersThatImportHelpers([match, router])).toEqual([
      'helpers/router.ts imports helpers/match/a.ts',
      'helpers/router.ts imports helpers/match.ts',
    ]);
    expect(helpersThatImportHelpers([match, pattern])).toEqual(['helpers/routes/pattern.ts imports helpers/match.ts']);
  });

  it('finds a circle and says how it runs', () => {
    const sources = (form: string) => [
      parseSource('http/a.ts', "import { b } from './b.ts';"),
      parseSource('http/b.ts', `${form} { c } from './c.ts';`),
      parseSource('http/c.ts', "import { a } from './a.ts';"),
    ];
    expect(importCycles(sources('import'))).toEqual(['http/a.ts → http/b.ts → http/c.ts → http/a.ts']);
    expect(importCycles(sources('import type'))).toEqual(['http/a.ts → http/b.ts → http/c.ts → http/a.ts']);
  });

  it('lets the front door reach heavy modules only by import() or as types', () => {
    const sources = [
      parseSource('index.ts', "export { a } from './server/a.ts';"),
      parseSource('server/a.ts', "import type { B } from 'ws';\nimport cluster from 'node:cluster';\nconst c = () => import('undici');"),
    ];
    expect(heavyImports(sources, 'index.ts')).toEqual(['index.ts → server/a.ts → node:cluster']);
  });

  it('refuses empty names, default exports and any', () => {
    expect(badNames(one('http/utils.ts', ''))).toEqual(['http/utils.ts is named "utils"']);
    expect(badNames(one('http/headerList.ts', ''))).toEqual(['http/headerList.ts is named "headerList"']);
    expect(defaultExports(one('http/a.ts', 'export default 1;'))).toEqual(['http/a.ts exports a default in line 1']);
    expect(anyTypes(one('http/a.ts', '// any\nlet any = 1;\nf(b as any);\nlet c: Array<any>;'))).toEqual([
      'http/a.ts says any in line 3',
      'http/a.ts says any in line 4',
    ]);
  });
});
