/**
 * What a request made by hand is given, checked: tests and scripts make requests so.
 *
 * @module
 */
import { badOption, checkBoolean, checkOptions, checkString } from '../errors/bad-option.ts';
import { withCode } from '../errors/error-codes.ts';
import { FieldLines } from '../field-lines.ts';
import { isToken } from '../grammar.ts';
import { HeaderList, type HeadersInit } from '../header-list.ts';
import { parseTarget, type TargetParts } from '../target.ts';
import { type GivenBody, typedBody } from './given-body.ts';

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
}

/** A request before its target is taken apart. */
export interface MadeRequest {
  readonly head: { readonly method: string; readonly target: string; readonly httpVersion: '1.1'; readonly lines: FieldLines };
  readonly bytes: Buffer | undefined;
}

const SUBJECT = 'Cannot make a request';
const KNOWN: ReadonlySet<string> = new Set(['method', 'target', 'headers', 'body', 'json', 'remoteAddress', 'secure']);
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

/** @throws TypeError for what is no `RequestInit`: a web-standard Request takes other ones. */
function checkInit(init: RequestInit): void {
  const url: unknown = typeof init === 'object' && init !== null && 'url' in init ? init.url : init;
  if (typeof url === 'string' || url instanceof URL) {
    throw badOption(SUBJECT, `${JSON.stringify(url)} is given as a URL: write { target: '/path?query' }, and the host as the field Host`);
  }
  checkOptions(SUBJECT, init, KNOWN);
  for (const name of TEXTS) if (init[name] !== undefined) checkString(SUBJECT, name, init[name]);
  if (init.secure !== undefined) checkBoolean(SUBJECT, 'secure', init.secure);
}

/** The parts of a target. @throws TypeError (code `bad-target`) for one that a server would refuse. */
export function partsOf(target: string): TargetParts {
  const parts = parseTarget(target);
  if (!parts) {
    throw withCode(new TypeError(`Cannot make a request: target ${JSON.stringify(target)} would be refused with 400`), 'bad-target');
  }
  return parts;
}
