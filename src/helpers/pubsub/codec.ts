/**
 * Messages as bytes: Node's serialization of the structured clone algorithm, so that dates, maps, bytes and cycles arrive as what they were.
 *
 * @module
 */
import { deserialize, serialize } from 'node:v8';
import { badOption, MiB } from '../../http/errors/bad-option.ts';
import { withCode } from '../../http/errors/error-codes.ts';
import type { Parcel } from '../../process/channels/hub.ts';
import { isRefusedPromise } from '../../process/refused-promise.ts';

/** The largest message, bytes: an eighth of what may wait on one link. */
const LARGEST = MiB;

/** @throws TypeError (code `not-serializable`) for a value that cannot be cloned. RangeError (code `bad-option`) for one of more than 1 MiB. */
export function encode(channel: string, message: unknown): Uint8Array {
  let bytes: Buffer;
  try {
    bytes = serialize(message);
  } catch (error) {
    const reason = isRefusedPromise(message) ? 'it is a promise: await it first' : (error as Error).message;
    const why = `a message for channel "${channel}" cannot be cloned: ${reason}`;
    throw withCode(new TypeError(`Cannot publish: ${why}`, { cause: error }), 'not-serializable');
  }
  if (bytes.length <= LARGEST) return bytes;
  const why = `a message for channel "${channel}" has ${bytes.length} bytes, more than ${LARGEST}: publish where it lies instead`;
  throw badOption('Cannot publish', why, RangeError);
}

/** What was published. Every reader gets a copy of its own, so that nobody sees what another changes. */
export function decode(parcel: Parcel): unknown {
  if (parcel.decoded !== undefined) return parcel.decoded;
  const value: unknown = deserialize(Buffer.from(parcel.payload)); // bytes in it are not copied
  if (typeof value !== 'object') parcel.decoded = value;
  return value;
}
