import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readForm, type UploadedFile } from '../../../src/helpers/read-form.ts';
import type { Request } from '../../../src/index.ts';
import { failure, fromDescriptor, inMemory, multipart, onDisk, unnamedFile } from '../../support/forms.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'filrouge-form-'));
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

const LARGE = Buffer.alloc(300_000, 'abcdefg');

function descriptors(): number {
  return readdirSync('/dev/fd').length;
}

function fileOf(request: Request): UploadedFile {
  return readForm(request, { f: 'file' }).f;
}

const withFile = (content: Uint8Array | string): Buffer => multipart([['name="f"; filename="f.bin"', content]]);

describe('an uploaded file', () => {
  it('is read as bytes and as text, without a byte order mark', () => {
    const file = fileOf(inMemory(withFile('\ufeffété')));
    expect(file.size).toBe(8);
    expect(file.text()).toBe('été');
    expect(file.bytes()).toEqual(Buffer.from('\ufeffété'));
  });

  it('is refused as text when it is no UTF-8', () => {
    const file = fileOf(inMemory(withFile(Buffer.from([0xff, 0xfe]))));
    expect(failure(() => file.text())).toMatchObject({ status: 400, code: 'bad-text' });
  });

  it('is saved, in place of what is there, with nothing left beside it', () => {
    const path = join(FOLDER, 'saved.bin');
    writeFileSync(path, 'old');
    fileOf(onDisk(withFile(LARGE))).saveTo(path);
    expect(readFileSync(path).equals(LARGE)).toBe(true);
    fileOf(inMemory(withFile('small'))).saveTo(path);
    expect(readFileSync(path, 'utf8')).toBe('small');
    expect(readdirSync(FOLDER)).toEqual(['saved.bin']);
    rmSync(path);
  });

  it('leaves what is there untouched when it cannot be saved', () => {
    const path = join(FOLDER, 'kept.bin');
    writeFileSync(path, 'old');
    const request = onDisk(withFile(LARGE));
    const file = fileOf(request);
    request.release();
    expect(() => file.saveTo(path)).toThrow('its response has been sent');
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(FOLDER)).toEqual(['kept.bin']);
    rmSync(path);
    expect(() => file.saveTo(join(FOLDER, 'missing', 'x'))).toThrow('ENOENT');
  });
});

describe('where uploaded files rest', () => {
  it('is the body: no descriptor is opened for them, nothing is copied, whatever their number and size', () => {
    const body = multipart(Array.from({ length: 40 }, (_, i) => [`name="f"; filename="${i}"`, LARGE.subarray(i, 60_000 + 1000 * i)]));
    for (const request of [inMemory(body), onDisk(body)]) {
      const before = descriptors();
      const { f } = readForm(request, { f: 'file[]' });
      expect(descriptors()).toBe(before);
      expect(f.map(({ size }) => size)).toEqual(Array.from({ length: 40 }, (_, i) => 60_000 + 999 * i));
      expect(f.every((file, i) => file.bytes().equals(LARGE.subarray(i, 60_000 + 1000 * i)))).toBe(true);
      request.release();
    }
  });

  it('is gone when the response has been sent', () => {
    const request = onDisk(withFile(LARGE));
    const file = fileOf(request);
    request.release();
    expect(() => file.bytes()).toThrow(expect.objectContaining({ code: 'body-is-gone' }));
    expect(() => fileOf(request)).toThrow(expect.objectContaining({ code: 'body-is-gone' }));
  });

  it('is not what bytes() gives: it may be kept and changed', () => {
    for (const request of [inMemory(withFile('abc')), onDisk(withFile('abc'))]) {
      const file = fileOf(request);
      const bytes = file.bytes();
      bytes.fill(0);
      expect(file.text()).toBe('abc');
      expect(request.body.bytes().includes('abc')).toBe(true);
    }
  });

  it('is the same when the form is read through a cut of the request', () => {
    const request = onDisk(withFile(LARGE));
    expect(
      fileOf(request.withoutPrefix('/form') as Request)
        .bytes()
        .equals(LARGE),
    ).toBe(true);
    request.release();
  });

  it('takes a file of 200 MB with a few pieces of memory', () => {
    const size = 200_000_000;
    const head = Buffer.from('--b\r\nContent-Disposition: form-data; name="f"; filename="big"\r\n\r\n');
    const tail = Buffer.from('\r\n--b--\r\n');
    const descriptor = unnamedFile();
    writeSync(descriptor, head, 0, head.length, 0);
    writeSync(descriptor, tail, 0, tail.length, head.length + size); // a hole: reads as zeros
    const request = fromDescriptor(descriptor);
    const before = process.memoryUsage().rss;
    const file = fileOf(request);
    const path = join(FOLDER, 'big');
    file.saveTo(path);
    const grown = process.memoryUsage().rss - before;
    expect(file.size).toBe(size);
    expect(existsSync(path)).toBe(true);
    rmSync(path);
    request.release();
    expect(grown).toBeLessThan(size / 3); // the garbage of a few collections, not the file
  });
});
