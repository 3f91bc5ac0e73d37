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
  ['./require.cjs', { from: 'process', beside: 'parts' }], // parts/http.js
  ['./undici.cjs', { from: 'blocking', beside: '' }], // blocking.js
]);

const asItIs = {
  name: 'as-it-is',
  resolveId(id) {
    return AS_IT_IS.has(id) ? { id, external: true } : undefined;
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
    entryFileNames: '[name].js',
    chunkFileNames: 'parts/[name].js',
    codeSplitting: {
      groups: [
        { name: 'http', test: /\/src\/(?:process|http)\// },
        // What a handler thread shares with the listener and the primary: a file more costs each thread a third of a millisecond.
        {
          name: 'shared',
          test: /\/src\/(?:exchange\/(?:respond|explain|finish|print-error|web-response)|helpers\/reading\/schema|server\/(?:roles|operator-log|seen\/marks|peer|questions\/.*|tls\/options|body\/live-stream|threads\/(?:wire|board|known-lines)))\.ts$/,
        },
      ],
    },
  },
});

for (const [id, { from, beside }] of AS_IT_IS) {
  for (const folder of [`dist/${beside}`, `.build/modules/${from}`]) copyFileSync(`${ROOT}src/${from}/${id}`, `${ROOT}${folder}/${id}`);
}
