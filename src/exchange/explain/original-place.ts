/**
 * The place in the original source of a place in compiled code, by its source map (ECMA-426).
 *
 * @module
 */
import { readFileSync, statSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A place in a file. Line and column count from 1. */
export interface Place {
  readonly path: string;
  readonly line: number;
  readonly column: number;
  /** The text of the file, where a source map brings it. */
  readonly text?: string | undefined;
}

/** How many files' maps are kept: an error has frames of some ten files, and to read the map of one may take tens of milliseconds. */
const MOST_MAPS = 20;

interface KeptMap {
  /** Undefined when the file names none. */
  readonly map: SourceMap | undefined;
  /** When the file was last written, ms since 1970. */
  readonly writtenAt: number;
}

/** By path, the one read last at the end. */
const keptMaps: Map<string, KeptMap> = new Map();

/** The place in the original source; without a usable map the place itself, which is better than nothing. */
export function originalPlace(place: Place): Place {
  const { path, line, column } = place;
  try {
    const map = mapOf(path);
    const entry = map?.findEntry(line - 1, column - 1);
    if (!map || !entry || !('originalSource' in entry)) return place;
    const source = entry.originalSource;
    const { sources, sourcesContent } = map.payload;
    return {
      path: source.startsWith('file:') ? fileURLToPath(source) : resolve(dirname(path), source),
      line: entry.originalLine + 1,
      column: entry.originalColumn + 1,
      text: sourcesContent?.[sources.indexOf(source)],
    };
  } catch {
    return place;
  }
}

/** The map that a file names, read once for as long as the file is as it was. */
function mapOf(path: string): SourceMap | undefined {
  const writtenAt = statSync(path).mtimeMs;
  const kept = keptMaps.get(path);
  if (kept?.writtenAt === writtenAt) return kept.map;
  const map = readMap(path);
  keptMaps.delete(path);
  if (keptMaps.size === MOST_MAPS) keptMaps.delete(keptMaps.keys().next().value as string);
  keptMaps.set(path, { map, writtenAt });
  return map;
}

function readMap(path: string): SourceMap | undefined {
  const name = /\/\/# sourceMappingURL=(\S+)\s*$/.exec(readFileSync(path, 'utf8'))?.[1];
  return name === undefined ? undefined : new SourceMap(JSON.parse(textOf(name, path)) as SourceMapPayload);
}

function textOf(name: string, path: string): string {
  if (!name.startsWith('data:')) return readFileSync(resolve(dirname(path), name), 'utf8');
  return Buffer.from(name.slice(name.indexOf(',') + 1), 'base64').toString();
}

/** A place as people and editors read it, `src/server.ts:12:5`: relative to where the process was started, unless it lies elsewhere. */
export function shownPlace({ path, line, column }: Place): string {
  const short = relative(process.cwd(), path);
  return `${short.startsWith('..') ? path : short}:${line}:${column}`;
}
