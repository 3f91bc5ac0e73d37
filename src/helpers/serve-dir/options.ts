/**
 * The options of `serveDir`, checked.
 *
 * @module
 */
import { withCode } from '../../http/error-codes.ts';

/** How a folder is served. */
export interface ServeDirOptions {
  /** The file that stands for its folder; false: folders do not exist. Default `index.html`. */
  index?: string | false;
  /** Seconds that caches may use a file without asking again. Default: they keep it, and ask each time. */
  maxAge?: number;
  /** Whether the files never change, as those with a hash in their name: browsers then do not even ask on reload. Needs `maxAge`. Default false. */
  immutable?: boolean;
  /** Whether names that begin with a dot exist. Default false: `.git`, `.env` and `.well-known` are not there. */
  dotfiles?: boolean;
  /** Whether `app.js.br`, `app.js.zst` and `app.js.gz` are sent for `app.js` to those who take them. Default true. */
  precompressed?: boolean;
  /** What there is no file for: true (default) gives undefined, for `??`; false answers 404, and 405 to other methods than GET and HEAD. */
  fallthrough?: boolean;
}

const SWITCHES = ['immutable', 'dotfiles', 'precompressed', 'fallthrough'] as const;
const KNOWN: ReadonlySet<string> = new Set(['index', 'maxAge', ...SWITCHES]);

/** @throws TypeError or RangeError (code `bad-option`). */
export function checkOptions(root: unknown, options: ServeDirOptions): void {
  if (typeof root !== 'string' || root === '' || root.includes('\0')) {
    throw wrong(`root is ${typeof root === 'string' ? JSON.stringify(root) : typeof root}, not the path of a folder`);
  }
  if (typeof options !== 'object' || options === null) throw wrong('options are no object');
  for (const name in options) {
    if (!KNOWN.has(name)) throw wrong(`there is no option "${name}"`);
  }
  for (const name of SWITCHES) {
    if (options[name] !== undefined && typeof options[name] !== 'boolean') throw wrong(`${name} is neither true nor false`);
  }
  const { index, maxAge, immutable } = options;
  if (index !== undefined && index !== false && !isName(index)) throw wrong('index is neither the name of a file nor false');
  if (maxAge !== undefined && (!Number.isSafeInteger(maxAge) || maxAge < 0)) {
    throw withCode(new RangeError(`Cannot serve files: maxAge ${maxAge} is not a whole number of seconds`), 'bad-option');
  }
  if (immutable && maxAge === undefined) throw wrong('immutable means nothing without maxAge');
}

/** `no-cache` means: keep it, but ask before you use it. Without any word, browsers guess (RFC 9111 §4.2.2), and show old pages after a change. */
export function cacheControl({ maxAge, immutable }: ServeDirOptions): string {
  if (maxAge === undefined) return 'no-cache';
  return immutable ? `max-age=${maxAge}, immutable` : `max-age=${maxAge}`;
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && /^[^/\\\0]+$/.test(value) && value !== '.' && value !== '..';
}

function wrong(why: string): TypeError & { readonly code: string } {
  return withCode(new TypeError(`Cannot serve files: ${why}`), 'bad-option');
}
