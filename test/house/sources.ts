/**
 * The sources as the house rules see them: a path, the code without comments, and what it imports.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';

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

/** Reads every TypeScript file below a directory. */
export function readSources(directory: string): Source[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.ts'))
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

/** What may stand before a `/` that begins a regular expression and does not divide. */
const BEFORE_REGEXP = /(?:^|[([{,;:=!&|?+\-*%<>~^}]|\b(?:return|typeof|case|in|of|void|do|else))\s*$/;

/** Replaces comments by blanks, and in `code` the insides of literals as well. Line breaks and offsets stay. */
function blank(text: string): { code: string; withStrings: string } {
  let code = '';
  let withStrings = '';
  const openTemplates: number[] = []; // depth of braces at each `${` that is open
  let depth = 0;
  let at = 0;
  const take = (length: number, kind: 'code' | 'comment' | 'literal'): void => {
    const piece = text.slice(at, at + length);
    const gap = piece.replace(/[^\n]/g, ' ');
    code += kind === 'code' ? piece : gap;
    withStrings += kind === 'comment' ? gap : piece;
    at += length;
  };
  while (at < text.length) {
    const rest = text.slice(at, at + 2);
    const char = rest[0] ?? '';
    if (rest === '//') take(lengthOf(/[^\n]*/y, text, at), 'comment');
    else if (rest === '/*') take(lengthOf(/\/\*[\s\S]*?(?:\*\/|$)/y, text, at), 'comment');
    else if (char === "'" || char === '"') take(lengthOf(/(['"])(?:\\[\s\S]|(?!\1)[^\\\n])*\1?/y, text, at), 'literal');
    else if (char === '/' && BEFORE_REGEXP.test(code.slice(-40))) {
      take(lengthOf(/\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y, text, at), 'literal');
    } else if (char === '`' || (char === '}' && openTemplates.at(-1) === depth)) {
      if (char === '}') openTemplates.pop();
      const length = lengthOf(/[`}](?:\\[\s\S]|\$(?!\{)|[^\\`$])*(?:`|\$\{|$)/y, text, at);
      if (text.startsWith('${', at + length - 2) && length > 2) openTemplates.push(depth);
      take(length, 'literal');
    } else {
      if (char === '{') depth++;
      if (char === '}') depth--;
      take(1, 'code');
    }
  }
  return { code, withStrings };
}

function lengthOf(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return Math.max(1, pattern.exec(text)?.[0].length ?? 1);
}
