/**
 * What HTTP/1.1 keeps with a list of fields, so that an answer that is sent again need not be serialized again (docs/decisions/0009).
 *
 * The list knows nothing of this: it only has a place where the engine that sends it may keep something. There is one place for all engines, so each
 * checks that what it finds there is its own.
 *
 * @module
 */
import type { WireFields } from '../http/header-list.ts';

/** The head that was last made from a list, and the text that was last sent with it. */
export class SerializedFields {
  /** What the head was made of. */
  status = 0;
  length = 0;
  date = '';
  connection = '';
  /** The head without its length. */
  start = '';
  head = '';
  /** The text, and its length in bytes. */
  text = '';
  size = 0;
  /** The whole answer, once the text has been sent twice, and the head in it. */
  answer = '';
  answerHead = '';
}

/** What is kept with a list; empty at first. */
export function serializedOf(fields: WireFields): SerializedFields {
  const { kept } = fields;
  if (kept instanceof SerializedFields) return kept;
  const created = new SerializedFields();
  fields.kept = created;
  return created;
}
