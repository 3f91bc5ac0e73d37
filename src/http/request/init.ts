/**
 * What a request made by hand is given, checked: tests and scripts make requests so.
 *
 * @module
 */
import { randomUUID, X509Certificate } from 'node:crypto';
import { jsonOf } from '../body/text.ts';
import { badOption, checkBoolean, checkOptions, checkString } from '../errors/bad-option.ts';
import { withCode } from '../errors/error-codes.ts';
import { FieldLines } from '../field-lines.ts';
import { isHopByHop } from '../fields/hop-by-hop.ts';
import { isToken } from '../grammar.ts';
import { HeaderList, type HeadersInit } from '../header-list.ts';
import { parseTarget, type TargetParts } from '../target.ts';

/** What the body of a request made by hand can be given as. */
export type GivenBody = string | Uint8Array | URLSearchParams | FormData;

/** Bytes, and what they are. */
interface TypedBody {
  readonly bytes: Buffer;
  /** A value for Content-Type; undefined when the body does not say. */
  readonly type: string | undefined;
}

/** What a request made by hand can be given. */
export interface RequestInit {
  /** Default `GET`. */
  method?: string | undefined;
  /** Origin-form, default `/`. */
  target?: string | undefined;
  headers?: HeadersInit | undefined;
  /** URLSearchParams and FormData (text only) bring their Content-Type. */
  body?: GivenBody | undefined;
  /** A value to be sent as JSON, instead of `body`; brings its Content-Type. Default: none. */
  json?: unknown;
  /** Default: undefined. */
  remoteAddress?: string | undefined;
  /** Default false. */
  secure?: boolean | undefined;
  /** Default: undefined. One makes the request a secure one. */
  clientCertificate?: X509Certificate | undefined;
}

/** A request before its target is taken apart. */
export interface MadeRequest {
  readonly head: { readonly method: string; readonly target: string; readonly httpVersion: '1.1'; readonly lines: FieldLines };
  readonly bytes: Buffer | undefined;
}

const SUBJECT = 'Cannot make a request';
const KNOWN: ReadonlySet<string> = new Set(['method', 'target', 'headers', 'body', 'json', 'remoteAddress', 'secure', 'clientCertificate']);
/** Fields that stay as they came, besides those of the connection. */
const HOW_IT_CAME: ReadonlySet<string> = new Set(['content-length', 'host']);
const TEXTS = ['method', 'target', 'remoteAddress'] as const;

/**
 * The head and the body that are asked for.
 *
 * @throws TypeError when the method is not a token, a header is malformed (code `bad-header`), or an option is unknown or has a wrong type
 *   (code `bad-option`).
 */
export function requestOf(init: RequestInit): MadeRequest {
  checkInit(init);
  const { method = 'GET', target = '/', headers, body, json } = init;
  if (!isToken(method)) throw new TypeError(`${SUBJECT}: method ${JSON.stringify(method)} is not a token`);
  const given = typedBody(body, json);
  const list = HeaderList.of(headers);
  const typed = given?.type === undefined || list.get('content-type') !== undefined ? list : list.withAdded('Content-Type', given.type);
  return { head: { method, target, httpVersion: '1.1', lines: FieldLines.of(typed.pairs()) }, bytes: given?.bytes };
}

/**
 * Field lines with another value for a field, for a request that is made from one that came.
 *
 * @throws TypeError (code `bad-header`) for what cannot be sent, and for a field that tells how the request came.
 */
export function linesWith(fields: readonly (readonly [string, string])[], name: string, value: string): FieldLines {
  const key = name.toLowerCase();
  if (isHopByHop(key) || HOW_IT_CAME.has(key)) {
    throw withCode(new TypeError(`Cannot change request: the field ${JSON.stringify(name)} tells how it came`), 'bad-header');
  }
  return FieldLines.of(HeaderList.of(fields).with(name, value).pairs());
}

/** @throws TypeError for what is no `RequestInit`: a web-standard Request takes other ones. */
function checkInit(init: RequestInit): void {
  const url: unknown = typeof init === 'object' && init !== null && 'url' in init ? init.url : init;
  if (typeof url === 'string' || url instanceof URL) {
    throw badOption(SUBJECT, `${JSON.stringify(url)} is given as a URL: write { target: '/path?query' }, and the host as the field Host`);
  }
  checkOptions(SUBJECT, init, KNOWN);
  for (const name of TEXTS) if (init[name] !== undefined) checkString(SUBJECT, name, init[name]);
  if (init.secure !== undefined) checkBoolean(SUBJECT, 'secure', init.secure);
  if (init.clientCertificate !== undefined && !(init.clientCertificate instanceof X509Certificate)) {
    throw badOption(SUBJECT, 'clientCertificate is no X509Certificate of node:crypto');
  }
}

/** The parts of a target. @throws TypeError (code `bad-target`) for one that a server would refuse. */
export function partsOf(target: string): TargetParts {
  const parts = parseTarget(target);
  if (!parts) {
    throw withCode(new TypeError(`Cannot make a request: target ${JSON.stringify(target)} would be refused with 400`), 'bad-target');
  }
  return parts;
}

/**
 * Encodes a body.
 *
 * @param json A value to be sent as JSON instead; undefined: none.
 * @throws TypeError (code `bad-option`) for a body of another kind, a form with files, or both a body and JSON;
 *   TypeError (code `not-serializable`) for a value without a JSON form.
 */
function typedBody(body: GivenBody | undefined, json: unknown): TypedBody | undefined {
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
