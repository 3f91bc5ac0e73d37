/**
 * A folder whose files may be served, and nothing outside it.
 *
 * A file is opened first, and judged by what was opened: its kind by fstat, its place by the path that the system gives for the descriptor. So nobody
 * can put another file there between check and use. A FIFO does not block, and nothing but a regular file is ever read.
 *
 * @module
 */
import { readlinkSync, realpathSync, type Stats, statSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { quoted } from '../../http/escaped.ts';
import { OpenFile, versionOf } from '../../http/file/open-file.ts';
import { type KeptFile, keep, recall } from './kept-files.ts';

/** On Windows one file has many names (`PROGRA~1`, `a.txt.`, `a.txt::$DATA`): there only the one on disk counts, and links are not followed. */
const HAS_MANY_NAMES = process.platform === 'win32';

/** Errors that mean there is no such file for us. All others, such as too many open files, are thrown. */
const ABSENCE: ReadonlySet<string | undefined> = new Set([
  'ENOENT',
  'ENOTDIR',
  'ELOOP',
  'ENAMETOOLONG',
  'EACCES',
  'EPERM',
  'ENXIO',
  'ENODEV',
]);

/** Roots to look at: a program that makes them up from requests must not fill the memory, or the log. */
const MOST_ROOTS = 100;

/** The roots of which a file was missing: those that are not there at all have been named in the log. */
const missed = new Set<string>();

/** A root. Made for one request, since it may be a link that is switched to the next release while we run. */
export class Folder {
  /** Absolute, without a slash at its end. */
  readonly #path: string;
  readonly #mayRecall: boolean;

  /** @param mayRecall Whether files may come from memory. */
  constructor(root: string, mayRecall: boolean) {
    const path = resolve(root);
    this.#path = path.endsWith(sep) ? path.slice(0, -1) : path;
    this.#mayRecall = mayRecall;
  }

  /** What lies at a path, wherever links lead. It may be outside: nothing about it may be revealed before `open` has succeeded. */
  stat(path: string): Stats | undefined {
    return unlessAbsent(() => statSync(this.#path + path, { throwIfNoEntry: false }));
  }

  /**
   * Takes note that something was missing. If that is because the folder itself is not there, by a typing error or a wrong working
   * directory, the log says so, once for each root.
   */
  miss(): void {
    if (missed.has(this.#path) || missed.size === MOST_ROOTS) return;
    missed.add(this.#path);
    if (this.stat('/')?.isDirectory()) return;
    console.error(`[serveDir] Cannot serve files: there is no folder ${quoted(this.#path)}`);
  }

  /**
   * Finds a regular file, open or in memory.
   *
   * @param path Begins with a slash, holds no dot segments.
   * @param stats What lies there.
   * @returns The file, or undefined when there is none, it may not be read, or lies outside.
   */
  find(path: string, stats: Stats): OpenFile | KeptFile | undefined {
    return (this.#mayRecall ? recall(this.#path + path, versionOf(stats)) : undefined) ?? this.open(path);
  }

  /** Does the same, always from disk. */
  open(path: string): OpenFile | undefined {
    const root = unlessAbsent(() => realpathSync.native(this.#path + sep));
    if (root === undefined) return undefined;
    const wanted = join(root, path);
    const file = unlessAbsent(() => OpenFile.openSync(wanted));
    if (!file) return undefined;
    const real = unlessAbsent(() => realPathOf(file));
    if (real !== undefined && isInside(real, root, wanted, HAS_MANY_NAMES)) return file;
    file.close();
    return undefined;
  }

  /** Keeps a file that was opened here and read, if it is requested often. */
  keep(path: string, file: OpenFile, content: Buffer): void {
    keep(this.#path + path, file.version, content);
  }
}

/**
 * Whether a file may be shown.
 *
 * @param real Where it really lies.
 * @param root The real path of the folder.
 * @param wanted Its path as it was asked for.
 * @param exactly Whether the two must be the same.
 */
export function isInside(real: string, root: string, wanted: string, exactly: boolean): boolean {
  if (real === wanted) return true;
  if (exactly || fold(real) === fold(wanted)) return false; // `/Private` for `/private`, on disks that ignore case: guards see two paths
  return real.startsWith(root.endsWith(sep) ? root : root + sep);
}

function fold(path: string): string {
  return path.normalize().toLowerCase();
}

/** On Linux, the path of what is open. Elsewhere the path is followed once more, and must lead to the same file. */
function realPathOf(file: OpenFile): string | undefined {
  if (process.platform === 'linux') return readlinkSync(`/proc/self/fd/${file.descriptor}`);
  const real = realpathSync.native(file.path);
  const { dev, ino } = statSync(real);
  return dev === file.version.device && ino === file.version.inode ? real : undefined;
}

function unlessAbsent<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (ABSENCE.has((error as NodeJS.ErrnoException).code)) return undefined;
    throw error;
  }
}
