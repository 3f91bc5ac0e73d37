/**
 * Forms: urlencoded and multipart, with files (WHATWG URL §5, RFC 7578).
 *
 * @module
 */

import { badOption, kindOf } from '../http/errors/bad-option.ts';
import { type ContentType, parseContentType } from '../http/fields/content-type.ts';
import type { Request } from '../http/request.ts';
import { HttpError } from '../http/response.ts';
import { FORM, unsupported } from './read-form/form-error.ts';
import { convertField, type FieldKinds, type FieldSpec, parseFieldSpec, type SentField } from './read-form/form-kinds.ts';
import { checkedLimits, DEFAULT_LIMITS, type FormLimits } from './read-form/limits.ts';
import { readMultipart } from './read-form/multipart.ts';
import type { UploadedFile } from './read-form/uploaded-file.ts';
import { readUrlencoded } from './read-form/urlencoded.ts';
import { accepted, acceptedLater, checkIsSchema, objectOf } from './reading/accepted.ts';
import { isUtf8Label } from './reading/charset.ts';
import { refuseContentCodings } from './reading/content-codings.ts';
import type { SpecTypes } from './reading/kinds.ts';
import { isStandardSchema, type StandardSchema } from './reading/schema.ts';
import { subjectOf } from './reading/wrong-value.ts';

export type { FieldSpec } from './read-form/form-kinds.ts';
export type { FormLimits } from './read-form/limits.ts';
export type { UploadedFile } from './read-form/uploaded-file.ts';

const SUBJECT = subjectOf(FORM);

/** One part of a form, text or a file. */
export type FormPart = { readonly name: string; readonly value: string } | { readonly name: string; readonly file: UploadedFile };

/**
 * Reads a form whose fields are known, by kinds or by a schema.
 *
 * A spec is a kind, `string`, `int`, `uint`, `float`, `bool` or `file`, for exactly one value; with `?` for at most one; with `[]` for any
 * number. Fields that were not asked for are ignored. Number and file inputs that were left empty count as not sent; a `bool` that was not
 * sent is false, as with checkboxes.
 *
 * A schema gets an object of all fields: one that was sent once is a string or an `UploadedFile`, one that was sent more often a list.
 *
 * Files are parts of the body, in memory or in its temporary file, which is there until the response is sent: use them, or save them, before
 * then.
 *
 * @param request Of type `application/x-www-form-urlencoded` or `multipart/form-data`.
 * @param wanted The expected fields, by name; or a schema of a library that implements Standard Schema.
 * @param limits How much is accepted.
 * @throws HttpError 400 when a field is missing (code `missing-field`), wrong or sent more than once (`bad-field-value`; the message names
 *   the field) or the form is malformed (`bad-form`, `bad-text`), 413 (`form-too-large`, `body-too-large`) beyond the limits, 415
 *   (`unsupported-media-type`) for another type or charset, or a compressed body, 422 (`schema-mismatch`) with the issues when a schema rejects
 *   the form. TypeError or RangeError (`bad-option`) for an invalid spec or limit, or a schema that is asynchronous.
 * @example
 * const { text, age, files } = readForm(request, { text: 'string', age: 'uint?', files: 'file[]' });
 */
export function readForm<T>(request: Request, schema: StandardSchema<T>, limits?: FormLimits): T;
export function readForm<const S extends Readonly<Record<string, FieldSpec>>>(
  request: Request,
  fields: S,
  limits?: FormLimits,
): SpecTypes<FieldKinds, S>;
export function readForm(
  request: Request,
  wanted: StandardSchema<unknown> | Readonly<Record<string, FieldSpec>>,
  limits?: FormLimits,
): unknown {
  if (isStandardSchema(wanted)) return accepted(FORM, wanted, readWhole(request, limits), 'await readFormAsync(request, schema) instead');
  if (typeof wanted !== 'object' || wanted === null) throw badOption(SUBJECT, `the fields are ${kindOf(wanted)}, not an object`);
  const asked = Object.keys(wanted).map((name) => ({ name, spec: parseFieldSpec(name, wanted[name]), sent: [] as SentField[] }));
  for (const part of readParts(request, limits, (name) => Object.hasOwn(wanted, name))) {
    for (const { name, sent } of asked) if (name === part.name) sent.push(sentIn(part)); // a form has few fields: a table would not be faster
  }
  const form = Object.create(null) as Record<string, unknown>;
  for (const { name, spec, sent } of asked) form[name] = convertField(name, spec, sent);
  return form;
}

/**
 * Reads a form and checks it by a schema that answers later: one that asks a database, say. Any other will do as well.
 *
 * @param request Of type `application/x-www-form-urlencoded` or `multipart/form-data`.
 * @param schema Gets what one for `readForm` gets.
 * @param limits How much is accepted.
 * @returns A promise, which is rejected with what `readForm` throws.
 * @example
 * const { name } = await readFormAsync(request, z.object({ name: z.string().refine(async (name) => !(await users.has(name)), 'is taken') }));
 */
export async function readFormAsync<T>(request: Request, schema: StandardSchema<T>, limits?: FormLimits): Promise<T> {
  checkIsSchema(FORM, schema);
  return acceptedLater(FORM, schema, readWhole(request, limits));
}

/**
 * Reads a form whose fields are not known in advance: every part in order, with the names as they were sent.
 *
 * @param request Of type `application/x-www-form-urlencoded` or `multipart/form-data`.
 * @param limits How much is accepted.
 * @throws As `readForm` does, except for errors that depend on the fields.
 * @example
 * for (const part of readFormParts(request)) log('file' in part ? `${part.name}: ${part.file.filename}` : `${part.name}=${part.value}`);
 */
export function readFormParts(request: Request, limits?: FormLimits): FormPart[] {
  return readParts(request, limits, () => true);
}

/** All fields, for a schema. */
function readWhole(request: Request, limits: FormLimits | undefined): Record<string, SentField | SentField[]> {
  return objectOf(readParts(request, limits, () => true).map((part) => [part.name, sentIn(part)]));
}

function sentIn(part: FormPart): SentField {
  return 'file' in part ? part.file : part.value;
}

/** @param isAsked Whether files of a name are wanted. */
function readParts(request: Request, limits: FormLimits | undefined, isAsked: (name: string) => boolean): FormPart[] {
  const checked = limits === undefined ? DEFAULT_LIMITS : checkedLimits(limits);
  const content = request.headerParsed('content-type', checkedType); // RFC 9110 §5.3: two lines are one value, which is then no media type
  if (!isUtf8Label(content.parameters.get('charset'))) throw unsupported('its charset is not UTF-8');
  refuseContentCodings(request, SUBJECT);
  if (content.type === 'multipart/form-data') return readMultipart(request, content.parameters.get('boundary'), checked, isAsked);
  return readUrlencoded(request, checked);
}

function checkedType(value: string | undefined): ContentType {
  const content = parseContentType(value);
  if (content?.type === 'multipart/form-data' || content?.type === 'application/x-www-form-urlencoded') return content;
  const isMalformed = content === undefined && /^multipart\/form-data[ \t]*;/i.test(value ?? '');
  const why = isMalformed
    ? 'malformed: a boundary with any of ()<>@,;:/[]?= or a space in it needs quotes' // RFC 2046 §5.1.1
    : 'neither application/x-www-form-urlencoded nor multipart/form-data';
  throw new HttpError(415, `Cannot read form: Content-Type is ${why}`, {
    code: 'unsupported-media-type',
    headers: { Accept: 'application/x-www-form-urlencoded, multipart/form-data' },
  });
}
