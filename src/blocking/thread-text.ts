/**
 * The code of an I/O thread as text, since a file of its own would be missing where a program has been bundled.
 *
 * The build puts inside/io-thread.ts here with all that it imports (test/thread-text.mjs). Among the modules that tsc writes, the text imports the one
 * in its folder.
 *
 * @module
 */
import { extname } from 'node:path';

const file = new URL(`./inside/io-thread${extname(import.meta.url)}`, import.meta.url);

/** A CommonJS script. */
export const THREAD_TEXT: string = `import(${JSON.stringify(file)})`;
