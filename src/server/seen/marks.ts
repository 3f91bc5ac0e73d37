/**
 * What has happened to the workers and threads of a process: a few lines of its log that a status page shows on its time line.
 *
 * @module
 */
import type { ServerMark } from '../../process/watching/server-activity.ts';

/** How many are kept. */
const MOST = 50;
/** Longest message: some hold the stack of an error. */
const MAX_MESSAGE = 500;
/** The events of the log that are marks. */
const MARKED: ReadonlySet<string> = new Set([
  'replaced',
  'start-failed',
  'reloaded',
  'reload-failed',
  'recycled',
  'recycling-failed',
  'stuck',
  'thread-replaced',
  'certificate-changed',
]);

const marks: ServerMark[] = [];

/** Keeps an event of the log if it is one of them. */
export function mark(event: string, message: string): void {
  if (!MARKED.has(event)) return;
  marks.push({ at: Date.now(), event, message: message.slice(0, MAX_MESSAGE) });
  if (marks.length > MOST) marks.shift();
}

/** Those of this process, oldest first. */
export function recentMarks(): readonly ServerMark[] {
  return marks;
}

/** Those of several processes in one order. */
export function marksOf(...lists: readonly (readonly ServerMark[])[]): ServerMark[] {
  return lists.flat().toSorted((a, b) => a.at - b.at);
}
