/**
 * The door `filrouge/node`: our handlers in servers of node:http and Express, and theirs in ours.
 *
 * @module
 */
export { answerWithNode, type NodeListener, toNodeListener } from './helpers/node.ts';
export type { GuestHandler, GuestOptions } from './http/guest.ts';
