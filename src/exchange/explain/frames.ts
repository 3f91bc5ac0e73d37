/**
 * The frames of an error's stack, as places in the sources they were written in, and the lines around one.
 *
 * @module
 */
import { readFileSync, statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { OWN_CODE } from '../../process/own-code.ts';
import { scriptPath } from '../../process/place/script-path.ts';
import { originalPlace, type Place, shownPlace } from './original-place.ts';

/** A call that had not returned. */
export interface Frame {
  /** What was called; empty at the top of a module. */
  readonly name: string;
  /** `src/server.ts:12:5`, or whatever stands in its place. */
  readonly where: string;
  /** Undefined where there is no file: in Node itself, in `eval`. */
  readonly place: Place | undefined;
  /** Whether it is the program's own, neither Node's, ours, nor that of a package. */
  readonly isOwn: boolean;
}

/** A line of code with its number. */
export interface CodeLine {
  readonly number: number;
  readonly text: string;
}

/** V8 writes `at name (place)` or `at place`. */
const FRAME = /^ +at (.+)$/;
const PLACE = /^(.+?):(\d+):(\d+)$/;
/** Frames that are shown: V8 collects 10 unless `Error.stackTraceLimit` says otherwise. */
const MOST_FRAMES = 50;
/** Lines shown in front of the line in question, and behind it. */
const AROUND = 5;
/** Longest file that is shown, bytes: a larger one was not written by hand. */
const LONGEST_FILE = 1024 * 1024;
/** Longest line, characters. */
const LONGEST_LINE = 300;

/** The frames of an error, the innermost first. Its message is passed over: it may hold what a client sent, and look like frames. */
export function framesOf({ stack = '', message }: Error): Frame[] {
  if (typeof stack !== 'string') return [];
  const behind = stack.slice(stack.indexOf(message) + message.length);
  return behind.split('\n').flatMap(frameOf).slice(0, MOST_FRAMES);
}

function frameOf(line: string): Frame[] {
  const [, said] = FRAME.exec(line) ?? [];
  if (said === undefined) return [];
  const bracket = said.endsWith(')') ? said.indexOf(' (') : -1;
  const name = bracket > 0 ? said.slice(0, bracket) : '';
  const where = bracket > 0 ? said.slice(bracket + 2, -1) : said;
  const compiled = placeOf(where.replace(/^async /, ''));
  if (!compiled) return [{ name, where, place: undefined, isOwn: false }];
  const place = originalPlace(compiled);
  const isOwn = ![compiled, place].some(({ path }) => isForeign(path));
  return [{ name, where: shownPlace(place), place, isOwn }];
}

/** A place in a file; undefined for one that is not. */
function placeOf(text: string): Place | undefined {
  const [, file = '', line, column] = PLACE.exec(text) ?? [];
  const path = scriptPath(file);
  return path !== undefined && isAbsolute(path) ? { path, line: Number(line), column: Number(column) } : undefined;
}

function isForeign(path: string): boolean {
  return /[\\/]node_modules[\\/]/.test(path) || (OWN_CODE !== undefined && pathToFileURL(path).href.startsWith(`${OWN_CODE}/`));
}

/** The lines around a place; undefined when its file cannot be read. */
export function codeAround({ path, line, text }: Place): CodeLine[] | undefined {
  const lines = (text ?? textOf(path))?.split(/\r?\n/);
  if (!lines || line > lines.length) return undefined;
  const first = Math.max(line - AROUND, 1);
  return lines.slice(first - 1, line + AROUND).map((code, i) => ({ number: first + i, text: code.slice(0, LONGEST_LINE) }));
}

function textOf(path: string): string | undefined {
  try {
    return statSync(path).size > LONGEST_FILE ? undefined : readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
