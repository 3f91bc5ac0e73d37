/**
 * Bundles the package into dist: each door of package.json is a file, and what doors share, or load later, is a part of its own. Other packages
 * stay outside. The reasons stand in docs/decisions/0006-bundle.md.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const { exports: doors } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8'));
const names = Object.values(doors).flatMap((door) => /^\.\/dist\/(.+)\.js$/.exec(door.default ?? '')?.[1] ?? []);

await build({
  cwd: ROOT,
  platform: 'node',
  input: {
    ...Object.fromEntries(names.map((name) => [name, `src/${name}.ts`])),
    'parts/watch-thread': 'src/server/watchdog/watch-thread.ts', // a thread's script, found by its name beside the part that starts it
  },
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
          test: /\/src\/(?:exchange\/(?:respond|web-response)|server\/(?:roles|operator-log|peer|questions\/.*|tls\/options|body\/live-stream|threads\/(?:wire|board|known-lines)))\.ts$/,
        },
      ],
    },
  },
});
