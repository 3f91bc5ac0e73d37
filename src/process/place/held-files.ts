/**
 * The files that this thread holds by number, for whoever ends it.
 *
 * When a thread ends, Node closes what it has opened and not closed itself. But a number that was handed over is somebody else's, who has closed it long
 * ago: by then it is another file, or the connection of a client. So handler threads are started without that, and note here what they hold.
 *
 * @module
 */

/** Where it is noted. */
export interface FileNotes {
  /** A file has been opened. */
  hold(descriptor: number): void;
  /** It is about to be closed. */
  letGo(descriptor: number): void;
}

const NOBODY: FileNotes = { hold() {}, letGo() {} };

let notes: FileNotes = NOBODY;

/** Notes from now on what this thread holds. */
export function noteFilesIn(given: FileNotes): void {
  notes = given;
}

/** A file has been opened. */
export function hold(descriptor: number): void {
  notes.hold(descriptor);
}

/** It is about to be closed. One that is handed over is still held here, until its new owner knows of it. */
export function letGo(descriptor: number): void {
  notes.letGo(descriptor);
}
