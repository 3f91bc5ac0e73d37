/**
 * What a recorded request does not show: credentials, cookies, and whatever the program names.
 *
 *     always      Authorization and Proxy-Authorization, but for a scheme that is known; the value of each cookie; the fields of `SECRET_FIELDS`
 *     by name     fields, query parameters (also of URLs in other fields), members of forms and of JSON: in any case of the letters
 *     never       the method, the path, bodies of other types, unless they are JSON all the same
 *
 * A mask says nothing about the length of what it hides.
 *
 * @module
 */
import { parseContentType } from '../fields/content-type.ts';
import { percentDecoded } from '../percent.ts';
import { maskedMultipart, maskedUrlencoded } from './masked-form.ts';
import { maskedJson } from './masked-json.ts';
import { isNamed, MASK } from './names.ts';

/** Fields that are credentials as a whole. */
export const SECRET_FIELDS: ReadonlySet<string> = new Set(['x-api-key', 'x-auth-token', 'x-csrf-token', 'x-xsrf-token']);
/** Schemes that are shown (IANA, HTTP Authentication Schemes): any other first word may be the secret itself. */
const SCHEME = /^(?:basic|bearer|digest|dpop|gnap|hoba|mutual|negotiate|oauth|privatetoken|scram-sha-1|scram-sha-256|vapid)(?= )/i;
/** Longest text that is searched, bytes: to read more would hold up the thread that serves all connections. */
const MAX_TEXT = 1024 * 1024;
/** How often a value is decoded: a URL in a URL in a URL. */
const MAX_DEPTH = 3;

/** The value of a field as it is recorded. */
export function maskedField(names: ReadonlySet<string>, name: string, value: string): string {
  const key = name.toLowerCase();
  if (key === 'authorization' || key === 'proxy-authorization') return maskedCredentials(value);
  if (names.has(key) || SECRET_FIELDS.has(key)) return MASK;
  if (key === 'cookie') return value.split(';').map(maskedCookie).join(';');
  return maskedQueries(names, value);
}

/**
 * A text with the values of named parameters hidden: a target, or a field that may hold a URL. A value ends at `&` or a blank; a name begins where
 * the text does, behind one of these, and behind `?`, `#`, `;` and `,`.
 */
export function maskedQueries(names: ReadonlySet<string>, text: string, depth = 0): string {
  if (names.size === 0 || !text.includes('=')) return text;
  return text.replace(/[^&\s]+/g, (part) => maskedPart(names, part, depth));
}

function maskedPart(names: ReadonlySet<string>, part: string, depth: number): string {
  let start = 0;
  for (let at = 0; at < part.length; at++) {
    const character = part[at] as string; // within
    if (!'=?#;,'.includes(character)) continue;
    if (character === '=' && isNamed(names, part.slice(start, at))) return part.slice(0, at + 1) + MASK;
    start = at + 1;
  }
  if (depth === MAX_DEPTH || !part.includes('%')) return part;
  const decoded = percentDecoded(Buffer.from(part, 'latin1')).toString('latin1');
  if (decoded === part || maskedQueries(names, decoded, depth + 1) === decoded) return part;
  return part.slice(0, part.indexOf('=') + 1) + MASK; // a URL within a value
}

/**
 * A body with the values of named members hidden.
 *
 * @param fields The values of a field.
 * @param size Bytes of all of it.
 * @param read Reads what there is of it.
 * @returns Undefined where nothing can be hidden, so that it may be recorded as it is; `null` for a body that cannot be searched: it must not be.
 */
export function maskedBody(
  names: ReadonlySet<string>,
  fields: (name: string) => string[],
  size: number,
  read: () => Buffer,
  isWhole: boolean,
): Buffer | null | undefined {
  const given = fields('content-type').join(', ');
  const type = parseContentType(given);
  const kind = kindOf((type?.type ?? given).toLowerCase());
  const isCoded = fields('content-encoding').some((value) => !/^(?:identity)?$/i.test(value));
  if (kind === undefined) return size > MAX_TEXT || isCoded || !isWhole ? undefined : (maskedJson(names, read()) ?? undefined); // whatever it is said to be
  if (type === undefined || !isWhole || isCoded || (kind !== 'multipart' && size > MAX_TEXT)) return null;
  if (kind === 'json') return maskedJson(names, read()) ?? null;
  if (kind === 'urlencoded') return maskedUrlencoded(names, read());
  const maskPart = (part: Buffer): Buffer | undefined => (part.length > MAX_TEXT ? undefined : maskedJson(names, part));
  return maskedMultipart(names, type.parameters.get('boundary'), read(), maskPart) ?? null;
}

/** How members are found in a body. Of a type that is malformed, or given twice, one that is named in it is enough. */
function kindOf(type: string): 'json' | 'urlencoded' | 'multipart' | undefined {
  if (/[/+]json\b/.test(type)) return 'json';
  if (type.includes('x-www-form-urlencoded')) return 'urlencoded';
  return type.includes('multipart/') ? 'multipart' : undefined;
}

function maskedCredentials(value: string): string {
  const scheme = SCHEME.exec(value)?.[0];
  return scheme === undefined ? MASK : `${scheme} ${MASK}`;
}

/** What has no name may be the value. */
function maskedCookie(pair: string): string {
  const equals = pair.indexOf('=');
  if (equals !== -1) return `${pair.slice(0, equals)}=${MASK}`;
  return pair.trim() === '' ? pair : pair.replace(/\S(?:.*\S)?/, MASK);
}
