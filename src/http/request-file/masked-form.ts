/**
 * Forms with the values of named members hidden. All other bytes stay as they are.
 *
 * @module
 */

import { parseDisposition } from '../fields/content-disposition.ts';
import { parseContentType } from '../fields/content-type.ts';
import { isNamed, isNamedAs, MASK } from './names.ts';

/** More than `readForm` takes by default. */
const MAX_PARTS = 2000;
const HEAD_END: Buffer = Buffer.from('\r\n\r\n');
const MASKED: Buffer = Buffer.from(MASK);

/** A form of type application/x-www-form-urlencoded. */
export function maskedUrlencoded(names: ReadonlySet<string>, bytes: Buffer): Buffer {
  const pairs = bytes
    .toString('latin1')
    .split('&')
    .map((pair) => {
      const equals = pair.indexOf('=');
      return equals !== -1 && isNamed(names, pair.slice(0, equals)) ? `${pair.slice(0, equals)}=${MASK}` : pair;
    });
  return Buffer.from(pairs.join('&'), 'latin1');
}

/**
 * A form of type multipart/form-data, files included; a part that is JSON, whatever it is said to be, is searched as well.
 *
 * @param maskJson Gives `undefined` for what cannot be searched, or is no JSON.
 * @returns `undefined` for a form that is not as RFC 2046 §5.1.1 has it: where its parts begin and end is then anybody's guess.
 */
export function maskedMultipart(
  names: ReadonlySet<string>,
  boundary: string | undefined,
  bytes: Buffer,
  maskJson: (bytes: Buffer) => Buffer | undefined,
): Buffer | undefined {
  if (boundary === undefined || boundary === '') return undefined;
  const delimiter = Buffer.from(`--${boundary}`, 'latin1');
  if (!bytes.subarray(0, delimiter.length).equals(delimiter)) return undefined;
  const between = Buffer.concat([Buffer.from('\r\n'), delimiter]);
  const pieces: Buffer[] = [];
  let count = 0;
  for (let at = delimiter.length; ; ) {
    if (bytes[at] === 0x2d /* - */ && bytes[at + 1] === 0x2d) {
      pieces.push(bytes.subarray(at - delimiter.length));
      return Buffer.concat(pieces);
    }
    const headEnd = bytes.indexOf(HEAD_END, at);
    const end = bytes.indexOf(between, at);
    if (headEnd === -1 || end < headEnd + 2 || ++count > MAX_PARTS) return undefined; // of an empty content the line end is that of the head
    if (bytes[at] !== 0x0d /* CR */ || bytes[at + 1] !== 0x0a) return undefined;
    const start = Math.min(headEnd + HEAD_END.length, end);
    const content = maskedPart(names, bytes.toString('latin1', at, headEnd), bytes.subarray(start, end), maskJson);
    if (content === undefined) return undefined;
    pieces.push(bytes.subarray(at - delimiter.length, start), content, Buffer.from('\r\n'));
    at = end + between.length;
  }
}

function maskedPart(
  names: ReadonlySet<string>,
  head: string,
  content: Buffer,
  maskJson: (bytes: Buffer) => Buffer | undefined,
): Buffer | undefined {
  const lines = head.replace(/\r\n(?=[ \t])/g, '').split('\r\n');
  const field = (name: string): string | undefined =>
    lines
      .find((line) => line.toLowerCase().startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .trim();
  const disposition = parseDisposition(field('content-disposition') ?? '');
  const name = disposition?.parameters.get('name');
  if (name === undefined) return undefined;
  if (content.length === 0) return content;
  if (isNamedAs(names, Buffer.from(name, 'latin1').toString('utf8'))) return MASKED;
  const type = parseContentType(field('content-type'))?.type;
  const mustBeJson = type !== undefined && /^(?:application|text)\/(?:.+\+)?json$/.test(type);
  return maskJson(content) ?? (mustBeJson ? undefined : content);
}
