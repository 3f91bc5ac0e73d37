/**
 * Writes a request into a file: its head as text, and its body byte by byte.
 *
 * Nothing is copied of a body, in memory or on disk, unless something in it is to be hidden.
 *
 * @module
 */
import type { HeldBody } from '../body/request-body.ts';
import { readRange } from '../file/file-pieces.ts';
import { writeRecord } from '../file/records.ts';
import type { Request } from '../request.ts';
import { maskedBody } from './masking.ts';
import type { Occasion, RecordRules } from './occasion.ts';
import { whyOf } from './why.ts';
import { writtenHead } from './written.ts';

/** What is written behind the head, and how it is told. */
interface Body {
  readonly bytes: HeldBody['bytes'];
  readonly size: number;
  /** For Content-Length; undefined: the request says nothing of a body. */
  readonly length: number | undefined;
  readonly told: string;
}

const NOTHING: Buffer = Buffer.alloc(0);
/** Room for the numbers in a head that are not known when its length is asked for, bytes. */
const SLACK = 100;

/**
 * Writes it.
 *
 * @returns The path.
 * @throws The error of the file system; RangeError when the head alone is larger than a file may be.
 */
export async function writeRecording(request: Request, rules: RecordRules, occasion: Occasion, held: HeldBody): Promise<string> {
  const { kind, at } = occasion;
  const { folder, names, maxFiles, maxFileSize } = rules;
  const id = occasion.id.replace(/[^\w-]/g, '').slice(0, 64) || 'none'; // it names a file
  const why = typeof occasion.why === 'function' ? await (occasion.why as () => Promise<string>)() : whyOf(occasion.why);
  const headOf = ({ told, length }: Pick<Body, 'told' | 'length'>): string =>
    writtenHead(request, names, { at, why, id, body: told, length });
  const room = maxFileSize - headOf({ told: '', length: held.length }).length - SLACK;
  if (room < 0) throw new RangeError(`the head of a request is larger than maxFileSize, which is ${maxFileSize} bytes`);
  const body = bodyOf(request, names, held, room);
  const name = `${at.toISOString().replaceAll(':', '-')}-${kind}-${id}.http`;
  return writeRecord({ folder, name, size: body.size, bytes: body.bytes, maxFiles }, headOf(body));
}

function bodyOf(request: Request, names: ReadonlySet<string>, { bytes, length }: HeldBody, room: number): Body {
  const size = Buffer.isBuffer(bytes) ? bytes.length : bytes.size;
  const says = length > 0 || request.header('content-length') !== undefined || request.header('transfer-encoding') !== undefined;
  if (!says) return { bytes: NOTHING, size: 0, length: undefined, told: 'none' };
  const fields = (name: string): string[] => request.headerAll(name);
  const read = (): Buffer => (Buffer.isBuffer(bytes) ? bytes : readRange(bytes.descriptor, 0, size));
  const isWhole = size === length && size <= room;
  const masked = size > 0 && names.size > 0 ? maskedBody(names, fields, size, read, isWhole) : undefined;
  if (masked === undefined) return upTo(room, bytes, size, Math.max(length, size));
  if (masked) return upTo(room, masked, masked.length, masked.length);
  return { bytes: NOTHING, size: 0, length, told: `left out: it cannot be searched for what is to be masked; it had ${size} bytes` };
}

function upTo(room: number, bytes: HeldBody['bytes'], size: number, length: number): Body {
  const written = Math.min(size, room);
  return { bytes, size: written, length, told: written === length ? `${length} bytes` : `the first ${written} of ${length} bytes` };
}
