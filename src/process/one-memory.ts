/**
 * Refuses a store in one process's memory when several processes or threads serve.
 *
 * @module
 */

let store: string | undefined;
let servers: string | undefined;
/** What needs one thread, but not one process. */
let threadStore: string | undefined;
let threads: string | undefined;

/**
 * Notes that something is kept in this process only.
 *
 * @param what Named in the message, with what to do instead.
 * @throws Error (code `bad-option`) when others serve beside this process.
 */
export function requireOneMemory(what: string): void {
  store ??= what;
  refuseBoth();
}

/**
 * Notes that others serve beside this process.
 *
 * @param who Named in the message: `4 workers`.
 * @throws Error (code `bad-option`) when something is kept in this process only.
 */
export function refuseSeveral(who: string): void {
  servers ??= who;
  refuseBoth();
}

/**
 * Notes that something is kept in this thread only, and requests find their way to its process.
 *
 * @param what Named in the message, with what to do instead.
 * @throws Error (code `bad-option`) when other handler threads serve beside this one.
 */
export function requireOneThread(what: string): void {
  threadStore ??= what;
  refuseBoth();
}

/**
 * Notes that other handler threads serve beside this one.
 *
 * @param who Named in the message: `4 handler threads`.
 * @throws Error (code `bad-option`) when something is kept in this thread only.
 */
export function refuseSeveralThreads(who: string): void {
  threads ??= who;
  refuseSeveral(who);
}

function refuseBoth(): void {
  refuse(store, servers);
  refuse(threadStore, threads);
}

function refuse(what: string | undefined, who: string | undefined): void {
  if (what === undefined || who === undefined) return;
  const message = `Cannot start server: ${who} serve, each with a memory of its own, and ${what}`;
  throw Object.assign(new Error(message), { code: 'bad-option' }); // by hand: this folder imports nothing
}
