/**
 * The head of one part of a form: its name, and what is said of its content (RFC 7578 §4.2 to §4.7).
 *
 * One strict reading, and an error for everything else: a part that one program takes for a field and another one overlooks is a way past
 * the checks of the first.
 *
 * @module
 */
import { type Disposition, extendedText, parseDisposition } from '../../http/fields/content-disposition.ts';
import { parseContentType } from '../../http/fields/content-type.ts';
import { isFieldValue, isToken, trimWhitespace } from '../../http/grammar.ts';
import { HttpError } from '../../http/response.ts';
import { exactUtf8 } from '../../http/utf8.ts';
import { isUtf8Label } from '../reading/charset.ts';
import { shown } from '../reading/wrong-value.ts';
import { badField, badForm, tooLarge, unsupported } from './form-error.ts';
import { checkName } from './limits.ts';

/** What the head of a part says. */
export interface PartHead {
  readonly name: string;
  /** Whether it is a file: it has a filename, or is an octet stream. */
  readonly isFile: boolean;
  /** As it was sent, folders included; undefined when there is none. */
  readonly filename: string | undefined;
  /** As in `image/png`, without parameters. */
  readonly type: string;
}

/** The head of a text as browsers, curl and most libraries send it, with a name of harmless characters: a form of many takes a third of the time. */
const PLAIN_TEXT = /^Content-Disposition: form-data; name="([\w\-.[\] ]{1,100})"\r\n$/;
/** What an encoding may be: none at all (RFC 7578 §4.7). Another one nobody sends, and its content is not what it seems. */
const PLAIN_ENCODING = /^(?:7bit|8bit|binary)$/i;

/**
 * Reads the header lines of a part.
 *
 * @param head One character for each byte; each line with its CR LF.
 * @throws HttpError 400 when it is malformed, or has no name; 413 when the name is too long, or there are too many lines; 415 for a text that is not in UTF-8.
 */
export function parsePartHead(head: string): PartHead {
  const plain = PLAIN_TEXT.exec(head)?.[1];
  if (plain !== undefined) return { name: plain, isFile: false, filename: undefined, type: 'text/plain' };
  const fields = fieldsOf(head);
  const disposition = parseDisposition(fields.get('content-disposition') ?? '');
  if (disposition?.type !== 'form-data') throw badForm('a part has no well-formed Content-Disposition of type form-data');
  const name = nameOf(disposition);
  const filename = filenameOf(disposition, name);
  const sent = fields.get('content-type');
  const content = parseContentType(sent);
  const type = sent === undefined ? 'text/plain' : (content?.type ?? 'application/octet-stream'); // RFC 2046 §5.1, RFC 2045 §5.2
  const isFile = filename !== undefined || content?.type === 'application/octet-stream';
  const encoding = fields.get('content-transfer-encoding') ?? 'binary';
  if (!PLAIN_ENCODING.test(encoding)) throw unsupported(`field ${shown(name)} has an encoding that is not read`);
  if (!isFile && !isUtf8Label(content?.parameters.get('charset'))) throw unsupported(`the charset of field ${shown(name)} is not UTF-8`);
  return { name, isFile, filename, type };
}

/** Lines of a head: clients send three. */
const MAX_LINES = 32;

/** The fields by lower-case name. Folded lines are one (RFC 5322 §2.2.3). */
function fieldsOf(head: string): Map<string, string> {
  let count = 0;
  for (let at = head.indexOf('\r\n'); at !== -1; at = head.indexOf('\r\n', at + 2)) {
    if (++count > MAX_LINES) throw tooLarge(`a part has more than ${MAX_LINES} header lines`);
  }
  const fields = new Map<string, string>();
  const lines = head
    .replace(/\r\n(?=[ \t])/g, '')
    .slice(0, -2)
    .split('\r\n');
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0));
    const value = trimWhitespace(line.slice(colon + 1));
    if (!isToken(name) || !isFieldValue(value)) throw badForm('a header line of a part is malformed');
    const key = name.toLowerCase();
    if (key.startsWith('content-') && fields.has(key)) throw badForm('a part has a header line twice');
    fields.set(key, value);
  }
  return fields;
}

function nameOf({ parameters }: Disposition): string {
  const extended = parameters.get('name*'); // older clients send it, alone
  const sent = parameters.get('name');
  const name = sent === undefined && extended !== undefined ? extendedText(extended) : utf8Of(sent ?? '');
  if (name === undefined || name === '') throw badForm('a part has no name');
  checkName(name);
  return unescaped(name);
}

/** RFC 7578 §4.2 forbids `filename*`, and many send it. Where it can be read it is the better one, as in RFC 6266 §4.3. */
function filenameOf({ parameters }: Disposition, field: string): string | undefined {
  const extended = parameters.get('filename*');
  const sent = parameters.get('filename');
  const decoded = extended === undefined ? undefined : extendedText(extended);
  if (decoded !== undefined) return decoded;
  if (sent === undefined && extended !== undefined) throw badField(field, 'has a file whose name cannot be read');
  return sent === undefined ? undefined : unescaped(utf8Of(sent));
}

function utf8Of(text: string): string {
  if (!/[\x80-\xff]/.test(text)) return text;
  const decoded = exactUtf8(Buffer.from(text, 'latin1'));
  if (decoded === undefined) throw new HttpError(400, 'Cannot read form: a name in it is not valid UTF-8', { code: 'bad-text' });
  return decoded;
}

/** Undoes the escapes of browsers for what a quoted name cannot hold (WHATWG HTML §4.10.22.7). No other `%` is an escape. */
function unescaped(name: string): string {
  return name.includes('%') ? name.replaceAll('%22', '"').replaceAll('%0D', '\r').replaceAll('%0A', '\n') : name;
}
