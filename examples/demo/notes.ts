/**
 * The notes of the demo, in a file that all workers share.
 *
 * A note is one line at the end of the file. The system appends a short write as a whole, so workers need no lock, and each sees what the others have
 * written at its next request.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FOLDER } from './folder.ts';

const FILE = join(FOLDER, 'notes.ndjson');
const MAX_TEXT = 280;
const MAX_AUTHOR = 40;
/** The page shows this many, newest first. */
const SHOWN = 50;

export interface Note {
  readonly text: string;
  readonly author: string;
  readonly at: string;
}

/** The problem with a note, in words for the visitor. */
export class NoteError extends Error {}

export function addNote(rawText: string, rawAuthor: string): void {
  const text = rawText.trim();
  const author = rawAuthor.trim() || 'somebody';
  if (text === '') throw new NoteError('A note needs a text.');
  if (text.length > MAX_TEXT) throw new NoteError(`A note has at most ${MAX_TEXT} characters; this one has ${text.length}.`);
  if (author.length > MAX_AUTHOR) throw new NoteError(`A name has at most ${MAX_AUTHOR} characters.`);
  appendFileSync(FILE, `${JSON.stringify({ text, author, at: new Date().toISOString() })}\n`, { mode: 0o600 });
}

export function allNotes(): Note[] {
  if (!existsSync(FILE)) return [];
  const lines = readFileSync(FILE, 'utf8').split('\n').filter(Boolean);
  return lines
    .slice(-SHOWN)
    .map((line) => JSON.parse(line) as Note)
    .toReversed();
}
