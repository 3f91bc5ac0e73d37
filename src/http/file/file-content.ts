/**
 * A body that is a file, or parts of one.
 *
 * @module
 */
import { withCode } from '../errors/error-codes.ts';
import { type FileParts, FileReading, lengthOf } from './file-reading.ts';
import { type FileVersion, isSameVersion, OpenFile } from './open-file.ts';

export type { FileParts, FileRange } from './file-reading.ts';

/** There is no regular file at a path. Its cause is what the file system said, if it was not another kind of file. */
export class AbsentFile extends Error {}

/** A body that can be sent now. */
export interface BodySource {
  readonly pieces: AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>;
  /** Bytes; undefined when unknown. */
  readonly size: number | undefined;
  /** The file is no longer the one that the Response was made of: its validators describe another version. */
  readonly isChanged?: boolean | undefined;
}

/**
 * A file as a body.
 *
 * Without `held` it is opened again when it is sent, so that a Response nobody sends holds no descriptor. With `held` the very file that was examined
 * is sent, once, whatever its path leads to by then; it is closed when it has been sent, or with the Response.
 */
export class FileContent {
  readonly path: string;
  /** Bytes of the whole file, when the Response was made. */
  readonly fileSize: number;
  /** Bytes that will be sent, as far as was known when the Response was made. */
  readonly size: number;
  /** What is sent, in order: ranges of the file, and bytes of our own between them. Undefined: the whole file. */
  readonly parts: FileParts | undefined;
  /** The open file, if this content holds one. */
  readonly held: OpenFile | undefined;
  /** The file as it was examined. */
  readonly version: FileVersion | undefined;

  constructor(path: string, fileSize: number, version?: FileVersion, held?: OpenFile, parts?: FileParts) {
    this.path = path;
    this.fileSize = fileSize;
    this.version = version;
    this.held = held;
    this.parts = parts;
    this.size = parts ? parts.reduce((sum, part) => sum + lengthOf(part), 0) : fileSize;
  }

  /** An open file. It is closed when it has been sent, or with the Response. */
  static holding(file: OpenFile): FileContent {
    return new FileContent(file.path, file.version.size, file.version, file);
  }

  /** The same file in parts. */
  withParts(parts: FileParts): FileContent {
    return new FileContent(this.path, this.fileSize, this.version, this.held, parts);
  }

  /**
   * Opens the file for sending.
   *
   * @throws The file system's error; an error (code `stale-file`) when parts of a file that has changed are wanted: they would not fit those that
   *   the client has.
   */
  async open(): Promise<BodySource> {
    const file = this.held ?? (await OpenFile.open(this.path));
    void file.descriptor; // throws when it has been closed
    const parts = this.#partsOf(file);
    const isChanged = this.version !== undefined && !isSameVersion(this.version, file.version);
    return { pieces: new FileReading(file, parts), size: this.parts ? this.size : file.version.size, isChanged };
  }

  /** Reads all of it at once. @throws AbsentFile when the file is gone; otherwise as `open` does. */
  bytes(): Buffer {
    const file = this.held ?? openExisting(this.path);
    try {
      const pieces = this.#partsOf(file).map((part) => (part instanceof Uint8Array ? part : file.readSync(part.start, part.end)));
      return pieces.length === 1 && Buffer.isBuffer(pieces[0]) ? pieces[0] : Buffer.concat(pieces);
    } finally {
      if (file !== this.held) file.close();
    }
  }

  /** Closes the open file, if this content holds one. */
  drop(): void {
    this.held?.close();
  }

  /** What to read of the file that was opened. */
  #partsOf(file: OpenFile): FileParts {
    if (!this.parts) return [{ start: 0, end: file.version.size }];
    if (!this.version || isSameVersion(this.version, file.version)) return this.parts;
    file.close();
    const why = `Cannot send a part of "${this.path}": the file has changed; make a new Response for each request`;
    throw withCode(new Error(why), 'stale-file');
  }
}

/**
 * Examines a file that is to be sent.
 *
 * @throws AbsentFile when there is no regular file at `path`; any other failure as it comes.
 */
export function lookAtFile(path: string): FileVersion {
  const file = openExisting(path);
  file.close();
  return file.version;
}

function openExisting(path: string): OpenFile {
  let file: OpenFile | undefined;
  try {
    file = OpenFile.openSync(path);
  } catch (error) {
    if (isAbsence(error)) throw new AbsentFile(`Cannot send "${path}": it does not exist`, { cause: error });
    throw error;
  }
  if (!file) throw new AbsentFile(`Cannot send "${path}": it is not a regular file`);
  return file;
}

function isAbsence(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP' || code === 'ENXIO' || code === 'ENAMETOOLONG';
}
