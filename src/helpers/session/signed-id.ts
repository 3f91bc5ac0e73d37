/**
 * The names of sessions in a store: random, and signed, so that a name a client made up is never looked up.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';

/** 192 bits: 32 characters. */
const ID_BYTES = 24;

/** What the names are signed for. */
export const ID_PURPOSE = 'filrouge session, signed';

/** Creates a name. */
export function createId(): string {
  return randomBytes(ID_BYTES).toString('base64url');
}
