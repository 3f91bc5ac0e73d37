/**
 * The rules of the house: which layer may know which, and what a layer must not touch.
 * Each takes the sources and returns one sentence for each breach.
 *
 * @module
 */
import type { Import, Source } from './sources.ts';

interface Layer {
  /** Layers it may import; its own is always allowed, but see `helper to helper`. */
  readonly layers: readonly string[];
  /** Node modules it may import; undefined: any. */
  readonly node?: readonly string[];
  /** Node modules that only some of its files may import. */
  readonly only?: Readonly<Record<string, RegExp>>;
  /** Node modules it must not import. */
  readonly without?: readonly string[];
  /** Packages it may import; undefined: every dependency. */
  readonly packages?: readonly string[];
  /** Code it must not hold. */
  readonly never?: Readonly<Record<string, RegExp>>;
}

const PROCESS = { process: /(?<![.\w])process\b(?!\s*[:(])/ };
const TIMERS = { 'a timer': /(?<![.\w])(?:setTimeout|setInterval|setImmediate|clearTimeout|clearInterval)\b/ };
const CONSOLE = { console: /(?<![.\w])console\b/ };
const CLOCK = { 'the clock': /\bDate\.now\b|\bperformance\b|\bnew Date\(\s*\)|\bhrtime\b/ };

const SOCKETS = [
  'node:net',
  'node:tls',
  'node:http',
  'node:https',
  'node:http2',
  'node:dgram',
  'node:cluster',
  'node:worker_threads',
  'node:child_process',
];

/** The table of docs/architecture.md. `front` is what lies directly in src/: the doors. */
const LAYERS: Readonly<Record<string, Layer>> = {
  process: {
    layers: [],
    node: ['node:buffer', 'node:diagnostics_channel', 'node:module', 'node:url'],
    packages: ['cookie', 'mime-types'],
    never: { ...PROCESS, ...TIMERS, ...CONSOLE },
  },
  http: {
    layers: ['process'],
    node: [
      'node:async_hooks',
      'node:buffer',
      'node:crypto',
      'node:fs',
      'node:path',
      'node:stream',
      'node:stream/web',
      'node:url',
      'node:util',
    ],
    only: { 'node:fs': /^http\/file\//, 'node:async_hooks': /^http\/body\/stream-source/ },
    never: { ...PROCESS, ...TIMERS, ...CONSOLE, ...CLOCK },
  },
  h1: { layers: ['http'], node: ['node:buffer'], packages: [], never: { ...PROCESS, ...TIMERS, ...CONSOLE, ...CLOCK } },
  h2: { layers: ['http'], node: ['node:buffer'], packages: [], never: { ...PROCESS, ...TIMERS, ...CONSOLE, ...CLOCK } },
  exchange: { layers: ['http', 'process'], without: SOCKETS },
  helpers: { layers: ['http', 'process'] },
  guests: { layers: ['http', 'exchange', 'process'] },
  server: { layers: ['http', 'h1', 'h2', 'exchange', 'process'] },
  blocking: { layers: ['process'], packages: ['undici'] },
  tracing: { layers: ['http', 'exchange', 'process'], packages: ['@opentelemetry/api'], without: SOCKETS },
  front: { layers: ['process', 'http', 'exchange', 'guests', 'server', 'helpers', 'blocking', 'tracing'] },
};

/** Nothing that `import 'filrouge'` loads may load these. */
const HEAVY = new Set([
  'undici',
  'undici/index.js',
  'ws',
  'socket.io',
  '@opentelemetry/api',
  'node:http',
  'node:https',
  'node:http2',
  'node:child_process',
  'node:cluster',
]);

/** Packages that belong to one subject. */
const RESERVED: Readonly<Record<string, RegExp>> = {
  undici: /^(?:helpers\/proxy(?:\.ts$|\/)|blocking\/)/,
  'undici/index.js': /^helpers\/proxy(?:\.ts$|\/)/,
  '@opentelemetry/api': /^tracing\//,
  'socket.io': /^(?:guests\/socket-io(?:\.ts$|\/)|socket\.io\.ts$)/,
  'socket.io-adapter': /^guests\/socket-io\//,
};

/** Breaches of the table: layers, node modules, packages. */
export function forbiddenImports(sources: readonly Source[], dependencies: readonly string[]): string[] {
  return each(sources, (source, layer) =>
    source.imports
      .filter(
        (found) =>
          !isAllowed(layerOf(source.path), layer, found, dependencies) ||
          RESERVED[found.target]?.test(source.path) === false ||
          layer.only?.[found.target]?.test(source.path) === false,
      )
      .map((found) => `imports ${found.target}`),
  );
}

function isAllowed(name: string, layer: Layer, found: Import, dependencies: readonly string[]): boolean {
  if (found.relative) {
    const target = layerOf(found.target);
    return target === name || layer.layers.includes(target);
  }
  if (found.target.startsWith('node:')) return !layer.without?.includes(found.target) && (layer.node?.includes(found.target) ?? true);
  const parts = found.target.split('/');
  const named = found.target.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? '');
  return (layer.packages ?? dependencies).includes(named) && dependencies.includes(named);
}

/** Globals that a layer must not touch: process, timers, console, the clock. */
export function forbiddenGlobals(sources: readonly Source[]): string[] {
  return each(sources, (source, layer) =>
    Object.entries(layer.never ?? {}).flatMap(([what, pattern]) =>
      linesWith(source, pattern).map((line) => `touches ${what} in line ${line}`),
    ),
  );
}

/** A helper is `helpers/x.ts` with what lies in `helpers/x/`; what two of them share moves down, never sideways. */
export function helpersThatImportHelpers(sources: readonly Source[]): string[] {
  const subject = (path: string): string => path.split('/')[1]?.replace(/\.ts$/, '') ?? '';
  return each(sources, (source) => {
    if (layerOf(source.path) !== 'helpers') return [];
    const others = source.imports.filter((found) => found.relative && layerOf(found.target) === 'helpers');
    return others
      .filter((found) => subject(found.target) !== subject(source.path) && !isCommonGround(sources, found.target))
      .map((found) => `imports ${found.target}`);
  });
}

/** A folder of helpers/ without a file of its name belongs to no helper. */
function isCommonGround(sources: readonly Source[], path: string): boolean {
  const [, folder, file] = path.split('/');
  return file !== undefined && !sources.some((source) => source.path === `helpers/${folder}.ts`);
}

/** Folders whose `inside/` runs elsewhere than what lies beside it, and what both sides may know: the words they exchange. */
const SIDES: readonly { readonly outside: string; readonly words: readonly string[] }[] = [
  { outside: 'server/supervisor/', words: ['messages.ts'] },
  { outside: 'server/threads/', words: ['wire.ts', 'board.ts', 'known-lines.ts'] },
  { outside: 'blocking/', words: ['wire.ts', 'errors.ts', 'marks.ts', 'mailbox.ts', 'life.ts'] },
];

/** The files that may reach inside: one loads the part that this process plays, one plays a thread in tests, and one plays it for other workers. */
const PLAYS: Readonly<Record<string, { readonly target: RegExp; readonly lazy: boolean }>> = {
  'server/start.ts': { target: /^server\/(?:supervisor|threads)\/inside\//, lazy: true },
  'server/affinity/side.ts': { target: /^server\/threads\/inside\/(?:thread|arrived-body)\.ts$/, lazy: false },
  'server/threads/start.ts': { target: /^server\/threads\/inside\/start\.ts$/, lazy: true },
};

/** What lies in `inside/` runs in the worker or in the thread, what lies beside it does not: neither imports the other. */
export function importsAcrossSides(sources: readonly Source[]): string[] {
  return SIDES.flatMap(({ outside, words }) => {
    const inside = `${outside}inside/`;
    const shared = new Set(words.map((word) => outside + word));
    return each(sources, (source) => {
      const isInside = source.path.startsWith(inside);
      const play = PLAYS[source.path];
      return source.imports.flatMap(({ target, lazy }) => {
        if (isInside && target.startsWith(outside) && !target.startsWith(inside) && !shared.has(target)) {
          return [`runs inside and imports ${target}, which runs outside`];
        }
        if (isInside || !target.startsWith(inside) || (play?.target.test(target) && (lazy || !play.lazy))) return [];
        return [`runs outside and imports ${target}, which runs inside`];
      });
    });
  });
}

/** Layers without state: what their functions return depends on their arguments alone. */
const STATELESS = new Set(['http', 'h1', 'h2', 'exchange']);

/** The state they have nevertheless, each with its reason. */
export const STATE: Readonly<Record<string, string>> = {
  'exchange/explain/original-place.ts keptMaps':
    'the source maps that were read last: to read one takes fifty times as long as to look into it',
  'http/type-list.ts lists': 'the header list of each media type: one that is known is serialized once',
  'http/fields/content-type.ts lastValue': 'clients repeat their Content-Type: what came last is not parsed again',
  'http/fields/content-type.ts last': 'what lastValue was parsed to',
  'http/file/open-file.ts FORGOTTEN': 'closes the descriptors of responses that nobody has sent',
  'h1/parser.ts knownHost': 'nearly every request names the same host: it is not checked again',
  'h1/serializer.ts STATUS_LINES': 'one status line for each code, made when it is first sent',
  'h2/hpack/huffman.ts scratch': 'where the symbols of one string are gathered: nothing in it outlives the call',
};

/** A variable at the top of a file, or a field of a class, that can be set again. */
const VARIABLE = /^(?:export )?(?:let|var) (\w+)|^ +(?:(?:public|private|protected) )?static (?!readonly\b)(#?\w+)(?= *[:=;])/gm;
const CONSTANT = /^(?:export )?const (\w+)/gm;

/** Variables of modules, and constants whose contents change, unless there is a reason. */
export function moduleState(sources: readonly Source[]): string[] {
  return each(sources, (source) =>
    STATELESS.has(layerOf(source.path))
      ? stateOf(source)
          .filter((name) => STATE[`${source.path} ${name}`] === undefined)
          .map((name) => `keeps state in ${name}`)
      : [],
  );
}

/** Reasons for state that is not there. */
export function needlessReasons(sources: readonly Source[]): string[] {
  const present = new Set(sources.flatMap((source) => stateOf(source).map((name) => `${source.path} ${name}`)));
  return Object.keys(STATE).filter((key) => !present.has(key));
}

function stateOf({ code }: Source): string[] {
  const variables = [...code.matchAll(VARIABLE)].map((match) => match[1] ?? match[2] ?? '');
  const constants = [...code.matchAll(CONSTANT)].map((match) => match[1] ?? '').filter((name) => isChanged(name, code));
  return [...variables, ...constants];
}

/** Whether something is put into a collection, an array, a buffer or an object, or taken out. */
function isChanged(name: string, code: string): boolean {
  const methods = 'set|add|delete|clear|push|pop|shift|unshift|splice|sort|reverse|fill|copyWithin|register';
  const entry = `(?:\\.(?!lastIndex\\b)\\w+|\\[[^\\]]*\\])\\s*(?:[-+*/%&|^]|\\*\\*|<<|>>>?|&&|\\|\\||\\?\\?)?=(?![=>])`;
  return new RegExp(`(?<![.\\w])${name}(?:\\.(?:${methods})\\(|${entry}|(?:\\.\\w+|\\[[^\\]]*\\])(?:\\+\\+|--))`).test(code);
}

/** Folders with more files than can be taken in at a glance; helpers/ is a list of subjects and may be longer. */
export function crowdedFolders(sources: readonly Source[], most: number): string[] {
  const counts = new Map<string, number>();
  for (const { path } of sources) {
    const folder = path.slice(0, path.lastIndexOf('/') + 1);
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  return [...counts]
    .filter(([folder, count]) => folder !== 'helpers/' && count > most)
    .map(([folder, count]) => `${folder} has ${count} files`);
}

/** Circles of imports, each once: one that is gone after compilation, or that is reached late, ties two files as any other does. */
export function importCycles(sources: readonly Source[]): string[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(' → '));
    if (trail.includes(path) || done.has(path)) return;
    for (const found of byPath.get(path)?.imports ?? []) {
      if (found.relative) visit(found.target, [...trail, path]);
    }
    done.add(path);
  };
  for (const path of byPath.keys()) visit(path, []);
  return cycles;
}

/** Heavy modules that come with a door, and the way they come in. */
export function heavyImports(sources: readonly Source[], door: string): string[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const seen = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const item of byPath.get(path)?.imports ?? []) {
      if (item.typeOnly || item.lazy) continue;
      if (item.relative) visit(item.target, [...trail, path]);
      else if (HEAVY.has(item.target)) found.push([...trail, path, item.target].join(' → '));
    }
  };
  visit(door, []);
  return found;
}

/** Relative imports of a file that does not exist, or that do not end in `.ts`. */
export function brokenImports(sources: readonly Source[]): string[] {
  const paths = new Set(sources.map((source) => source.path));
  return each(sources, (source) =>
    source.imports
      .filter((found) => found.relative && !paths.has(found.target))
      .map((found) => `imports ${found.target}, which does not exist`),
  );
}

/** Files too long to be read in one go. */
export function longFiles(sources: readonly Source[], most: number): string[] {
  return each(sources, (source) => (source.lines > most ? [`has ${source.lines} lines`] : []));
}

/** Names that say nothing, and names that are not kebab-case. */
export function badNames(sources: readonly Source[]): string[] {
  return each(sources, (source) =>
    (source.path === 'socket.io.ts' ? 'socket-io.ts' : source.path) // a door is named as the package it leads to
      .replace(/\.c?[jt]s$/, '')
      .split('/')
      .filter((name) => /^(?:utils?|common|types?|misc|helper|shared|lib)$/.test(name) || !/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name))
      .map((name) => `is named "${name}"`),
  );
}

/**
 * Options that do not say `| undefined`: with `exactOptionalPropertyTypes` their users could not pass on an option of their own that may be
 * missing.
 */
export function optionsWithoutUndefined(sources: readonly Source[]): string[] {
  const takesUndefined = (type: string): boolean => /(?:^|\| )(?:undefined|unknown)$/.test(type);
  const missing = (members: string, option: RegExp): string[] =>
    [...members.matchAll(option)].filter(([, , type = '']) => !takesUndefined(type)).map(([, name = '']) => name);
  return each(sources, ({ code }) => [
    ...[...code.matchAll(/^export interface (\w+(?:Options|Init|Policy|Limits))\b[^{]*\{\n([\s\S]*?)^\}/gm)].flatMap(
      ([, name, members = '']) => missing(members, /^ {2}(?:readonly )?(\w+)\?:\s([\s\S]*?);$/gm).map((option) => `${name}.${option}`),
    ),
    ...[...code.matchAll(/\boptions\??: \{([^}]*) \}/g)].flatMap(([, members = '']) =>
      missing(members, / (\w+)\?: ([^;]*)/g).map((option) => `options.${option}`),
    ),
  ]).map((breach) => breach.replace(' ', ' has ').concat(', which does not take undefined'));
}

/** Default exports. */
export function defaultExports(sources: readonly Source[]): string[] {
  return each(sources, (source) =>
    linesWith(source, /\bexport\s+default\b|\bexport\s*\{[^}]*\bas\s+default\b/).map((line) => `exports a default in line ${line}`),
  );
}

/** The type `any`. */
export function anyTypes(sources: readonly Source[]): string[] {
  return each(sources, (source) =>
    linesWith(source, /(?:[:<|&,=(]|\bas|\bextends|=>)\s*any\b(?!\s*[(:=.?])/).map((line) => `says any in line ${line}`),
  );
}

function each(sources: readonly Source[], breaches: (source: Source, layer: Layer) => readonly string[]): string[] {
  return sources.flatMap((source) => {
    const layer = LAYERS[layerOf(source.path)];
    if (!layer) return [`${source.path} is in no layer`];
    return breaches(source, layer).map((breach) => `${source.path} ${breach}`);
  });
}

function layerOf(path: string): string {
  return path.includes('/') ? (path.split('/')[0] ?? '') : 'front';
}

function linesWith(source: Source, pattern: RegExp): number[] {
  return [...source.code.matchAll(new RegExp(pattern, 'g'))].map((match) => source.code.slice(0, match.index).split('\n').length);
}
