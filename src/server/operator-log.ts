/**
 * One line for each event that an operator wants to know of, on stderr.
 *
 * @module
 */
import { writeSync } from 'node:fs';

/** Writes a line. */
export function log(message: string): void {
  console.error(`filrouge: ${message}`);
}

/** Writes a line from a thread whose main thread is stuck: console would hand the line to that. */
export function logAtOnce(message: string): void {
  try {
    writeSync(2, `filrouge: ${message}\n`);
  } catch {
    log(message); // a pipe that is full; it comes when it can
  }
}
