/**
 * One header list for each Content-Type, checked and serialized once.
 *
 * Responses of one type share a list, so that the engine finds in it the head that it serialized last. Nobody can tell a shared list from a new one.
 *
 * @module
 */
import { HeaderList } from './header-list.ts';

/** Clients may influence the type: at most this many lists are kept. */
const MOST_TYPES = 100;
/** Types up to this length, characters. */
const LONGEST_TYPE = 100;
const lists = new Map<string, HeaderList>();

/**
 * The list that holds Content-Type alone.
 *
 * @throws TypeError (code `bad-header`) when the type is not a field value.
 */
export function typeList(contentType: string): HeaderList {
  const known = lists.get(contentType);
  if (known) return known;
  const list = HeaderList.of([['Content-Type', contentType]]);
  if (lists.size < MOST_TYPES && contentType.length <= LONGEST_TYPE) lists.set(contentType, list);
  return list;
}

/** Those of the most common bodies. */
export const TEXT: HeaderList = typeList('text/plain; charset=utf-8');
export const HTML: HeaderList = typeList('text/html; charset=utf-8');
export const JSON_TYPE: HeaderList = typeList('application/json; charset=utf-8');
export const SVG: HeaderList = typeList('image/svg+xml; charset=utf-8');
