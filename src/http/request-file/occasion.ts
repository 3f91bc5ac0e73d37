/**
 * What is recorded, why, and how.
 *
 * @module
 */

/** How it is recorded. */
export interface RecordRules {
  readonly folder: string;
  /** What is masked, besides what always is: in lower case. */
  readonly names: ReadonlySet<string>;
  /** Files that are kept in the folder: the newest. */
  readonly maxFiles: number;
  /** Bytes; of a longer body the first are recorded. */
  readonly maxFileSize: number;
}

/** Why a request is recorded, and when: `request` is one that the program records. */
export interface Occasion {
  readonly kind: 'error' | 'slow' | 'refused' | 'request';
  readonly at: Date;
  readonly id: string;
  /** An error, or words; a function gives words that are not known yet. */
  readonly why: unknown;
}
