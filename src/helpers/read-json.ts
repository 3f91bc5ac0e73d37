/**
 * The body as JSON (RFC 8259), checked by a schema of any library that implements Standard Schema (zod, valibot, arktype…).
 *
 * @module
 */

import { checkOptions } from '../http/errors/bad-option.ts';
import { type ContentType, parseContentType } from '../http/fields/content-type.ts';
import type { Request } from '../http/request.ts';
import { HttpError } from '../http/response.ts';
import { accepted, acceptedLater, checkIsSchema } from './reading/accepted.ts';
import { isUtf8Label } from './reading/charset.ts';
import { refuseContentCodings } from './reading/content-codings.ts';
import type { StandardSchema } from './reading/schema.ts';
import { type Origin, subjectOf } from './reading/wrong-value.ts';

const JSON_BODY: Origin = { whole: 'JSON', one: 'member' };
const SUBJECT = subjectOf(JSON_BODY);
const KNOWN: ReadonlySet<string> = new Set(['limit']);

/**
 * Reads the body as JSON.
 *
 * Keys named `__proto__`, and `constructor` with a `prototype` in it, are dropped: no client means them, and code that merges objects trips
 * over them.
 *
 * @param request Of type `application/json`, or any `+json`.
 * @param schema Checks the value and types it.
 * @param options `limit`: most bytes to accept; default: whatever `maxBodySize` let in.
 * @throws HttpError 415 (code `unsupported-media-type`) for another type or a compressed body, 400 (`bad-json`, `bad-text`) for a malformed
 *   body, 413 (`body-too-large`) above the limit, 422 (`schema-mismatch`) with the issues when the schema rejects it. TypeError
 *   (`bad-option`) for an unknown option, or a schema that is asynchronous or not a Standard Schema.
 * @example
 * const note = readJson(request, z.object({ text: z.string().max(200) }));
 */
export function readJson<T = unknown>(request: Request, schema?: StandardSchema<T>, options: { limit?: number | undefined } = {}): T {
  const value = readChecked(request, schema, options);
  return schema === undefined ? (value as T) : accepted(JSON_BODY, schema, value, 'await readJsonAsync(request, schema) instead');
}

/**
 * Reads the body as JSON and checks it by a schema that answers later: one that asks a database, say. Any other will do as well.
 *
 * @param request Of type `application/json`, or any `+json`.
 * @param schema Checks the value and types it.
 * @param options As for `readJson`.
 * @returns A promise, which is rejected with what `readJson` throws.
 * @example
 * const user = await readJsonAsync(request, z.object({ name: z.string().refine(async (name) => !(await users.has(name)), 'is taken') }));
 */
export async function readJsonAsync<T>(
  request: Request,
  schema: StandardSchema<T>,
  options: { limit?: number | undefined } = {},
): Promise<T> {
  checkIsSchema(JSON_BODY, schema);
  return acceptedLater(JSON_BODY, schema, readChecked(request, schema, options));
}

/** The value, before the schema sees it. */
function readChecked(request: Request, schema: unknown, options: { limit?: number | undefined }): unknown {
  checkOptions(SUBJECT, options, KNOWN);
  if (schema !== undefined) checkIsSchema(JSON_BODY, schema);
  checkType(request.headerParsed('content-type', parseContentType)); // RFC 9110 §5.3: two lines are one value, which is then no media type
  refuseContentCodings(request, SUBJECT);
  return parse(request.body.text(options.limit));
}

function checkType(content: ContentType | undefined): void {
  const isJson = content !== undefined && (content.type === 'application/json' || content.type.endsWith('+json'));
  if (isJson && isUtf8Label(content.parameters.get('charset'))) return; // RFC 8259 §8.1: UTF-8 only
  throw new HttpError(415, 'Cannot read JSON: Content-Type is not application/json in UTF-8', {
    code: 'unsupported-media-type',
    headers: { Accept: 'application/json' },
  });
}

/** Parses the text. The parser's own message is not passed on, since it would quote the input. */
function parse(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new HttpError(400, 'Cannot read JSON: the body is malformed', { code: 'bad-json', cause });
  }
  if (/__proto__|"constructor"|\\u/.test(text)) dropPrototypes(value); // the names may be spelled with escapes
  return value;
}

/** Visits each object and list once, however deep. A reviver would be called for each value, which takes eight times as long as to parse it. */
function dropPrototypes(root: unknown): void {
  const waiting: object[] = isObject(root) ? [root] : [];
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    if (Array.isArray(value)) {
      for (const child of value as unknown[]) if (isObject(child)) waiting.push(child);
      continue;
    }
    const members = value as Record<string, unknown>;
    for (const name of Object.keys(members)) {
      const child = members[name];
      if (name === '__proto__' || (name === 'constructor' && isObject(child) && Object.hasOwn(child, 'prototype'))) {
        Reflect.deleteProperty(members, name);
      } else if (isObject(child)) waiting.push(child);
    }
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
