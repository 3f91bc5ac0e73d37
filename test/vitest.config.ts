import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { DEADLINE } from './support/until.ts';
import { threadText } from './thread-text.mjs';

/** Tests that look at time, memory or the load of the machine: one after the other, when the others are done. */
const ALONE = [
  'test/cluster/prompt-refusals.test.ts',
  'test/cluster/watchdog.test.ts',
  'test/h1/differential.test.ts',
  'test/helpers/compress/server.test.ts',
  'test/rfc/time-and-load.test.ts',
  'test/server/cost.test.ts',
  'test/server/http2/endings.test.ts',
  'test/server/http2/floods.test.ts',
  'test/stress/**/*.test.ts',
];
const NEVER = ['test/bench/**', 'test/fuzz/**', '**/node_modules/**'];

export default defineConfig({
  plugins: [threadText],
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    setupFiles: process.env['FILROUGE_OVER'] === undefined ? [] : ['test/support/over-setup.ts'],
    pool: 'forks',
    testTimeout: 28_000, // for a machine that is slow and busy, and less than the 30 s after which a server ends by itself what has hung
    hookTimeout: 60_000,
    expect: { poll: { timeout: DEADLINE } },
    projects: [
      {
        extends: true,
        test: {
          name: 'side by side',
          include: ['test/**/*.test.ts'],
          exclude: [...NEVER, ...ALONE],
          maxWorkers: Math.max(3, availableParallelism() - 1), // many wait for processes: three do not hinder each other on two cores
          sequence: { groupOrder: 0 },
        },
      },
      { extends: true, test: { name: 'alone', include: ALONE, exclude: NEVER, maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
  },
});
