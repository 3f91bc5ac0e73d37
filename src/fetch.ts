/**
 * The door `filrouge/fetch`: our handlers where a web-standard `fetch` function is called, and such functions in ours.
 *
 * @module
 */
export { answerWithFetch, type FetchApp, type FetchFunction, toFetch } from './helpers/fetch.ts';
export type { GuestHandler, GuestOptions } from './http/guest.ts';
