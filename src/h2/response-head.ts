/**
 * The head of a response as a header block (RFC 9113 §8.3.2).
 *
 * A list of fields keeps the block that was made from it last, as it keeps its head for HTTP/1.1 (docs/decisions/0009): answers of one kind
 * share it for a second. That works because our blocks never touch a dynamic table: they mean the same on every connection.
 *
 * @module
 */
import type { WireFields } from '../http/header-list.ts';
import { encodeHeaders, headersRoom } from './hpack/encoder.ts';

/** A response that states no length. */
export const NO_LENGTH = -1;

/** The block that was last made from a list, and what it was made of. */
class KeptBlock {
  status = 0;
  length = 0;
  date = '';
  block: Buffer = Buffer.alloc(0);
}

/**
 * The header block of a response.
 *
 * @param date The value of Date; empty: none is sent. Left out when the list has its own.
 * @param length What Content-Length states, or `NO_LENGTH`.
 */
export function responseBlock(status: number, fields: WireFields, date: string, length: number): Buffer {
  const kept = keptBlock(fields);
  if (kept.status !== status || kept.date !== date || kept.length !== length) {
    kept.status = status;
    kept.date = date;
    kept.length = length;
    kept.block = encoded(status, fields, date, length);
  }
  return kept.block;
}

function keptBlock(fields: WireFields): KeptBlock {
  const { kept } = fields;
  if (kept instanceof KeptBlock) return kept;
  const created = new KeptBlock();
  fields.kept = created;
  return created;
}

function encoded(status: number, fields: WireFields, date: string, length: number): Buffer {
  const list = [':status', String(status)];
  for (const line of fields.text.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon !== -1) list.push(line.slice(0, colon).toLowerCase(), line.slice(colon + 2)); // the empty line at the end has none
  }
  if (date !== '' && !fields.hasDate) list.push('date', date);
  if (length >= 0) list.push('content-length', String(length));
  const block = Buffer.allocUnsafeSlow(headersRoom(list));
  return block.subarray(0, encodeHeaders(list, block, 0));
}
