/**
 * The head of a script's response: header lines and an empty line (RFC 3875 §6.2, §6.3).
 *
 * Lines end with LF or CRLF. A script that begins with a status line, as "NPH" scripts do (§5), is accepted as well.
 *
 * @module
 */
import { withoutHopByHop } from '../../http/fields/hop-by-hop.ts';
import { isFieldValue, isToken, trimWhitespace } from '../../http/grammar.ts';
import { isFinalStatus } from '../../http/status.ts';

/** What a script has written before its body. */
export interface ScriptHead {
  /** As the script gave it, or undefined. */
  readonly status: number | undefined;
  readonly location: string | undefined;
  /** The length it announced, bytes, or undefined. */
  readonly size: number | undefined;
  /** What is sent on: all fields but those of CGI, of the framing and of the connection. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** Whether it sent nothing but Location. */
  readonly isLocationOnly: boolean;
}

/** Largest head, bytes. The largest fields in practice are cookies, of 4 KiB each. */
const MAX_HEAD = 64 * 1024;
/** Most fields in a head: as many as a request may have. */
const MAX_FIELDS = 100;
const NOTHING = Buffer.alloc(0);

/** Not passed on either: Status is for us, and Content-Length is set by whoever sends the body. */
const OURS: ReadonlySet<string> = new Set(['content-length', 'status']);

/** Says what is wrong with a script's head. */
export class ScriptHeadError extends Error {
  override readonly name = 'ScriptHeadError';
}

/** Collects what a script writes until its head is complete. */
export class HeadCollector {
  #bytes: Buffer = NOTHING;
  /** Where to go on looking: no line end before it is followed by an empty line. */
  #looked = 0;

  /** Whether nothing has come. */
  get isEmpty(): boolean {
    return this.#bytes.length === 0;
  }

  /**
   * Adds a piece of output.
   *
   * @returns The head and what has come after it, or undefined when it is not complete.
   * @throws ScriptHeadError when it is malformed or too large.
   */
  add(piece: Buffer): { readonly head: ScriptHead; readonly rest: Buffer } | undefined {
    this.#bytes = this.#bytes.length === 0 ? piece : Buffer.concat([this.#bytes, piece]);
    const end = this.#findEnd();
    if ((end ?? this.#bytes.length) > MAX_HEAD) throw new ScriptHeadError(`its head has more than ${MAX_HEAD} bytes`);
    if (end === undefined) return undefined;
    return { head: parseScriptHead(this.#bytes.toString('latin1', 0, end)), rest: this.#bytes.subarray(end) };
  }

  /** The index after the empty line: LF LF, or LF CR LF; at the very start an empty line alone. */
  #findEnd(): number | undefined {
    const bytes = this.#bytes;
    if (this.#looked === 0 && emptyLineAt(bytes, 0) !== undefined) return emptyLineAt(bytes, 0);
    for (let at = bytes.indexOf(0x0a, this.#looked); at !== -1; at = bytes.indexOf(0x0a, at + 1)) {
      const end = emptyLineAt(bytes, at + 1);
      if (end !== undefined) return end;
    }
    this.#looked = Math.max(0, bytes.length - 2);
    return undefined;
  }
}

function emptyLineAt(bytes: Buffer, at: number): number | undefined {
  if (bytes[at] === 0x0a /* LF */) return at + 1;
  return bytes[at] === 0x0d /* CR */ && bytes[at + 1] === 0x0a ? at + 2 : undefined;
}

/**
 * Parses a complete head.
 *
 * @param text One character per byte, with or without the empty line.
 * @throws ScriptHeadError when a line is not a field, a field of CGI appears twice, or nothing says what kind of response it is.
 */
export function parseScriptHead(text: string): ScriptHead {
  const lines = text.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  const [first = ''] = lines;
  const statusLine = /^HTTP\/\d\.\d[ \t]+(\d{3})(?:[ \t].*)?$/.exec(first)?.[1];
  const fields = (statusLine === undefined ? lines : lines.slice(1)).filter((line) => line !== '').map(parseLine);
  if (fields.length > MAX_FIELDS) throw new ScriptHeadError(`its head has more than ${MAX_FIELDS} fields`);
  const type = only(fields, 'content-type');
  const location = only(fields, 'location');
  const status = parseStatus(only(fields, 'status') ?? statusLine);
  if (type === undefined && location === undefined && status === undefined) {
    throw new ScriptHeadError('there is neither Content-Type, nor Location, nor Status'); // RFC 3875 §6.2: at least one of them
  }
  if (fields.some(([name]) => name.toLowerCase() === 'transfer-encoding')) {
    throw new ScriptHeadError('it sets a transfer coding, which is up to the server'); // RFC 3875 §6.3.4
  }
  return {
    status,
    location,
    size: parseLength(only(fields, 'content-length')),
    fields: withoutHopByHop(fields).filter(([name]) => !OURS.has(name.toLowerCase())),
    isLocationOnly: location !== undefined && fields.length === 1 && statusLine === undefined,
  };
}

function parseLine(line: string): [name: string, value: string] {
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(0, colon));
  const value = trimWhitespace(line.slice(colon + 1));
  if (isToken(name) && isFieldValue(value)) return [name, value];
  throw new ScriptHeadError(`${JSON.stringify(line.slice(0, 100))} is not a header field`);
}

/** The value of a CGI field, which may appear only once (RFC 3875 §6.3). */
function only(fields: readonly (readonly [string, string])[], name: string): string | undefined {
  const values = fields.filter(([other]) => other.toLowerCase() === name);
  if (values.length > 1) throw new ScriptHeadError(`${name} appears ${values.length} times`);
  return values[0]?.[1];
}

/** Parses Status (RFC 3875 §6.3.3). A script may not send interim or switching responses. */
function parseStatus(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const status = Number(/^(\d{3})(?:[ \t].*)?$/.exec(value)?.[1] ?? Number.NaN);
  if (isFinalStatus(status)) return status;
  throw new ScriptHeadError(`${JSON.stringify(value.slice(0, 100))} is not a status`);
}

function parseLength(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw new ScriptHeadError(`${JSON.stringify(value.slice(0, 100))} is not a length`);
}
