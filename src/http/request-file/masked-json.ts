/**
 * JSON with the values of named members hidden. All other bytes stay as they are: a body may fail because of how it is written.
 *
 * @module
 */
import { decodeUtf8 } from '../utf8.ts';
import { MASK } from './names.ts';

const QUOTED_MASK = `"${MASK}"`;

/**
 * Hides values of any kind, at any depth.
 *
 * @returns `undefined` for what is not JSON in UTF-8: nobody knows what stands in it.
 */
export function maskedJson(names: ReadonlySet<string>, bytes: Buffer): Buffer | undefined {
  const text = decodeUtf8(bytes);
  if (text === undefined || !isJson(text)) return undefined;
  const raw = bytes.toString('latin1');
  let out = '';
  let from = 0;
  for (let at = raw.indexOf('"'); at !== -1; at = raw.indexOf('"', at)) {
    const end = endOfString(raw, at);
    const value = valueBehind(raw, end);
    if (value === undefined || !names.has(nameOf(raw.slice(at, end)))) {
      at = end;
      continue;
    }
    out += raw.slice(from, value) + QUOTED_MASK;
    from = endOfValue(raw, value);
    at = from;
  }
  return Buffer.from(out + raw.slice(from), 'latin1');
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function nameOf(quoted: string): string {
  return (JSON.parse(Buffer.from(quoted, 'latin1').toString('utf8')) as string).toLowerCase();
}

/** Where the value begins of which the string that ends here is the name; undefined when it is not a name. */
function valueBehind(raw: string, end: number): number | undefined {
  const colon = skipBlank(raw, end);
  return raw[colon] === ':' ? skipBlank(raw, colon + 1) : undefined;
}

function skipBlank(raw: string, from: number): number {
  let at = from;
  while (at < raw.length && ' \t\r\n'.includes(raw[at] as string)) at++; // within
  return at;
}

function endOfString(raw: string, start: number): number {
  let at = start + 1;
  while (raw[at] !== '"') at += raw[at] === '\\' ? 2 : 1;
  return at + 1;
}

/** The text is JSON, so that every bracket has its other. */
function endOfValue(raw: string, start: number): number {
  const first = raw[start];
  if (first === '"') return endOfString(raw, start);
  if (first !== '{' && first !== '[') {
    let at = start;
    while (at < raw.length && !',]} \t\r\n'.includes(raw[at] as string)) at++; // within
    return at;
  }
  let depth = 0;
  for (let at = start; ; ) {
    const character = raw[at] as string; // the last bracket comes before the end
    if (character === '"') at = endOfString(raw, at);
    else at++;
    if (character === '{' || character === '[') depth++;
    if ((character === '}' || character === ']') && --depth === 0) return at;
  }
}
