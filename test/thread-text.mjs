/**
 * A plugin for rolldown and vitest that gives src/server/watchdog/thread-text.ts its text: the code of the thread with all that it imports.
 */
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';

const SCRIPT = fileURLToPath(new URL('../src/server/watchdog/watch-thread.ts', import.meta.url));

export const threadText = {
  name: 'thread-text',
  async load(id) {
    if (!id.replaceAll('\\', '/').endsWith('/src/server/watchdog/thread-text.ts')) return undefined;
    const { output } = await build({
      input: SCRIPT,
      platform: 'node',
      transform: { target: 'es2022' },
      write: false,
      output: { format: 'cjs', codeSplitting: false },
    });
    return `export const THREAD_TEXT = ${JSON.stringify(output[0].code)};`;
  },
};
