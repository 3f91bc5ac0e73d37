/**
 * The options of `serveDir`, checked.
 *
 * @module
 */
import { badOption, checkBoolean, checkInteger, checkOptions, checkSystemString } from '../../http/errors/bad-option.ts';

/** Options of `serveDir`. */
export interface ServeDirOptions {
  /** The file sent for its folder; false: folders do not exist. Default `index.html`. */
  index?: string | false | undefined;
  /** Seconds for which caches may use a file without asking again. Default: they keep it, and ask each time. */
  maxAge?: number | undefined;
  /** Whether the files never change, like those with a hash in their names: browsers then do not ask even on reload. Needs `maxAge`. Default false. */
  immutable?: boolean | undefined;
  /** Whether names that begin with a dot exist. Default false: `.git`, `.env` and `.well-known` are not there. */
  dotfiles?: boolean | undefined;
  /** Whether `app.js.br`, `app.js.zst` and `app.js.gz` are sent for `app.js` to clients that accept them. Default true. */
  precompressed?: boolean | undefined;
  /** When there is no file: true (default) returns undefined, for `??`; false answers 404, and 405 for methods other than GET and HEAD. */
  fallthrough?: boolean | undefined;
}

const SUBJECT = 'Cannot serve files';
const SWITCHES = ['immutable', 'dotfiles', 'precompressed', 'fallthrough'] as const;
const KNOWN: ReadonlySet<string> = new Set(['index', 'maxAge', ...SWITCHES]);

/** @throws TypeError or RangeError (code `bad-option`). */
export function checkArguments(root: unknown, options: ServeDirOptions): void {
  checkSystemString(SUBJECT, 'root', root);
  checkOptions(SUBJECT, options, KNOWN);
  for (const name of SWITCHES) {
    if (options[name] !== undefined) checkBoolean(SUBJECT, name, options[name]);
  }
  const { index, maxAge, immutable } = options;
  if (index !== undefined && index !== false && !isName(index)) throw badOption(SUBJECT, 'index is neither the name of a file nor false');
  if (maxAge !== undefined) checkInteger(SUBJECT, 'maxAge', maxAge, 0, Number.MAX_SAFE_INTEGER, 'seconds');
  if (immutable && maxAge === undefined) throw badOption(SUBJECT, 'immutable has no effect without maxAge');
}

/** `no-cache` means: keep it, but ask before using it. Without the field browsers guess (RFC 9111 §4.2.2), and show old pages after a change. */
export function cacheControl({ maxAge, immutable }: ServeDirOptions): string {
  if (maxAge === undefined) return 'no-cache';
  return immutable ? `max-age=${maxAge}, immutable` : `max-age=${maxAge}`;
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && /^[^/\\\0]+$/.test(value) && value !== '.' && value !== '..';
}
