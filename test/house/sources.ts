/**
 * The sources as the house rules see them: a path, the code without comments, and what it imports.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { blank } from './blank.mjs';

/** One `import`, `export … from` or `import()`. */
export interface Import {
  /** A path below src/ for a relative import, else the name as written. */
  readonly target: string;
  readonly relative: boolean;
  /** Gone after compilation: `import type`, or nothing but `type` names in the braces. */
  readonly typeOnly: boolean;
  /** `import()`: loaded when it is reached, not with the module. */
  readonly lazy: boolean;
}

/** One file below src/. */
export interface Source {
  /** Below src/, with slashes. */
  readonly path: string;
  readonly lines: number;
  /** Comments and the insides of strings and regular expressions blanked. */
  readonly code: string;
  readonly imports: readonly Import[];
}

/** Reads every source below a directory. */
export function readSources(directory: string): Source[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => /\.c?[jt]s$/.test(path) && !path.endsWith('.d.cts'))
    .toSorted()
    .map((path) => parseSource(path, readFileSync(posix.join(directory, path), 'utf8')));
}

/** Scans the text of one file. */
export function parseSource(path: string, text: string): Source {
  const { code, withStrings } = blank(text);
  return { path, lines: text.replace(/\n$/, '').split('\n').length, code, imports: importsOf(path, withStrings, code) };
}

const STATEMENT = /(?<=^|[;}\n]\s*)(?:import\s*|(?:import|export)\b([\w\s{},*$]*?)\bfrom\s*)(['"])([^'"\n]+)\2/g;
const CALL = /\b(?:import|require)\s*\(\s*(['"`])([^'"`\n]+)\1/g;

function importsOf(path: string, text: string, code: string): Import[] {
  const found: Import[] = [];
  for (const match of text.matchAll(STATEMENT)) {
    if (!isCode(code, match)) continue;
    found.push({ ...resolve(path, match[3] ?? ''), typeOnly: isTypeOnly(match[1]?.trim() ?? ''), lazy: false });
  }
  for (const match of text.matchAll(CALL)) {
    if (isCode(code, match)) found.push({ ...resolve(path, match[2] ?? ''), typeOnly: false, lazy: true });
  }
  return found;
}

/** Whether a match in the text with strings begins in code: in a string it is blanked. */
function isCode(code: string, match: RegExpExecArray): boolean {
  return code.startsWith(match[0].slice(0, 6), match.index);
}

function isTypeOnly(clause: string): boolean {
  if (/^type\b(?!\s*,)/.test(clause)) return true;
  const names = /^\{([^}]*)\}$/.exec(clause)?.[1]?.split(',') ?? [];
  const given = names.map((name) => name.trim()).filter((name) => name !== '');
  return given.length > 0 && given.every((name) => name.startsWith('type '));
}

function resolve(path: string, specifier: string): Pick<Import, 'target' | 'relative'> {
  if (!specifier.startsWith('.')) return { target: specifier, relative: false };
  return { target: posix.join(posix.dirname(path), specifier), relative: true };
}
