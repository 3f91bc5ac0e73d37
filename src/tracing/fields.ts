/**
 * How propagators read and write fields: those of a request, and pairs that go along with something.
 *
 * @module
 */
import type { TextMapGetter, TextMapSetter } from '@opentelemetry/api';
import type { Request } from '../http/request.ts';

/** Names and values; undefined stands for a field that is to be left out. */
export type Pairs = [name: string, value: string | undefined][];

/** The fields of a request. */
export const FIELDS: TextMapGetter<Request> = {
  keys: (request) => request.headers.map(([name]) => name),
  get(request, name) {
    const first = request.header(name);
    if (first === undefined) return undefined;
    const values = request.headerAll(name);
    return values.length === 1 ? first : values;
  },
};

/** Pairs. */
export const PAIRS: TextMapGetter<Pairs> & TextMapSetter<Pairs> = {
  keys: (pairs) => pairs.map(([name]) => name),
  get: (pairs, name) => pairs.find(([known]) => known === name)?.[1],
  set(pairs, name, value) {
    const known = pairs.find(([other]) => other === name);
    if (known) known[1] = value;
    else pairs.push([name, value]);
  },
};
