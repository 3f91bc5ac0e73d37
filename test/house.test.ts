/**
 * The house stands as docs/architecture.md says: layers, imports, names, sizes.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  anyTypes,
  badNames,
  brokenImports,
  defaultExports,
  forbiddenGlobals,
  forbiddenImports,
  heavyImports,
  helpersThatImportHelpers,
  importCycles,
  longFiles,
} from './house/rules.ts';
import { parseSource, readSources } from './house/sources.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SOURCES = readSources(`${ROOT}src`);

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
}
const MANIFEST = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as Manifest;
const DEPENDENCIES = Object.keys(MANIFEST.dependencies);

describe('the sources', () => {
  it('lie in src, with a front door', () => {
    expect(SOURCES.map((source) => source.path)).toContain('index.ts');
  });

  it('import only from the layers, node modules and packages that their layer may know', () => {
    expect(forbiddenImports(SOURCES, DEPENDENCIES)).toEqual([]);
  });

  it('touch no process, timer, console or clock where their layer must not', () => {
    expect(forbiddenGlobals(SOURCES)).toEqual([]);
  });

  it('hold no helper that imports another helper', () => {
    expect(helpersThatImportHelpers(SOURCES)).toEqual([]);
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

  it('have at most 400 lines each', () => {
    expect(longFiles(SOURCES, 400)).toEqual([]);
  });

  it('are named after what they hold, in kebab-case', () => {
    expect(badNames(SOURCES)).toEqual([]);
  });

  it('have no default export', () => {
    expect(defaultExports(SOURCES)).toEqual([]);
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
    expect(forbiddenImports(one('h1/a.ts', "import { b } from '../http/b.ts';"), [])).toEqual([]);
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
