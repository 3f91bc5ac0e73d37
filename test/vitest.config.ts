import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { threadText } from './thread-text.mjs';

export default defineConfig({
  plugins: [threadText],
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/bench/**', 'test/fuzz/**', '**/node_modules/**'],
    pool: 'forks',
    testTimeout: 10_000,
    hookTimeout: 20_000,
  },
});
