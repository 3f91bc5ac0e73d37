/**
 * The body of a request made by hand, as bytes with the Content-Type that it brings.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import { jsonOf } from '../body/text.ts';
import { badOption } from '../errors/bad-option.ts';

/** What the body of a request made by hand can be given as. */
export type GivenBody = string | Uint8Array | URLSearchParams | FormData;

/** Bytes, and what they are. */
export interface TypedBody {
  readonly bytes: Buffer;
  /** A value for Content-Type; undefined when the body does not say. */
  readonly type: string | undefined;
}

const SUBJECT = 'Cannot make a request';

/**
 * Encodes a body.
 *
 * @param json A value to be sent as JSON instead; undefined: none.
 * @throws TypeError (code `bad-option`) for a body of another kind, a form with files, or both a body and JSON;
 *   TypeError (code `not-serializable`) for a value without a JSON form.
 */
export function typedBody(body: GivenBody | undefined, json: unknown): TypedBody | undefined {
  if (json !== undefined) {
    if (body !== undefined) throw badOption(SUBJECT, 'both body and json are given: write one of them');
    return { bytes: Buffer.from(jsonOf(json)), type: 'application/json' };
  }
  if (body === undefined) return undefined;
  if (typeof body === 'string') return { bytes: Buffer.from(body), type: undefined };
  if (body instanceof Uint8Array) return { bytes: Buffer.from(body.buffer, body.byteOffset, body.byteLength), type: undefined };
  if (body instanceof URLSearchParams) {
    return { bytes: Buffer.from(body.toString()), type: 'application/x-www-form-urlencoded;charset=UTF-8' };
  }
  if (body instanceof FormData) return multipartOf(body);
  const kind = body === null ? 'null' : Object.prototype.toString.call(body).slice(8, -1);
  throw badOption(
    SUBJECT,
    `body is ${kind}, not text, bytes, URLSearchParams or FormData: for a value as JSON, write json instead of body`,
  );
}

/** A form as a browser sends it (WHATWG HTML §4.10.21.8, RFC 7578). */
function multipartOf(form: FormData): TypedBody {
  const boundary = `form-${randomUUID()}`;
  let text = '';
  for (const [name, value] of form) {
    if (typeof value !== 'string') {
      throw badOption(
        SUBJECT,
        `the file "${name}" of a FormData can be read only asynchronously: encode the form first, as in new globalThis.Response(form)`,
      );
    }
    text += `--${boundary}\r\nContent-Disposition: form-data; name="${escaped(name)}"\r\n\r\n${withCrlf(value)}\r\n`;
  }
  return { bytes: Buffer.from(`${text}--${boundary}--\r\n`), type: `multipart/form-data; boundary=${boundary}` };
}

function escaped(name: string): string {
  return withCrlf(name).replaceAll('\r', '%0D').replaceAll('\n', '%0A').replaceAll('"', '%22');
}

function withCrlf(text: string): string {
  return text.replace(/\r\n?|\n/g, '\r\n');
}
