/**
 * Forms of type multipart/form-data (RFC 7578).
 *
 * The body is read in pieces, and there is never more than one in memory, besides the texts. A file is a range of the body, wherever that
 * is: it is copied nowhere.
 *
 * @module
 */
import type { RequestBody } from '../../http/body/request-body.ts';
import type { Request } from '../../http/request.ts';
import { HttpError } from '../../http/response.ts';
import { exactUtf8 } from '../../http/utf8.ts';
import { shown } from '../reading/wrong-value.ts';
import { badField, badForm, tooLarge } from './form-error.ts';
import { type CheckedLimits, checkName, TextBudget } from './limits.ts';
import { MultipartParser, type PartSink } from './multipart-parser.ts';
import { type PartHead, parsePartHead } from './part-head.ts';
import { FileInBody, type UploadedFile } from './uploaded-file.ts';
import type { TextPart } from './urlencoded.ts';

/** A field with a file. */
export interface FilePart {
  readonly name: string;
  readonly file: UploadedFile;
}

/**
 * Reads the parts in order. An empty file input, which browsers send as a file without name and content, is not a part.
 *
 * @param boundary From Content-Type.
 * @param isAsked Whether files of a name are wanted: others are counted, and passed over.
 * @throws HttpError 400 for a malformed form, 413 beyond the limits, 415 for a text that is not in UTF-8.
 */
export function readMultipart(
  request: Request,
  boundary: string | undefined,
  limits: CheckedLimits,
  isAsked: (name: string) => boolean,
): (TextPart | FilePart)[] {
  // RFC 2046 §5.1.1: 1 to 70 characters, no space at the end. It allows fewer characters, but old clients send others.
  if (boundary === undefined || !/^[ !#-[\]-~]{0,69}[!#-[\]-~]$/.test(boundary)) throw badForm('the boundary is missing or malformed');
  const collector = new PartCollector(request.body, limits, isAsked);
  const parser = new MultipartParser(boundary, collector);
  for (const piece of request.body.range(0, request.body.size)) parser.write(piece);
  parser.end();
  return collector.parts;
}

/** Makes parts of the events of the parser. */
class PartCollector implements PartSink {
  readonly parts: (TextPart | FilePart)[] = [];
  readonly #body: RequestBody;
  readonly #limits: CheckedLimits;
  readonly #isAsked: (name: string) => boolean;
  readonly #budget: TextBudget;
  #fields = 0;
  #files = 0;
  /** The part that is coming. */
  #head: PartHead | undefined;
  /** Where its content begins in the body. */
  #start = 0;
  /** Bytes of it so far. */
  #size = 0;
  /** The pieces of a text. */
  #pieces: Buffer[] = [];

  constructor(body: RequestBody, limits: CheckedLimits, isAsked: (name: string) => boolean) {
    this.#body = body;
    this.#limits = limits;
    this.#isAsked = isAsked;
    this.#budget = new TextBudget(limits);
  }

  begin(text: string): void {
    const head = parsePartHead(text);
    const { fields, files } = this.#limits;
    if (head.isFile && ++this.#files > files) throw tooLarge(`it has more than ${files} files`);
    if (!head.isFile && ++this.#fields > fields) throw tooLarge(`it has more than ${fields} fields`);
    this.#head = head;
    this.#size = 0;
  }

  data(bytes: Buffer, place: number): void {
    const { name, isFile } = this.#head as PartHead; // set by begin
    if (this.#size === 0) this.#start = place;
    this.#size += bytes.length;
    if (isFile) {
      if (this.#size > this.#limits.fileSize) throw tooLarge(`file ${shown(name)} has more than ${this.#limits.fileSize} bytes`);
      return;
    }
    this.#budget.take(name, this.#size, bytes.length);
    this.#pieces.push(bytes);
  }

  end(): void {
    const head = this.#head as PartHead; // set by begin
    if (!head.isFile) this.parts.push({ name: head.name, value: this.#text(head.name) });
    else if (this.#isAsked(head.name)) this.#endFile(head);
  }

  #text(name: string): string {
    const [first] = this.#pieces;
    if (!first) return '';
    const value = exactUtf8(this.#pieces.length === 1 ? first : Buffer.concat(this.#pieces));
    if (value === undefined) {
      throw new HttpError(400, `Cannot read form: field ${shown(name)} is not valid UTF-8`, { code: 'bad-text', details: { field: name } });
    }
    this.#pieces = [];
    return value;
  }

  #endFile({ name, filename, type }: PartHead): void {
    if (this.#size === 0 && !filename) return; // an empty file input (WHATWG HTML §4.10.22.4)
    const file = new FileInBody(checkedFilename(name, filename ?? ''), type, this.#body, this.#start, this.#size);
    this.parts.push({ name, file });
  }
}

/** The last part of a path, of Windows too. It must be a name. */
function checkedFilename(field: string, sent: string): string {
  checkName(sent);
  const filename = sent.slice(Math.max(sent.lastIndexOf('/'), sent.lastIndexOf('\\')) + 1);
  if (filename === '' || /[\x00-\x1f\x7f]/.test(filename) || filename === '.' || filename === '..') {
    throw badField(field, 'has a file without a usable name');
  }
  return filename;
}
