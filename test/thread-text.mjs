/**
 * A plugin for rolldown and vitest that gives each thread-text.ts in src its text: the code of a thread with all that it imports.
 */
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';

/** The script of each thread, beside its text. */
const SCRIPTS = { '/src/server/watchdog/': 'watch-thread.ts', '/src/blocking/': 'inside/io-thread.ts' };

export const threadText = {
  name: 'thread-text',
  async load(id) {
    const folder = /(\/src\/(?:(?!\/src\/).)+\/)thread-text\.ts$/.exec(id.replaceAll('\\', '/'))?.[1];
    const script = SCRIPTS[folder];
    if (script === undefined) return undefined;
    const { output } = await build({
      input: fileURLToPath(new URL(`..${folder}${script}`, import.meta.url)),
      platform: 'node',
      transform: { target: 'es2022' },
      write: false,
      output: { format: 'cjs', codeSplitting: false },
    });
    return `export const THREAD_TEXT = ${JSON.stringify(output[0].code)};`;
  },
};
