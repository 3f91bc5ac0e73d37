/**
 * How long a handler thread or an I/O thread that is not needed any more may go on, so that what it has gathered is sent: by whoever listens to `beforeExit` in it, as
 * tracers do. It ends earlier when nothing is left for it to do.
 *
 * @module
 */

let time = 0;

/** Milliseconds; none unless somebody has asked for it. */
export function farewellTime(): number {
  return time;
}

/** Asked for by whatever gathers something in threads. */
export function grantFarewell(milliseconds: number): void {
  time = milliseconds;
}
