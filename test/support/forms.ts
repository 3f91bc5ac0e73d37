/**
 * Requests with a form, made by hand byte by byte, in memory or on disk as a server leaves a large body.
 *
 * @module
 */
import { closeSync, fstatSync, openSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { RequestBody } from '../../src/http/body/request-body.ts';
import { FieldLines } from '../../src/http/field-lines.ts';
import { HttpError, Request } from '../../src/index.ts';

const NOBODY = { remoteAddress: undefined, remotePort: undefined, secure: false, host: undefined, readAt: Number.NaN };
let count = 0;

/** A multipart body. Of each part: its head, as it follows `Content-Disposition: form-data; `, and its content. */
export function multipart(parts: readonly (readonly [head: string, content: string | Uint8Array])[], boundary = 'b'): Buffer {
  const pieces = parts.flatMap(([head, content]) => [
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; ${head}\r\n\r\n`),
    Buffer.from(content as Uint8Array),
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)]);
}

/** A request with a body in memory. */
export function inMemory(body: string | Uint8Array, type = 'multipart/form-data; boundary=b'): Request {
  return new Request({ method: 'POST', target: '/form', headers: { 'Content-Type': type }, body });
}

/** A request with a body on disk. */
export function onDisk(body: Uint8Array, type = 'multipart/form-data; boundary=b'): Request {
  const descriptor = unnamedFile();
  writeFileSync(descriptor, body);
  return fromDescriptor(descriptor, type);
}

/** A request whose body is what an open file holds. */
export function fromDescriptor(descriptor: number, type = 'multipart/form-data; boundary=b'): Request {
  const lines = FieldLines.of([['Content-Type', type]]);
  const spooled: { descriptor: number | undefined; readonly size: number } = { descriptor, size: fstatSync(descriptor).size };
  const request = new Request(
    { method: 'POST', target: '/form', httpVersion: '1.1', lines },
    { path: '/form', rawQuery: '', authority: undefined },
    NOBODY,
    new RequestBody(spooled),
  );
  request.onEnd(() => void (spooled.descriptor = undefined)); // as the server closes it
  return request;
}

/** An open file without a name; closed when the test ends. */
export function unnamedFile(): number {
  const path = join(tmpdir(), `filrouge-test-${process.pid}-${count++}`);
  const descriptor = openSync(path, 'wx+');
  unlinkSync(path);
  onTestFinished(() => closeSync(descriptor));
  return descriptor;
}

/** The HttpError that `f` throws. */
export function failure(f: () => unknown): HttpError {
  try {
    f();
  } catch (error) {
    if (error instanceof HttpError) return error;
    throw error;
  }
  throw new Error('Nothing was thrown');
}
