/// <reference types="node" preserve="true" />
/**
 * The door `filrouge/node`: our handlers in servers of node:http and Express, and theirs in ours.
 *
 * @module
 */
export type { GuestHandler, GuestOptions } from './guests/guest.ts';
export { answerWithNode, type NodeListener, type NodeUpgradeHandler, toNodeListener, upgradeWithNode } from './guests/node.ts';
