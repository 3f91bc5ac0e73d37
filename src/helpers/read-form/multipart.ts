/**
 * Forms of type multipart/form-data (RFC 7578), parsed by busboy, synchronously.
 *
 * busboy is a stream, but it parses its input within `write`: all events of the parts have fired when that returns, and what has come of a
 * file can be read at once. So the body is written in pieces, and after each piece, and before each new part, the current file is emptied
 * into the store: there is never more than one piece in memory.
 *
 * Its errors come in two ways, as an event, or as `errored` when it has destroyed itself. All of them are the client's fault: 400.
 * Its listeners must not throw, so they keep the first failure, which is thrown when busboy has returned.
 *
 * @module
 */

import type { Readable } from 'node:stream';
import type { Request } from '../../http/request.ts';
import type { HttpError } from '../../http/response.ts';
import { busboyPackage } from '../../process/lazy-packages.ts';
import { FileStore } from './file-store.ts';
import { badField, badForm, shown, tooLarge } from './form-error.ts';
import { type CheckedLimits, checkName, TextBudget } from './limits.ts';
import { StoredFile, type UploadedFile } from './uploaded-file.ts';
import type { TextPart } from './urlencoded.ts';

/** A field with a file. */
export interface FilePart {
  readonly name: string;
  readonly file: UploadedFile;
}

/** Bytes written to busboy at a time. */
const PIECE = 64 * 1024;
/** More than a piece, so that no file stream is ever full and busboy never waits. */
const FILE_BUFFER = 4 * PIECE;

/**
 * Reads the parts in order. An empty file input, which browsers send as a file without name and content, is not a part.
 *
 * @param boundary From Content-Type, as our own parser read it.
 * @throws HttpError 400 for a malformed form, 413 beyond the limits, 507 when the disk is full.
 */
export function readMultipart(request: Request, boundary: string | undefined, limits: CheckedLimits): (TextPart | FilePart)[] {
  // RFC 2046 §5.1.1: 1 to 70 characters, no space at the end. It allows fewer characters, but old clients send others.
  if (boundary === undefined || !/^[ !#-[\]-~]{0,69}[!#-[\]-~]$/.test(boundary)) throw badForm('the boundary is missing or malformed');
  const store = new FileStore(request);
  try {
    return parse(request, boundary, limits, new PartCollector(store, limits));
  } catch (error) {
    store.close();
    throw error;
  }
}

function parse(request: Request, boundary: string, limits: CheckedLimits, collector: PartCollector): (TextPart | FilePart)[] {
  const parser = busboyPackage()({
    headers: { 'content-type': `multipart/form-data; boundary="${boundary}"` },
    defParamCharset: 'utf8',
    fileHwm: FILE_BUFFER,
    // One more, since busboy counts a value exactly as long as the limit as cut.
    limits: { fields: limits.fields, files: limits.files, fieldSize: limits.fieldSize + 1 },
  });
  parser.on('field', (name, value, { valueTruncated }) => collector.addField(name, value, valueTruncated));
  parser.on('file', (name, stream, { filename, mimeType }) => collector.addFile(name, stream, filename, mimeType));
  parser.on('fieldsLimit', () => collector.fail(tooLarge(`it has more than ${limits.fields} fields`)));
  parser.on('filesLimit', () => collector.fail(tooLarge(`it has more than ${limits.files} files`)));
  parser.on('error', (error) => collector.fail(malformed(error)));
  try {
    for (const chunk of request.body.chunks()) {
      for (let at = 0; at < chunk.length; at += PIECE) {
        parser.write(chunk.subarray(at, at + PIECE));
        collector.drain();
        if (parser.errored) throw malformed(parser.errored);
      }
    }
    parser.end();
    if (parser.errored) throw malformed(parser.errored);
    return collector.finish();
  } catch (error) {
    parser.destroy();
    throw error;
  }
}

function malformed(error: unknown): HttpError {
  const why = error instanceof Error && error.message === 'Unexpected end of form' ? 'it is cut short' : 'it is malformed';
  return badForm(why, error);
}

/** Makes parts of busboy's events. */
class PartCollector {
  readonly #parts: (TextPart | FilePart)[] = [];
  readonly #store: FileStore;
  readonly #limits: CheckedLimits;
  readonly #budget: TextBudget;
  #failure: Error | undefined;
  /** The file that is coming. */
  #file: { readonly name: string; readonly stream: Readable; readonly filename: string | undefined; readonly type: string } | undefined;

  constructor(store: FileStore, limits: CheckedLimits) {
    this.#store = store;
    this.#limits = limits;
    this.#budget = new TextBudget(limits);
  }

  /** Keeps the first failure. */
  fail(error: Error): void {
    this.#failure ??= error;
  }

  addField(name: string | undefined, value: string | undefined, isCut: boolean): void {
    this.#attempt(() => {
      this.#endFile();
      const decoded = decodedName(name);
      if (value === undefined) throw badField(decoded, 'is in an unknown charset', 'bad-field-value');
      if (isCut) throw tooLarge(`field ${shown(decoded)} has more than ${this.#limits.fieldSize} bytes`);
      this.#budget.take(decoded, value);
      this.#parts.push({ name: decoded, value });
    });
  }

  addFile(name: string | undefined, stream: Readable, filename: string | undefined, type: string): void {
    stream.on('error', () => {}); // the parser has the same error; without a listener this one would end the process
    this.#attempt(() => {
      this.#endFile();
      this.#file = { name: decodedName(name), stream, filename, type };
    });
  }

  /** Stores what has come of the current file. @throws The first failure so far. */
  drain(): void {
    this.#attempt(() => this.#pump());
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Ends the form. @throws The first failure. */
  finish(): (TextPart | FilePart)[] {
    this.#attempt(() => this.#endFile());
    if (this.#failure !== undefined) throw this.#failure;
    return this.#parts;
  }

  #pump(): void {
    const file = this.#file;
    if (!file) return;
    for (let piece: Buffer | null; (piece = file.stream.read() as Buffer | null) !== null; ) {
      if (this.#store.size + piece.length > this.#limits.fileSize) {
        throw tooLarge(`file ${shown(file.name)} has more than ${this.#limits.fileSize} bytes`);
      }
      this.#store.append(piece);
    }
  }

  #endFile(): void {
    this.#pump();
    const file = this.#file;
    if (!file) return;
    this.#file = undefined;
    const content = this.#store.finish();
    if (content.size === 0 && !file.filename) return; // an empty file input (WHATWG HTML §4.10.22.4)
    this.#parts.push({ name: file.name, file: new StoredFile(checkedFilename(file.name, file.filename), file.type, content) });
  }

  #attempt(step: () => void): void {
    if (this.#failure !== undefined) return;
    try {
      step();
    } catch (error) {
      this.#failure = error as Error; // steps throw nothing else
    }
  }
}

function decodedName(name: string | undefined): string {
  if (name === undefined || name === '') throw badForm('a part has no name');
  checkName(name);
  return unescaped(name);
}

/** Checks a file name. busboy has removed the folders, including those of Windows; what is left must be a name. */
function checkedFilename(field: string, sent: string | undefined): string {
  const filename = unescaped(sent ?? '');
  checkName(filename);
  if (filename === '' || /[\x00-\x1f\x7f/\\]/.test(filename) || filename === '.' || filename === '..') {
    throw badField(field, 'has a file without a usable name');
  }
  return filename;
}

/** Undoes the escapes of browsers for what a quoted name cannot hold (WHATWG HTML §4.10.22.7). No other `%` is an escape. */
function unescaped(name: string): string {
  return name.includes('%') ? name.replaceAll('%22', '"').replaceAll('%0D', '\r').replaceAll('%0A', '\n') : name;
}
