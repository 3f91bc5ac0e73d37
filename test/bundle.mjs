/**
 * Bundles the package into dist: each door of package.json is a file, and what doors share, or load later, is a part of its own. Other packages
 * stay outside. The reasons stand in docs/decisions/0006-bundle.md.
 */
import { copyFileSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';
import { threadText } from './thread-text.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const { exports: doors } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8'));
const names = Object.values(doors).flatMap((door) => /^\.\/dist\/(.+)\.js$/.exec(door.default ?? '')?.[1] ?? []);

/**
 * What must reach the bundlers of others as it was written: a literal `require`, which rolldown would turn into one of its own. Where each lies, and the
 * folder of dist with the file that imports it.
 */
const AS_IT_IS = new Map([
  ['./require.cjs', { from: 'process', beside: 'parts' }], // parts/shared.js
  ['./undici.cjs', { from: 'blocking', beside: '' }], // blocking.js
]);

const asItIs = {
  name: 'as-it-is',
  resolveId(id) {
    return AS_IT_IS.has(id) ? { id, external: true } : undefined;
  },
};

/**
 * A file with one character outside of Latin-1 is held and read as UTF-16 by V8. The parts that are loaded later may be: some hold scripts as raw text.
 */
const asAscii = {
  name: 'as-ascii',
  /** @param {unknown} _options @param {import('rolldown').OutputBundle} bundle */
  generateBundle(_options, bundle) {
    for (const file of Object.values(bundle)) {
      if (file.type !== 'chunk' || !(file.isEntry || file.name === 'shared')) continue;
      file.code = file.code.replaceAll(/[^\x00-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
    }
  },
};

await build({
  cwd: ROOT,
  platform: 'node',
  input: Object.fromEntries(names.map((name) => [name, `src/${name}.ts`])),
  plugins: [threadText, asItIs],
  external: (id) => !/^(?:\.|\/|src\/)/.test(id),
  transform: { target: 'es2022' },
  output: {
    dir: 'dist',
    format: 'esm',
    sourcemap: true,
    comments: { annotation: true, legal: true, jsdoc: false },
    plugins: [asAscii],
    entryFileNames: '[name].js',
    chunkFileNames: 'parts/[name].js',
    codeSplitting: {
      groups: [
        // What the front door loads, and what a handler thread shares with listener and primary: each file more costs a thread a millisecond of its start.
        {
          name: 'shared',
          test: /\/src\/(?:index|exchange\/(?:body-limit|dispatch|stopping)|http\/request\/[\w-]+|process\/(?:child-groups|channels\/hub|watching\/(?:call-channel|farewell))|server\/(?:body\/live-stream|questions\/[\w-]+|recording\/word-of-failure|threads\/(?:board|inside\/thread|known-lines|wire)))\.ts$/,
        },
      ],
    },
  },
});

for (const [id, { from, beside }] of AS_IT_IS) {
  for (const folder of [`dist/${beside}`, `.build/modules/${from}`]) copyFileSync(`${ROOT}src/${from}/${id}`, `${ROOT}${folder}/${id}`);
}
