/**
 * Which values JSON brings across exactly as structured clone does. Most arguments and many results are of this kind, and a text in shared memory costs less
 * than a message.
 *
 * @module
 */
import { isProxy } from 'node:util/types';

/** With more objects, to look for one that is there twice costs more than a message does. */
const MAX_OBJECTS = 32;

let room = 0;
const seen: object[] = [];

/**
 * The JSON text of a value of strings, finite numbers, booleans, null, and arrays and objects of these.
 *
 * @param size The characters that there is room for, about: a larger value is not even looked through.
 * @returns Undefined when it is anything else, holds an object twice, or is too large.
 */
export function plainText(value: unknown, size: number): string | undefined {
  room = size;
  const isFit = isPlain(value);
  seen.length = 0; // or it would keep them
  return isFit ? JSON.stringify(value) : undefined;
}

function isPlain(value: unknown): boolean {
  room -= typeof value === 'string' ? value.length + 3 : 3;
  if (room < 0) return false;
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0);
    case 'object':
      return value === null || isPlainObject(value);
    default:
      return false;
  }
}

function isPlainObject(value: object): boolean {
  if (seen.length === MAX_OBJECTS || seen.includes(value) || isProxy(value)) return false;
  seen.push(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  const isArray = Array.isArray(value);
  if (prototype !== (isArray ? Array.prototype : Object.prototype)) return false;
  if (isArray && value.length * 3 > room) return false;
  const keys = Object.keys(value);
  if (isArray && keys.length !== value.length) return false; // has holes, or fields beside its items
  for (const key of keys) {
    if (!isArray) room -= key.length + 3;
    if (!isPlain((value as Readonly<Record<string, unknown>>)[key])) return false;
  }
  return true;
}
