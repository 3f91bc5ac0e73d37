/**
 * Admission of connections. `maxConnections` is a number for the whole server, so with several workers the gate asks the primary.
 *
 * @module
 */

/** Counts the connections that are served. */
export interface ConnectionGate {
  /** True: admitted. False: refused with 503. A promise: another process must be asked; the connection waits, unread. */
  enter(): boolean | Promise<boolean>;
  /** Called once for each connection that was admitted, when it ends. */
  leave(): void;
}

/** The gate of a server that is one process. */
export function localGate(max: number): ConnectionGate {
  let count = 0;
  return {
    enter: () => count < max && ++count > 0,
    leave: () => {
      count--;
    },
  };
}
