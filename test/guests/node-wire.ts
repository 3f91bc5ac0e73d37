/**
 * What came back on a connection, whole or not: for comparing servers.
 *
 * @module
 */

const CHUNKED = 'transfer-encoding: chunked';

/** A response, interim or final, as far as it came. */
export interface Sent {
  readonly line: string;
  /** In the order of their names, which are in lower case; without those that are the business of each server. */
  readonly fields: readonly string[];
  /** Without its framing. */
  readonly body: string;
  /** Whether the body ended as its framing had announced. */
  readonly isWhole: boolean;
}

/** Takes apart what came. @param isHead Whether the requests were HEAD: no response has a body. */
export function sentOf(text: string, isHead: boolean): Sent[] {
  const all: Sent[] = [];
  for (let at = 0; at < text.length; ) {
    const headEnd = text.indexOf('\r\n\r\n', at);
    if (headEnd === -1) return [...all, { line: '', fields: [], body: text.slice(at), isWhole: false }];
    const [line = '', ...lines] = text.slice(at, headEnd).split('\r\n');
    const fields = lines.map((one) => one.replace(/^[^:]+/, (name) => name.toLowerCase()));
    const { body, end, isWhole } = bodyOf(text, headEnd + 4, isHead || /^HTTP\/1\.1 (?:1\d\d|204|304) /.test(line), fields);
    all.push({ line, fields: fields.filter((one) => !/^(?:connection|keep-alive|date): /.test(one)).toSorted(), body, isWhole });
    at = end;
  }
  return all;
}

/** The same with a length for each whole body that came in chunks: where the two differ in that, it has its own row. */
export function withLengths<T extends { readonly sent: readonly Sent[] }>(outcome: T): T {
  const sent = outcome.sent.map((one) => {
    if (!one.isWhole || !one.fields.includes(CHUNKED) || one.body.length > 64 * 1024) return one;
    const length = `content-length: ${Buffer.byteLength(one.body, 'latin1')}`;
    return { ...one, fields: one.fields.map((field) => (field === CHUNKED ? length : field)).toSorted() };
  });
  return { ...outcome, sent };
}

function bodyOf(text: string, start: number, isBare: boolean, fields: readonly string[]): { body: string; end: number; isWhole: boolean } {
  if (isBare) return { body: '', end: start, isWhole: true };
  if (fields.includes(CHUNKED)) return unchunked(text, start);
  const length = fields.find((one) => one.startsWith('content-length: '))?.slice(16);
  const end = length === undefined ? text.length : Math.min(text.length, start + Number(length));
  return { body: text.slice(start, end), end, isWhole: length === undefined || end === start + Number(length) };
}

function unchunked(text: string, start: number): { body: string; end: number; isWhole: boolean } {
  let body = '';
  for (let at = start; ; ) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd === -1) return { body, end: text.length, isWhole: false };
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    if (size === 0) {
      const end = text.indexOf('\r\n\r\n', lineEnd); // trailers are part of neither body nor fields
      return { body, end: end === -1 ? text.length : end + 4, isWhole: end !== -1 };
    }
    body += text.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + 4 + size;
  }
}
