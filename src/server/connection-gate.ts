/**
 * Admission of connections. `maxConnections` is a number for the whole server, so with several workers the gate asks the primary.
 *
 * @module
 */

/** Counts the connections that are served. */
export interface ConnectionGate {
  /** True: come in. False: be told 503. A promise: somebody else must be asked; the connection waits, unread. */
  enter(): boolean | Promise<boolean>;
  /** Once for each connection that came in. */
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
