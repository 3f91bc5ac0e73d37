/**
 * How much of a form is accepted.
 *
 * @module
 */
import { checkInteger, checkOptions, type Filled, MiB } from '../../http/errors/bad-option.ts';
import { shown } from '../reading/wrong-value.ts';
import { tooLarge } from './form-error.ts';

/** Bounds of one form. Beyond any of them: 413. */
export interface FormLimits {
  /** Number of text fields. Default 1000. */
  fields?: number | undefined;
  /** Bytes of one text value. Default 1 MiB. */
  fieldSize?: number | undefined;
  /** Number of files. Default 100. */
  files?: number | undefined;
  /** Bytes of one file. Default: whatever `maxBodySize` let in. */
  fileSize?: number | undefined;
}

/** Bounds that have been checked. */
export interface CheckedLimits extends Filled<FormLimits> {
  /** Bytes of all text values together, which are in memory: as much as the default body, or as one value if that may be larger. */
  readonly text: number;
}

const KNOWN: ReadonlySet<string> = new Set(['fields', 'fieldSize', 'files', 'fileSize']);
/** Longest name of a field or file, in characters. File systems stop at 255 bytes, and no form needs more. */
const MAX_NAME = 1024;

/** The limits when the caller sets none. */
export const DEFAULT_LIMITS: CheckedLimits = checkedLimits({});

/**
 * Checks limits and fills in the defaults.
 *
 * @throws TypeError or RangeError (code `bad-option`) for an unknown limit, or one that is not a whole number from 0 on.
 */
export function checkedLimits(limits: FormLimits): CheckedLimits {
  checkOptions('Cannot read form', limits, KNOWN, 'limits');
  const { fields = 1000, fieldSize = MiB, files = 100, fileSize = Number.POSITIVE_INFINITY } = limits;
  for (const [name, value] of Object.entries({ fields, fieldSize, files, fileSize })) {
    checkInteger('Cannot read form', `limit ${name}`, value, 0, Number.POSITIVE_INFINITY);
  }
  return { fields, fieldSize, files, fileSize, text: Math.max(10 * MiB, fieldSize) };
}

/** Checks a field name. @throws HttpError 413 when it is longer than any form needs. */
export function checkName(name: string): void {
  if (name.length > MAX_NAME) throw tooLarge(`the name ${shown(name)} has more than ${MAX_NAME} characters`);
}

/** Adds up the sizes of a form's text values. */
export class TextBudget {
  readonly #limits: CheckedLimits;
  #size = 0;

  constructor(limits: CheckedLimits) {
    this.#limits = limits;
  }

  /**
   * Counts some bytes of a value.
   *
   * @param size Bytes of the value so far.
   * @param added How many of them are new.
   * @throws HttpError 413 when it, or all values together, are too long.
   */
  take(name: string, size: number, added: number): void {
    this.#size += added;
    if (size > this.#limits.fieldSize) throw tooLarge(`field ${shown(name)} has more than ${this.#limits.fieldSize} bytes`);
    if (this.#size > this.#limits.text) throw tooLarge(`its fields have more than ${this.#limits.text} bytes`);
  }
}
