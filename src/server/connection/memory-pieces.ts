/**
 * A body that is in memory, in the pieces in which it is sent.
 *
 * A text is encoded piece by piece: the response holds the text, and a copy of all of it would be held beside it for as long as the client takes to
 * read.
 *
 * @module
 */

/** Bodies up to this size are gathered with their head; larger ones are sent piece by piece. */
export const SMALL_BODY: number = 32 * 1024;
/** A write larger than this would hide whether the client reads anything. */
export const PIECE: number = 64 * 1024;
/** The same of a text, in UTF-16 units: each is at most three bytes of UTF-8. */
const TEXT_PIECE: number = Math.floor(PIECE / 3);

/** The units of a text that are sent at a time. @param size Its bytes as UTF-8. */
export function textStep(text: string, size: number): number {
  return size === text.length ? PIECE : TEXT_PIECE;
}

/** Where a piece ends: not between the two halves of a surrogate pair, which are encoded together. */
export function pieceEnd(body: string | Uint8Array, start: number, step: number): number {
  const end = Math.min(body.length, start + step);
  if (typeof body !== 'string' || end === body.length) return end;
  const last = body.charCodeAt(end - 1);
  return last >= 0xd800 && last <= 0xdbff ? end - 1 : end;
}

/** A piece as bytes. */
export function pieceOf(body: string | Uint8Array, start: number, end: number): Uint8Array {
  if (typeof body === 'string') return Buffer.from(body.slice(start, end));
  return end - start === body.length ? body : body.subarray(start, end);
}
