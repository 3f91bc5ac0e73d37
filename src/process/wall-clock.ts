/**
 * The time of day, for the one place in http/ that needs it: how old a file was when it was looked at.
 *
 * @module
 */

/** Milliseconds since 1970. The system may set it back. */
export function wallClock(): number {
  return Date.now();
}
