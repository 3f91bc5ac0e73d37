/**
 * Has a request recorded: what there is of its body is held at once, and all else is done when the disk has time. It cannot fail the request.
 *
 * What is done then is loaded then, too: few programs record anything.
 *
 * @module
 */
import { isNewTrouble, mayWrite, writeSoon } from '../../process/requests/recordings.ts';
import type { HeldBody } from '../body/request-body.ts';
import { badOption, checkInteger, kindOf, MiB } from '../errors/bad-option.ts';
import { escaped, quoted } from '../escaped.ts';
import type { Request } from '../request.ts';
import type { Occasion, RecordRules } from './occasion.ts';

/** Rules as they are given, but for the folder. */
export interface GivenRules {
  readonly mask?: readonly string[] | undefined;
  readonly maxFiles?: number | undefined;
  readonly maxFileSize?: number | undefined;
}

/** Is told what keeps requests from being recorded. */
export type Tell = (trouble: string, code: string) => void;

/** The names of the options in `GivenRules`. */
export const RULES = ['mask', 'maxFiles', 'maxFileSize'] as const;
/** Least size of a file: a head of the default `maxHeaderSize` fits, with the request line. */
const LEAST_SIZE = 64 * 1024;

/** Checks rules, and fills in the defaults. @throws TypeError or RangeError (code `bad-option`). */
export function checkedRules(
  subject: string,
  { mask = [], maxFiles = 100, maxFileSize = 12 * MiB }: GivenRules,
): Omit<RecordRules, 'folder'> {
  if (!Array.isArray(mask)) throw badOption(subject, `mask is ${kindOf(mask)}, not a list of names`);
  const names = (mask as readonly unknown[]).map((name) => {
    if (typeof name === 'string' && name.trim() !== '') return name.toLowerCase();
    throw badOption(subject, `mask holds ${JSON.stringify(name)}, which is not a name`);
  });
  checkInteger(subject, 'maxFiles', maxFiles, 1, 10_000);
  checkInteger(subject, 'maxFileSize', maxFileSize, LEAST_SIZE, 1024 * MiB);
  return { names: new Set(names), maxFiles, maxFileSize };
}

/**
 * Records a request.
 *
 * @param request As it came, not a cut of it.
 * @param bodyNow Gives the body as it is now; undefined when it has been released. Not called when too much waits for the disk already.
 * @param tell Is told once of a folder that it cannot be written to, until it can be again; and once that recordings are dropped.
 * @returns The path of the file; `undefined` when there is none. It never rejects.
 */
export async function record(
  request: Request,
  rules: RecordRules,
  occasion: Occasion,
  bodyNow: () => HeldBody | undefined,
  tell: Tell,
): Promise<string | undefined> {
  if (!mayWrite()) {
    tellBusy(rules.folder, tell);
    return undefined;
  }
  let body: HeldBody | undefined;
  try {
    body = bodyNow();
  } catch (error) {
    tellOnce(rules.folder, error, tell);
  }
  if (!body) return undefined;
  const held = body;
  const size = Buffer.isBuffer(held.bytes) ? held.bytes.length : 0;
  return new Promise((resolve) => writeSoon(size, async () => resolve(await write(request, rules, occasion, held, tell))));
}

async function write(request: Request, rules: RecordRules, occasion: Occasion, body: HeldBody, tell: Tell): Promise<string | undefined> {
  try {
    const { writeRecording } = await import('./write-recording.ts');
    const path = await writeRecording(request, rules, occasion, body);
    isNewTrouble(rules.folder, false);
    return path;
  } catch (error) {
    tellOnce(rules.folder, error, tell);
    return undefined;
  } finally {
    body.letGo?.();
  }
}

function tellBusy(folder: string, tell: Tell): void {
  if (!isNewTrouble(`${folder} busy`, true)) return;
  tell(`some requests are not recorded in ${quoted(folder)}: more go wrong than the disk can take; said once`, 'busy');
}

function tellOnce(folder: string, error: unknown, tell: Tell): void {
  if (!isNewTrouble(folder, true)) return;
  const { message, code = 'unknown' } = error as NodeJS.ErrnoException;
  tell(`cannot record requests in ${quoted(folder)}: ${escaped(message)}; said once, until it works again`, code);
}
