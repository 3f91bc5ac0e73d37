import { describe, expect, it } from 'vitest';
import { readForm, readFormParts } from '../../../src/helpers/read-form.ts';
import { cpuTime } from '../../support/cpu-time.ts';
import { failure, inMemory, multipart, onDisk } from '../../support/forms.ts';

/** Parts as plain values. */
function parts(body: string | Uint8Array, type?: string): unknown[] {
  return readFormParts(inMemory(body, type)).map((part) =>
    'file' in part ? [part.name, part.file.filename, part.file.contentType, part.file.text()] : [part.name, part.value],
  );
}

const TYPE = 'multipart/form-data; boundary=b';

describe('readFormParts of a multipart form (RFC 7578)', () => {
  it('gives every part in order, names as they were sent', () => {
    const body = multipart([
      ['name="b[]"', '1'],
      ['name="f"; filename="x.bin"\r\nContent-Type: application/octet-stream', 'x'],
      ['name="__proto__"', '2'],
      ['name="b[]"', ''],
    ]);
    expect(parts(body)).toEqual([
      ['b[]', '1'],
      ['f', 'x.bin', 'application/octet-stream', 'x'],
      ['__proto__', '2'],
      ['b[]', ''],
    ]);
  });

  it('reads a text file as a file, not as a field', () => {
    expect(parts(multipart([['name="f"; filename="a.csv"\r\nContent-Type: text/csv; charset=utf-8', 'a,b']]))).toEqual([
      ['f', 'a.csv', 'text/csv', 'a,b'],
    ]);
  });

  it('reads a quoted boundary with spaces and marks in it (RFC 2046 §5.1.1)', () => {
    const boundary = "a b?c:d=e,f'(g)";
    expect(parts(multipart([['name="a"', '1']], boundary), `multipart/form-data; charset=utf-8; boundary="${boundary}"`)).toEqual([
      ['a', '1'],
    ]);
  });

  it.each(['a=b', 'a b', 'a/b', '(a)'])('says that the boundary %s needs quotes', (boundary) => {
    const body = multipart([['name="a"', '1']], boundary);
    expect(failure(() => parts(body, `multipart/form-data; boundary=${boundary}`))).toMatchObject({
      status: 415,
      message: 'Cannot read form: Content-Type is malformed: a boundary with any of ()<>@,;:/[]?= or a space in it needs quotes',
    });
  });

  it('reads filename before name, semicolons in quotes, and more than four headers', () => {
    const head = 'filename="a;name=evil;.txt"; name="real;name"\r\nContent-Type: text/plain\r\nX-1: 1\r\nX-2: 2\r\nX-3: 3\r\nX-4: 4';
    expect(parts(multipart([[head, 'x']]))).toEqual([['real;name', 'a;name=evil;.txt', 'text/plain', 'x']]);
  });

  it('reads a filename in UTF-8 with quotes, escaped by a backslash or as browsers do (WHATWG HTML §4.10.22.7)', () => {
    expect(parts(multipart([['name="f"; filename="été \\"x\\".txt"', '']]))).toEqual([['f', 'été "x".txt', 'text/plain', '']]);
    expect(parts(multipart([['name="f%22"; filename="été %22x%22 100%.txt"', '']]))).toEqual([
      ['f"', 'été "x" 100%.txt', 'text/plain', ''],
    ]);
  });

  it.each([
    ['../../etc/passwd', 'passwd'],
    ['C:\\\\fakepath\\\\a.txt', 'a.txt'],
    ['/etc/', undefined],
    ['C:\\\\', undefined],
    ['..', undefined],
    ['.', undefined],
    ['a%0D%0Ab', undefined],
    ['a\tb', undefined],
    ['n'.repeat(1025), undefined],
  ])('of the filename %j takes the last part, or refuses it', (sent, filename) => {
    const request = inMemory(multipart([[`name="f"; filename="${sent}"`, 'x']]));
    if (filename === undefined) expect([400, 413]).toContain(failure(() => readFormParts(request)).status);
    else expect(readFormParts(request)).toMatchObject([{ file: { filename } }]);
  });

  it('refuses NUL in a filename, and a file of some content without a name', () => {
    expect(failure(() => parts(multipart([['name="f"; filename="a\0b"', 'x']])))).toMatchObject({ status: 400 });
    const nameless = multipart([['name="f"\r\nContent-Type: application/octet-stream', 'x']]);
    expect(failure(() => parts(nameless)).message).toBe('Cannot read form: field "f" has a file without a usable name');
  });

  it('reads a form without parts, and drops preamble and epilogue (RFC 2046 §5.1.1)', () => {
    expect(parts('--b--\r\n')).toEqual([]);
    expect(
      parts(`before\r\n${multipart([['name="a"', '1']]).toString()}after\r\n--b\r\nContent-Disposition: form-data; name="c"\r\n\r\n3`),
    ).toEqual([['a', '1']]);
  });

  it('refuses text that is not UTF-8, and names its field', () => {
    const body = multipart([['name="a"', Buffer.from([0xe9])]]);
    expect(failure(() => parts(body))).toMatchObject({
      status: 400,
      code: 'bad-text',
      message: 'Cannot read form: field "a" is not valid UTF-8',
    });
  });

  it('keeps a byte order mark in a text, as it does in other forms', () => {
    expect(parts(multipart([['name="a"', '\ufeffx']]))).toEqual([['a', '\ufeffx']]);
  });

  it('does not mind a file without a name in a field that nobody asked for, and counts files of such fields', () => {
    const body = multipart([
      ['name="x"\r\nContent-Type: application/octet-stream', Buffer.from([0xff])],
      ['name="y"; filename=".."', Buffer.alloc(200_000)],
      ['name="a"', '1'],
    ]);
    expect(readForm(onDisk(body), { a: 'string' })).toEqual({ a: '1' });
    expect(failure(() => readForm(inMemory(body), { x: 'file' }))).toMatchObject({ status: 400, code: 'bad-field-value' });
    expect(failure(() => readForm(inMemory(body), { a: 'string' }, { fileSize: 1000 }))).toMatchObject({ status: 413 });
    expect(failure(() => readForm(inMemory(body), { a: 'string' }, { files: 1 }))).toMatchObject({ status: 413 });
  });

  it.each([
    ['nothing at all', ''],
    ['another boundary', '--c\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--c--'],
    ['an end inside a text', '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1'],
    ['an end inside a file', '--b\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n1'],
    ['an end inside a part head', '--b\r\nContent-Disposition: form-da'],
    ['an end before the last hyphen', '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b-'],
    ['a head line without a colon', '--b\r\nbad header\r\n\r\n1\r\n--b--'],
    ['a part without a head', '--b\r\n\r\n1\r\n--b--'],
    ['a NUL in a head', '--b\r\nContent-Disposition: form-data; name="a\0"\r\n\r\n1\r\n--b--'],
    ['a part without a name', '--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n--b--'],
    ['a part with an empty name', '--b\r\nContent-Disposition: form-data; name=""\r\n\r\n1\r\n--b--'],
    ['a part that is not form-data (RFC 7578 §4.2)', '--b\r\nContent-Disposition: attachment; name="a"\r\n\r\n1\r\n--b--'],
    ['a part without a Content-Disposition', '--b\r\nX: y\r\n\r\n2\r\n--b--'],
    ['a folded line that makes a parameter malformed', '--b\r\nContent-Disposition: form-data; name="a"\r\n x: y\r\n\r\n1\r\n--b--'],
    ['a file without a name', '--b\r\nContent-Disposition: form-data; filename="a"\r\n\r\n1\r\n--b--'],
  ])('answers 400 to %s', (_, body) => {
    expect(failure(() => parts(body))).toMatchObject({ status: 400, code: 'bad-form' });
  });

  it.each(['iso-8859-1', 'utf-16le', 'foo-99'])('answers 415 to a text in the charset %s, and names its field', (charset) => {
    const foreign = multipart([[`name="a"\r\nContent-Type: text/plain; charset=${charset}`, 'x']]);
    expect(failure(() => parts(foreign))).toMatchObject({
      status: 415,
      code: 'unsupported-media-type',
      message: 'Cannot read form: the charset of field "a" is not UTF-8',
    });
  });

  it.each([
    'multipart/form-data',
    'multipart/form-data; boundary=""',
    `multipart/form-data; boundary=${'b'.repeat(71)}`,
    'multipart/form-data; boundary="b "',
    'multipart/form-data; boundary="b\xe9"',
  ])('answers 400 to %j, whose boundary is missing or malformed (RFC 2046 §5.1.1)', (type) => {
    expect(failure(() => parts(multipart([['name="a"', '1']]), type))).toMatchObject({ status: 400, code: 'bad-form' });
  });

  it('leaves no error behind that ends the process later', async () => {
    const seen: unknown[] = [];
    const see = (error: unknown): number => seen.push(error);
    process.on('uncaughtExceptionMonitor', see).on('unhandledRejection', see);
    for (const body of ['--b\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n1', '--b\r\nbad\r\n\r\n', '']) {
      failure(() => parts(body));
    }
    failure(() => readFormParts(inMemory(multipart([['name="a"; filename="a"', '12345']])), { fileSize: 1 }));
    await new Promise((resolve) => void setImmediate(resolve));
    process.off('uncaughtExceptionMonitor', see).off('unhandledRejection', see);
    expect(seen).toEqual([]);
  });
});

describe('the limits of a multipart form', () => {
  const text = (count: number): Buffer => multipart(Array.from({ length: count }, () => ['name="a"', '']));
  const files = (count: number): Buffer => multipart(Array.from({ length: count }, (_, i) => [`name="a"; filename="${i}"`, 'x']));

  it('are 1000 fields, 100 files, 1 MiB for a text', () => {
    expect(parts(text(1000))).toHaveLength(1000);
    expect(failure(() => parts(text(1001)))).toMatchObject({ status: 413, code: 'form-too-large' });
    expect(parts(files(100))).toHaveLength(100);
    expect(failure(() => parts(files(101)))).toMatchObject({ status: 413, code: 'form-too-large' });
    const mebibyte = 'x'.repeat(1024 * 1024);
    expect(parts(multipart([['name="a"', mebibyte]]))).toEqual([['a', mebibyte]]);
    expect(failure(() => parts(multipart([['name="a"', `${mebibyte}x`]])))).toMatchObject({ status: 413, code: 'form-too-large' });
  });

  it('can be told: exactly the limit is accepted, one more is 413 and names the field', () => {
    const request = inMemory(
      multipart([
        ['name="t"', '123'],
        ['name="f"; filename="f"', '1234'],
      ]),
    );
    expect(readFormParts(request, { fields: 1, fieldSize: 3, files: 1, fileSize: 4 })).toHaveLength(2);
    expect(failure(() => readFormParts(request, { fieldSize: 2 })).message).toBe('Cannot read form: field "t" has more than 2 bytes');
    expect(failure(() => readFormParts(request, { fileSize: 3 })).message).toBe('Cannot read form: file "f" has more than 3 bytes');
    expect(failure(() => readFormParts(request, { fields: 0 })).status).toBe(413);
    expect(failure(() => readFormParts(request, { files: 0 })).status).toBe(413);
  });

  it('count bytes, not characters: a text that was cut is never taken', () => {
    expect(readFormParts(inMemory(multipart([['name="a"', 'éé']])), { fieldSize: 4 })).toEqual([{ name: 'a', value: 'éé' }]);
    expect(failure(() => readFormParts(inMemory(multipart([['name="a"', 'éé']])), { fieldSize: 3 }))).toMatchObject({ status: 413 });
  });

  it('hold no more than 10 MiB of text together', () => {
    const body = multipart(Array.from({ length: 11 }, () => ['name="a"', 'x'.repeat(1024 * 1024)]));
    expect(failure(() => parts(body))).toMatchObject({ status: 413, code: 'form-too-large' });
  });

  it('answer 10,000 empty parts in less than 100 ms, and read them in less than 250 when told to', () => {
    const body = text(10_000);
    const refusing = cpuTime(() => expect(failure(() => parts(body))).toMatchObject({ status: 413 }));
    const reading = cpuTime(() => expect(readFormParts(inMemory(body), { fields: 10_000 })).toHaveLength(10_000));
    expect(refusing).toBeLessThan(100);
    expect(reading).toBeLessThan(250);
  });
});

describe('a multipart body on disk', () => {
  it('gives the same parts wherever a read of 64 KiB cuts the boundary', () => {
    const boundary = '----WebKitFormBoundary7MA4YWxkTrZu0gW';
    for (let cut = 0; cut < boundary.length + 60; cut++) {
      const content = Buffer.alloc(64 * 1024 - cut, `\r\n--${boundary.slice(0, 20)}`);
      const body = multipart(
        [
          ['name="f"; filename="f"', content],
          ['name="t"', 'text'],
        ],
        boundary,
      );
      const [file, field] = readFormParts(onDisk(body, `multipart/form-data; boundary=${boundary}`));
      if (!file || !('file' in file)) throw new Error('The file is missing');
      expect(file.file.bytes().equals(content)).toBe(true);
      expect(field).toEqual({ name: 't', value: 'text' });
    }
  });

  it('is read once more when asked once more', () => {
    const request = onDisk(multipart([['name="a"', '1']]), TYPE);
    expect(readFormParts(request)).toEqual(readFormParts(request));
  });
});
