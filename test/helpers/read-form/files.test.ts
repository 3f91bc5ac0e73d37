import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readForm, readFormParts, type UploadedFile } from '../../../src/helpers/read-form.ts';
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
    expect(() => file.saveTo(path)).toThrow('the response has been sent');
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(FOLDER)).toEqual(['kept.bin']);
    rmSync(path);
    expect(() => file.saveTo(join(FOLDER, 'missing', 'x'))).toThrow('ENOENT');
  });
});

describe('where uploaded files rest', () => {
  it('costs no descriptor while the body is in memory, or the files are small', () => {
    const before = descriptors();
    const inRam = fileOf(inMemory(withFile(LARGE)));
    expect(inRam.bytes().equals(LARGE)).toBe(true);
    const request = onDisk(withFile(LARGE.subarray(0, 64 * 1024)));
    expect(fileOf(request).size).toBe(64 * 1024);
    expect(descriptors() - before).toBe(1); // the body of the test
  });

  it('costs one descriptor for all large files of a form, freed when the response has been sent', () => {
    const body = multipart(Array.from({ length: 5 }, (_, i) => [`name="f"; filename="${i}"`, LARGE.subarray(0, 65_537 + i)]));
    const request = onDisk(body);
    const before = descriptors();
    const { f } = readForm(request, { f: 'file[]' });
    expect(descriptors() - before).toBe(1);
    expect(f.map((file) => file.bytes().equals(LARGE.subarray(0, file.size)))).toEqual([true, true, true, true, true]);
    expect(f.map((file) => file.size)).toEqual([65_537, 65_538, 65_539, 65_540, 65_541]);
    request.release();
    expect(descriptors()).toBe(before);
    expect(() => f[0]?.bytes()).toThrow(expect.objectContaining({ code: 'body-is-gone' }));
  });

  it('is on disk as well for small files, once they are 1 MiB together', () => {
    const body = multipart(Array.from({ length: 40 }, (_, i) => [`name="f"; filename="${i}"`, LARGE.subarray(i, 60_000)]));
    const request = onDisk(body);
    const before = descriptors();
    const { f } = readForm(request, { f: 'file[]' });
    expect(descriptors() - before).toBe(1);
    expect(f.every((file, i) => file.bytes().equals(LARGE.subarray(i, 60_000)))).toBe(true);
    request.release();
  });

  it('is freed at once when the form turns out malformed, or comes after the end', () => {
    const cut = onDisk(withFile(LARGE).subarray(0, 200_000));
    const late = onDisk(withFile(LARGE));
    late.release();
    const before = descriptors();
    expect(failure(() => fileOf(cut))).toMatchObject({ status: 400, code: 'bad-form' });
    expect(failure(() => readFormParts(onDisk(withFile(LARGE)), { fileSize: 100_000 }))).toMatchObject({ status: 413 });
    expect(() => fileOf(late)).toThrow(expect.objectContaining({ code: 'body-is-gone' }));
    expect(descriptors() - before).toBe(1); // one more body of the test
  });

  it('belongs to the request itself when the form is read through a cut of it', () => {
    const request = onDisk(withFile(LARGE));
    const before = descriptors();
    fileOf(request.withoutPrefix('/form') as Request);
    expect(descriptors() - before).toBe(1);
    request.release();
    expect(descriptors()).toBe(before);
  });

  it('has no name: nothing is left after a crash', () => {
    const mine = (): string[] => readdirSync(tmpdir()).filter((name) => /^filrouge-[0-9a-f]{24}$/.test(name));
    const before = mine();
    const request = onDisk(withFile(LARGE));
    fileOf(request);
    expect(mine().filter((name) => !before.includes(name))).toEqual([]);
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
