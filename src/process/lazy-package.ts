/**
 * Packages that are loaded when they are first asked for: to load one takes milliseconds, which every process and every handler thread would pay at
 * its start, and few programs need all of them.
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

/** @returns Gives the package, loaded the first time. */
export function lazyPackage<N extends keyof Packages>(name: N): () => Packages[N] {
  let loaded: Packages[N] | undefined;
  return () => (loaded ??= load(name) as Packages[N]);
}
