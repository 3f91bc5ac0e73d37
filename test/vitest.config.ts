import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './order.ts';
import { DEADLINE } from './support/until.ts';
import { threadText } from './thread-text.mjs';
import { filesTogether } from './together.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

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
/** Several files in one process. */
const TOGETHER = filesTogether(ROOT);
/** The long ones wait most of their time, for processes and for clocks of the server: with four of them, two cores have something to do. */
const WORKERS = Math.max(4, availableParallelism());
const NEVER = ['test/bench/**', 'test/fuzz/**', '**/node_modules/**'];

export default defineConfig({
  plugins: [threadText],
  root: ROOT,
  test: {
    setupFiles: process.env['FILROUGE_OVER'] === undefined ? [] : ['test/support/over-setup.ts'],
    pool: 'forks',
    testTimeout: 28_000, // for a machine that is slow and busy, and less than the 30 s after which a server ends by itself what has hung
    hookTimeout: 60_000,
    expect: { poll: { timeout: DEADLINE } },
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'side by side',
          include: ['test/**/*.test.ts'],
          exclude: [...NEVER, ...ALONE, ...TOGETHER],
          maxWorkers: WORKERS,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'together',
          include: TOGETHER,
          exclude: [...NEVER, ...ALONE],
          isolate: false,
          maxWorkers: WORKERS,
          sequence: { groupOrder: 0 },
        },
      },
      { extends: true, test: { name: 'alone', include: ALONE, exclude: NEVER, maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
  },
});
