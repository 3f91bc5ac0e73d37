/**
 * The kinds a form field can be asked for as: those of text, and files.
 *
 * @module
 */
import {
  convertText,
  convertValues,
  type ParsedSpec,
  parseSpec,
  type SpecOf,
  type Specs,
  specsOf,
  type TextKinds,
} from '../reading/kinds.ts';
import { badValue, type Origin } from '../reading/wrong-value.ts';
import { FORM } from './form-error.ts';
import type { UploadedFile } from './uploaded-file.ts';

/** The type of each kind. */
export interface FieldKinds extends TextKinds {
  file: UploadedFile;
}

/** A kind: exactly one value; with `?` at most one; with `[]` any number. */
export type FieldSpec = SpecOf<keyof FieldKinds>;

/** A field as it was sent. */
export type SentField = string | UploadedFile;

const SPECS: Specs<keyof FieldKinds> = specsOf(['string', 'int', 'uint', 'float', 'bool', 'file']);

/** Parses a spec, before anything of the form is read. @throws TypeError (code `bad-option`) for an unknown one. */
export function parseFieldSpec(name: string, spec: unknown): ParsedSpec<keyof FieldKinds> {
  return parseSpec(FORM, SPECS, name, spec);
}

/**
 * Converts what was sent under one name to the kind that was asked for.
 *
 * @throws HttpError 400 when something is missing, wrong, or sent more than once.
 */
export function convertField(name: string, spec: ParsedSpec<keyof FieldKinds>, sent: readonly SentField[]): unknown {
  return convertValues(FORM, name, spec, sent, convertSent);
}

function convertSent(
  form: Origin,
  name: string,
  kind: keyof FieldKinds,
  sent: SentField,
): string | number | boolean | UploadedFile | undefined {
  if (typeof sent === 'string') {
    if (kind !== 'file') return convertText(form, name, kind, sent);
    throw badValue(form, name, 'is text, a file is expected');
  }
  if (kind === 'file') return sent;
  throw badValue(form, name, 'is a file, text is expected');
}
