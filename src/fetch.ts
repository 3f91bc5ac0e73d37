/// <reference types="node" preserve="true" />
/**
 * The door `filrouge/fetch`: our handlers where a web-standard `fetch` function is called, and such functions in ours.
 *
 * @module
 */
export { answerWithFetch, type FetchApp, type FetchClient, type FetchFunction, toFetch, toWebRequest } from './guests/fetch.ts';
export type { GuestHandler, GuestOptions } from './guests/guest.ts';
