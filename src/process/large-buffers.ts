/**
 * For code through which large buffers pass: nudges the garbage collector, and has buffers for reads that are used again and again.
 *
 * The collector looks at young objects when enough of them have been made. To it a Buffer is small, whatever it holds, yet 64 KiB more may
 * be freed only with it. Code that makes little other garbage between its buffers lets them pile up, for tens of megabytes on Node 20 and
 * 22 and for hundreds on 24 and later: a server with twenty bodies of 200 MiB grew by 350 MiB, a proxy with one of 1 GiB by 80.
 *
 * @module
 */

/**
 * Makes as much garbage as a buffer holds, so that the collector of young objects runs and frees the buffers as well. With it the server
 * grew by 25 MiB on every line of Node, the proxy by 50. It takes 3 µs for 64 KiB.
 */
export function nudgeCollector(buffer: Buffer): void {
  buffer.toString('latin1');
}

/** Bytes of a buffer for reads: a quarter of the calls that pieces of 64 KiB need, and it still lies within the cache of a core. */
export const READ_SIZE: number = 256 * 1024;
/** Most of them in a process, 8 MiB: clients that read slowly cannot take more, however many they are. Who gets none reads in small pieces. */
const MOST_FOR_READS = 32;

/** To get new memory from the system takes longer than to fill it. */
const spare: Buffer[] = [];
let made = 0;

/** Takes a buffer for reads. Whoever has it gives it back, or `forget`s it. @returns Undefined when all are taken. */
export function takeReadBuffer(): Buffer | undefined {
  const buffer = spare.pop();
  if (buffer || made === MOST_FOR_READS) return buffer;
  made++;
  return Buffer.allocUnsafeSlow(READ_SIZE);
}

/** Gives back one that nobody else uses any more. */
export function giveReadBuffer(buffer: Buffer): void {
  spare.push(buffer);
}

/** Leaves one to the garbage collector, since somebody may still use it: another may be made in its place. */
export function forgetReadBuffer(): void {
  made--;
}
