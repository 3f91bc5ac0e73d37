/**
 * Requests on disk that can be played again: in a test, with curl, from an editor.
 *
 * The file is described in `http/request-file/written.ts`, and read by `requestFromFile`.
 *
 * @module
 */
import { checkOptions, checkSystemString } from '../http/errors/bad-option.ts';
import type { Request } from '../http/request.ts';
import { checkedRules, RULES, record } from '../http/request-file/record.ts';
import { idFor } from '../process/requests/ids.ts';

/** Options of `recordRequest`. */
export interface RecordOptions {
  /** The folder of the files. It is made when it is not there, for its owner alone. */
  readonly folder: string;
  /** What went wrong: an error, of which name, code and place are written, but not the message, or words of your own. Default: none. */
  readonly why?: unknown;
  /**
   * Whose values are hidden, besides what always is: fields, query parameters, members of forms and of JSON, in any case of the letters.
   * Default: none.
   */
  readonly mask?: readonly string[] | undefined;
  /** Files that are kept in the folder, of all processes together; the oldest go first. Default 100. */
  readonly maxFiles?: number | undefined;
  /** Bytes of one file; of a longer body the first are recorded, and it says so. Default 12 MiB. */
  readonly maxFileSize?: number | undefined;
}

const SUBJECT = 'Cannot record request';
const KNOWN: ReadonlySet<string> = new Set(['folder', 'why', ...RULES]);

/**
 * Writes a request into a file that can be played again, with its secrets hidden.
 *
 * The request goes on at once: nothing waits for the disk, and nothing fails because of it. A folder that cannot be written to is told on standard
 * error once. Beyond 32 recordings that wait for the disk, or 64 MiB of them, further ones are dropped.
 *
 * Always hidden are Authorization and Proxy-Authorization but for the scheme, the values of cookies, X-API-Key, X-Auth-Token, X-CSRF-Token and
 * X-XSRF-Token. The path and a body that is neither a form nor JSON are recorded as they came.
 *
 * @param request The request, also one that is derived: what is recorded is the one that came.
 * @returns The path of the file once it is there; `undefined` when there is none. It never rejects, and need not be waited for.
 * @throws TypeError or RangeError (code `bad-option`) for a wrong option.
 * @example
 * startServer(app, { onError: (error, request) => void recordRequest(request, { folder: 'requests', why: error, mask: ['password'] }) });
 */
export function recordRequest(request: Request, options: RecordOptions): Promise<string | undefined> {
  checkOptions(SUBJECT, options, KNOWN);
  const { folder, why = 'recorded by the program' } = options;
  checkSystemString(SUBJECT, 'folder', folder);
  const rules = { folder, ...checkedRules(SUBJECT, options) };
  const { original } = request;
  const occasion = { kind: 'request', at: new Date(), id: idFor(original), why } as const;
  return record(
    original,
    rules,
    occasion,
    () => original.body.held(rules.maxFileSize),
    (trouble) => console.error(`[recordRequest] ${trouble}`),
  );
}
