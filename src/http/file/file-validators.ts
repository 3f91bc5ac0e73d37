/**
 * The validators of a file, by which clients know whether they have its current version: ETag and Last-Modified (RFC 9110 §8.8).
 *
 * @module
 */
import { serializeDate } from '../date.ts';
import type { FileVersion } from './open-file.ts';

/**
 * Times before 1990 do not come from writing: builds and package managers set them, so that their archives do not depend on the day (1970, 1980; npm:
 * 1985). They are the same for the next version, and say nothing.
 */
const FIRST_REAL_TIME: number = Date.UTC(1990, 0);
/** File systems count in steps of up to 2 s (FAT; others 4 ms or less). A file written twice within one step looks the same both times. */
export const COARSEST_STEP = 2000;

/** The two validators as field values. */
export interface FileValidators {
  readonly etag: string;
  readonly lastModified: string;
}

/**
 * Makes the validators of a file from its size and its time.
 *
 * The ETag is strong (good for If-Match and If-Range) when the time lies far enough back, 2 s, that any later write must have a different one; until
 * then it is weak. Files that are equal in size and time, as on several machines with one deployment, have equal ETags.
 *
 * @param version The file as it was found.
 * @param now When it was found, ms since 1970.
 */
export function fileValidators(version: FileVersion, now: number): FileValidators {
  const written = version.modified >= FIRST_REAL_TIME ? version.modified : version.changed;
  const micros = Math.round(written * 1000); // as fine as a double can tell today's times apart
  const tag = `"${version.size.toString(36)}-${micros.toString(36)}"`;
  return {
    etag: now - written >= COARSEST_STEP ? tag : `W/${tag}`,
    lastModified: serializeDate(new Date(Math.min(written, now))), // RFC 9110 §8.8.2.1: never later than the Date of the response
  };
}
