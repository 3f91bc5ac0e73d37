/** How Vite builds the two halves: what browsers load goes to dist/client, what the server loads to dist/server. */
import prefresh from '@prefresh/vite';
import { defineConfig, type PluginOption } from 'vite';

export default defineConfig({
  plugins: [prefresh() as PluginOption], // a component that is edited keeps its state
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  builder: {}, // `vite build` makes both
  environments: {
    client: { build: { outDir: 'dist/client' } },
    ssr: {
      build: { outDir: 'dist/server', rolldownOptions: { input: 'client/render.tsx' } },
      resolve: { noExternal: true }, // Preact too: where it runs, nothing but dist/ and filrouge is installed
    },
  },
});
