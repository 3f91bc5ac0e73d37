/**
 * How a process or thread that we start learns which part it plays: from a variable in its environment, which is removed as soon as it is read, so
 * that programs started by a handler do not take themselves for workers.
 *
 * @module
 */

/** Set by the primary for its workers: generation and port. */
export const WORKER_ROLE = 'FILROUGE_WORKER';
/** Set by a process for its handler threads. */
export const THREAD_ROLE = 'FILROUGE_THREAD';

/** Reads and removes a variable. */
export function takeRole(name: string): string | undefined {
  const value = process.env[name];
  if (value !== undefined) Reflect.deleteProperty(process.env, name);
  return value;
}
