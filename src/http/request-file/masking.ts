/**
 * What a recorded request does not show: credentials, cookies, and whatever the program names.
 *
 *     always      Authorization and Proxy-Authorization, but for a scheme that is known; the value of each cookie; the fields of `SECRET_FIELDS`
 *     by name     fields, query parameters (also of URLs in other fields), members of forms and of JSON: in any case of the letters
 *     never       the method, the path, bodies of other types
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

/** The value of a field as it is recorded. */
export function maskedField(names: ReadonlySet<string>, name: string, value: string): string {
  const key = name.toLowerCase();
  if (key === 'authorization' || key === 'proxy-authorization') return maskedCredentials(value);
  if (names.has(key) || SECRET_FIELDS.has(key)) return MASK;
  if (key === 'cookie') return value.split(';').map(maskedCookie).join(';');
  return maskedQueries(names, value);
}

/** A text with the values of named parameters hidden: a target, or a field that holds a URL. A value ends at `&` or a blank. */
export function maskedQueries(names: ReadonlySet<string>, text: string): string {
  if (names.size === 0 || !text.includes('=')) return text;
  let out = '';
  let from = 0;
  const pair = /[?&#;]([^=?&#;\s]*)=/g;
  for (let found = pair.exec(text); found; found = pair.exec(text)) {
    const start = pair.lastIndex;
    const [value = ''] = /^[^&\s]*/.exec(text.slice(start)) ?? [];
    if (!isNamed(names, found[1] ?? '') && !holdsNamed(names, value)) continue;
    out += text.slice(from, start) + MASK;
    from = start + value.length;
    pair.lastIndex = from;
  }
  return out + text.slice(from);
}

/** Whether a value is a URL, percent-encoded, with something to hide. */
function holdsNamed(names: ReadonlySet<string>, value: string): boolean {
  if (!value.includes('%')) return false;
  const decoded = percentDecoded(Buffer.from(value, 'latin1')).toString('latin1');
  return decoded !== value && maskedQueries(names, decoded) !== decoded;
}

/**
 * A body with the values of named members hidden.
 *
 * @param isWhole Whether these are all of its bytes.
 * @returns The same bytes where there is nothing to hide; `undefined` for a body that cannot be searched: it must not be recorded.
 */
export function maskedBody(
  names: ReadonlySet<string>,
  field: (name: string) => string | undefined,
  bytes: Buffer,
  isWhole: boolean,
): Buffer | undefined {
  const given = field('content-type');
  const type = parseContentType(given);
  const kind = kindOf(type?.type ?? given?.toLowerCase() ?? '');
  if (kind === undefined || bytes.length === 0) return bytes;
  if (type === undefined || !isWhole || !/^(?:identity)?$/i.test(field('content-encoding') ?? '')) return undefined;
  if (kind === 'multipart') {
    return maskedMultipart(names, type.parameters.get('boundary'), bytes, (inner) =>
      inner.length > MAX_TEXT ? undefined : maskedJson(names, inner),
    );
  }
  if (bytes.length > MAX_TEXT) return undefined;
  return kind === 'json' ? maskedJson(names, bytes) : maskedUrlencoded(names, bytes);
}

/** Whether names can be found in a body of this type. */
export function isSearched(contentType: string | undefined): boolean {
  return kindOf(contentType?.toLowerCase() ?? '') !== undefined;
}

/** How members are found in a body. A type that is malformed is taken for what it begins with. */
function kindOf(type: string): 'json' | 'urlencoded' | 'multipart' | undefined {
  if (/^(?:application|text)\/(?:[^;\s]*\+)?json\b/.test(type)) return 'json';
  if (type.startsWith('application/x-www-form-urlencoded')) return 'urlencoded';
  return type.startsWith('multipart/') ? 'multipart' : undefined;
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
