/**
 * Loads packages on first use: loading one takes milliseconds, which every process and every handler thread would pay at its start, and few
 * programs need all of them.
 *
 * @module
 */
import { createRequire } from 'node:module';
import type busboy from 'busboy';
import type * as cookie from 'cookie';
import type * as mimeTypes from 'mime-types';

interface Packages {
  readonly busboy: typeof busboy;
  readonly cookie: typeof cookie;
  readonly 'mime-types': typeof mimeTypes;
}

const load = createRequire(import.meta.url);

/** @returns A function that returns the package, and loads it on the first call. */
export function lazyPackage<N extends keyof Packages>(name: N): () => Packages[N] {
  let loaded: Packages[N] | undefined;
  return () => (loaded ??= load(name) as Packages[N]);
}
