/**
 * The option `record` of `startServer`.
 *
 * @module
 */
import { badOption, checkOptions, checkSystemString } from '../../http/errors/bad-option.ts';
import type { Occasion, RecordRules } from '../../http/request-file/occasion.ts';
import { checkedRules, RULES } from '../../http/request-file/record.ts';

/** Which requests are written into files that can be played again, and where. At least one folder. */
export interface RecordingOptions {
  /** The folder for requests that fail: an error or an answer of 500 and more, but for 503; no answer within `handlerTimeout`. */
  readonly onError?: string | undefined;
  /** The folder for requests that take longer than `slowRequest`. */
  readonly slow?: string | undefined;
  /** The folder for requests whose body the engine refuses: too large (413), too slow (408), cut off (400), no room for it (503, 507). */
  readonly refused?: string | undefined;
  /** Whose values are hidden, besides what always is: see `recordRequest`. Default: none. */
  readonly mask?: readonly string[] | undefined;
  /** Files that are kept in each folder, of all processes together; the oldest go first. Default 100. */
  readonly maxFiles?: number | undefined;
  /** Bytes of one file; of a longer body the first are recorded, and it says so. Default 12 MiB. */
  readonly maxFileSize?: number | undefined;
}

/** The rules for each kind of request that is recorded. */
export type ResolvedRecording = Readonly<Partial<Record<Occasion['kind'], RecordRules>>>;

const FOLDERS = { onError: 'error', slow: 'slow', refused: 'refused' } as const satisfies Record<string, Occasion['kind']>;
const KNOWN: ReadonlySet<string> = new Set([...Object.keys(FOLDERS), ...RULES]);

/** Checks the option. @throws TypeError or RangeError (code `bad-option`). */
export function resolveRecording(
  subject: string,
  options: RecordingOptions | undefined,
  slowRequest: number,
): ResolvedRecording | undefined {
  if (options === undefined) return undefined;
  checkOptions(subject, options, KNOWN, 'record');
  const rules = checkedRules(`${subject}: record`, options);
  const kinds: Partial<Record<Occasion['kind'], RecordRules>> = {};
  for (const [name, kind] of Object.entries(FOLDERS)) {
    const folder = options[name as keyof typeof FOLDERS];
    if (folder === undefined) continue;
    checkSystemString(subject, `record.${name}`, folder);
    kinds[kind] = { folder, ...rules };
  }
  if (Object.keys(kinds).length === 0) throw badOption(subject, 'record names no folder: write onError, slow or refused');
  if (kinds.slow && slowRequest === 0) throw badOption(subject, 'record.slow has no effect without slowRequest');
  return kinds;
}
