/**
 * The place in the original source of a place in compiled code, by its source map (ECMA-426).
 *
 * @module
 */
import { readFileSync } from 'node:fs';
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

/** The place in the original source; without a usable map the place itself, which is better than nothing. */
export function originalPlace(place: Place): Place {
  const { path, line, column } = place;
  try {
    const name = /\/\/# sourceMappingURL=(\S+)\s*$/.exec(readFileSync(path, 'utf8'))?.[1];
    if (name === undefined) return place;
    const payload = JSON.parse(textOf(name, path)) as SourceMapPayload;
    const entry = new SourceMap(payload).findEntry(line - 1, column - 1);
    if (!('originalSource' in entry)) return place;
    const source = entry.originalSource;
    return {
      path: source.startsWith('file:') ? fileURLToPath(source) : resolve(dirname(path), source),
      line: entry.originalLine + 1,
      column: entry.originalColumn + 1,
      text: payload.sourcesContent?.[payload.sources.indexOf(source)],
    };
  } catch {
    return place;
  }
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
