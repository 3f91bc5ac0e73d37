/**
 * Refuses a store in one process's memory when several processes or threads serve.
 *
 * @module
 */

let store: string | undefined;
let servers: string | undefined;

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

function refuseBoth(): void {
  if (store === undefined || servers === undefined) return;
  const message = `Cannot start server: ${servers} serve, each with a memory of its own, and ${store}`;
  throw Object.assign(new Error(message), { code: 'bad-option' }); // by hand: this folder imports nothing
}
