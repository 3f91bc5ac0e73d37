import { describe, expect, expectTypeOf, it, vi } from 'vitest';
import { readForm, readFormParts, type UploadedFile } from '../../../src/helpers/read-form.ts';
import { Request } from '../../../src/index.ts';
import { cpuTime } from '../../support/cpu-time.ts';
import { failure, inMemory, multipart } from '../../support/forms.ts';

const URLENCODED = 'application/x-www-form-urlencoded';
const urlencoded = (body: string): Request => inMemory(body, URLENCODED);

describe('readForm', () => {
  it('reads urlencoded fields by kind, and types them', () => {
    const form = readForm(urlencoded('text=a+b%26c&age=42&ratio=-1.5e3&offset=-7&tag=x&tag=y&extra=1'), {
      text: 'string',
      age: 'uint?',
      ratio: 'float',
      offset: 'int',
      tag: 'string[]',
      none: 'string?',
    });
    expect(form).toEqual({ text: 'a b&c', age: 42, ratio: -1500, offset: -7, tag: ['x', 'y'], none: undefined });
    expectTypeOf(form).toEqualTypeOf<{
      text: string;
      age: number | undefined;
      ratio: number;
      offset: number;
      tag: string[];
      none: string | undefined;
    }>();
  });

  it('reads a multipart form with text and files, and types them', () => {
    const body = multipart([
      ['name="text"', 'été'],
      ['name="files"; filename="a.txt"', 'one'],
      ['name="files"; filename="b.txt"', 'two'],
      ['name="one"; filename="c.txt"', 'three'],
    ]);
    const form = readForm(inMemory(body), { text: 'string', files: 'file[]', one: 'file?', two: 'file?' });
    expectTypeOf(form).toEqualTypeOf<{
      text: string;
      files: UploadedFile[];
      one: UploadedFile | undefined;
      two: UploadedFile | undefined;
    }>();
    expect(form.text).toBe('été');
    expect(form.files.map((file) => [file.filename, file.text()])).toEqual([
      ['a.txt', 'one'],
      ['b.txt', 'two'],
    ]);
    expect(form.one?.text()).toBe('three');
    expect(form.two).toBeUndefined();
  });

  it('refuses a spec that is none, at compile time and at run time', () => {
    // @ts-expect-error text is no kind
    expect(() => readForm(urlencoded('a=1'), { a: 'text' })).toThrow('field "a" is asked for as "text"');
  });

  it('refuses two Content-Type lines, of which a guard may have looked at the other (RFC 9110 §5.3)', () => {
    const headers = { 'Content-Type': [URLENCODED, 'multipart/form-data; boundary=b'] };
    const request = new Request({ method: 'POST', headers, body: 'a=1' });
    expect(failure(() => readForm(request, { a: 'string' }))).toMatchObject({ status: 415, code: 'unsupported-media-type' });
  });

  it('gives an object without a prototype, so that a field may be called anything', () => {
    const form = readForm(urlencoded('__proto__=a&constructor=b'), { ['__proto__']: 'string', constructor: 'string' });
    expect(Object.getPrototypeOf(form)).toBeNull();
    expect(Object.entries(form)).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ]);
    expect(({} as Record<string, unknown>)['a']).toBeUndefined();
  });

  it('names the field that is missing, in the message and in the JSON form', () => {
    const error = failure(() => readForm(urlencoded('a=1'), { text: 'string' }));
    expect(error).toMatchObject({ status: 400, code: 'missing-field', message: 'Cannot read form: field "text" is missing' });
    expect(JSON.parse(error.toResponse('json').text() ?? '')).toMatchObject({ field: 'text', code: 'missing-field' });
  });

  it.each([
    ['int', '1.5', 'is not a whole number'],
    ['int', '0x10', 'is not a whole number'],
    ['int', '9007199254740993', 'is not a whole number'],
    ['uint', '-1', 'is not a whole number from 0 on'],
    ['uint', ' 1', 'is not a whole number from 0 on'],
    ['float', 'NaN', 'is not a number'],
    ['float', '1e999', 'is not a number'],
    ['bool', 'maybe', 'is not one of on, off, true, false, 1, 0'],
    ['file', 'a.txt', 'is text, a file is expected'],
  ] as const)('refuses as %s the value %j without repeating it', (kind, value, why) => {
    const error = failure(() => readForm(urlencoded(new URLSearchParams({ it: value }).toString()), { it: kind }));
    expect(error).toMatchObject({ status: 400, code: 'bad-field-value', message: `Cannot read form: field "it" ${why}` });
  });

  it('refuses a value that is there twice where one is asked for', () => {
    expect(failure(() => readForm(urlencoded('a=1&a=2'), { a: 'string' })).message).toBe('Cannot read form: field "a" appears 2 times');
    expect(failure(() => readForm(urlencoded('a=1&a=2'), { a: 'int?' })).message).toBe('Cannot read form: field "a" appears 2 times');
  });

  it('refuses a file where text is asked for', () => {
    const request = inMemory(multipart([['name="a"; filename="a.txt"', 'x']]));
    expect(failure(() => readForm(request, { a: 'string' }))).toMatchObject({ status: 400, code: 'bad-field-value' });
  });

  it('takes number inputs that were left empty for not sent, and an empty text for a text', () => {
    expect(readForm(urlencoded('a=&b=&c='), { a: 'uint?', b: 'float[]', c: 'string' })).toEqual({ a: undefined, b: [], c: '' });
    expect(failure(() => readForm(urlencoded('a='), { a: 'int' }))).toMatchObject({ code: 'missing-field' });
  });

  it('reads checkboxes: on is true, not sent is false, and "false" is false', () => {
    const kinds = { a: 'bool', b: 'bool', c: 'bool', d: 'bool?', e: 'bool[]' } as const;
    expect(readForm(urlencoded('a=on&c=false&e=1&e=0&e=true&e=off'), kinds)).toEqual({
      a: true,
      b: false,
      c: false,
      d: undefined,
      e: [true, false, true, false],
    });
  });

  it('takes an empty file input, a file without name and content, for not sent (WHATWG HTML §4.10.22.4)', () => {
    const body = multipart([['name="f"; filename=""\r\nContent-Type: application/octet-stream', '']]);
    expect(readForm(inMemory(body), { f: 'file?' })).toEqual({ f: undefined });
    expect(readForm(inMemory(body), { f: 'file[]' })).toEqual({ f: [] });
    expect(readFormParts(inMemory(body))).toEqual([]);
    expect(failure(() => readForm(inMemory(body), { f: 'file' }))).toMatchObject({ code: 'missing-field' });
  });

  it('reads a file with a name and no content as a file', () => {
    const { f } = readForm(inMemory(multipart([['name="f"; filename="empty.txt"', '']])), { f: 'file' });
    expect([f.filename, f.size, f.text(), f.bytes().length]).toEqual(['empty.txt', 0, '', 0]);
  });

  it.each([
    undefined,
    'text/plain',
    'application/json',
    'multipart/mixed; boundary=b',
    'multipart/form-data x',
    'application/x-www-form-urlencodedx',
  ])('answers 415 to Content-Type %j', (type) => {
    const request = new Request({ method: 'POST', headers: type === undefined ? {} : { 'Content-Type': type }, body: 'a=1' });
    const error = failure(() => readForm(request, { a: 'string?' }));
    expect(error).toMatchObject({ status: 415, code: 'unsupported-media-type' });
    expect(error.response.header('accept')).toBe('application/x-www-form-urlencoded, multipart/form-data');
  });

  it.each([
    ['an urlencoded', URLENCODED, 'a=1'],
    ['a multipart', 'multipart/form-data; boundary=b', multipart([['name="a"', '1']])],
  ])('answers 415 to %s form in another charset than UTF-8', (_, type, body) => {
    expect(failure(() => readForm(inMemory(body, `${type}; charset=iso-8859-1`), { a: 'string' }))).toMatchObject({
      status: 415,
      code: 'unsupported-media-type',
      message: 'Cannot read form: its charset is not UTF-8',
    });
    expect(readForm(inMemory(body, `${type}; charset=UTF-8`), { a: 'string' })).toEqual({ a: '1' });
  });

  it('refuses limits that are none', () => {
    expect(() => readForm(urlencoded('a=1'), {}, { fields: -1 })).toThrow(RangeError);
    expect(() => readForm(urlencoded('a=1'), {}, { fieldSize: Number.NaN })).toThrow(RangeError);
  });
});

describe('readFormParts of an urlencoded form (WHATWG URL §5)', () => {
  it('gives every field in order, names as they were sent, what is broken as it stands', () => {
    expect(readFormParts(urlencoded('b[]=1&a=%zz&b[]=2&=x&flag&&c=a=b&na%6De=%C3%A9'))).toEqual([
      { name: 'b[]', value: '1' },
      { name: 'a', value: '%zz' },
      { name: 'b[]', value: '2' },
      { name: '', value: 'x' },
      { name: 'flag', value: '' },
      { name: 'c', value: 'a=b' },
      { name: 'name', value: 'é' },
    ]);
    expect(readFormParts(urlencoded(''))).toEqual([]);
  });

  it('answers 413 beyond its limits, and takes what is just within', () => {
    const fields = (count: number): Request => urlencoded(Array.from({ length: count }, (_, i) => `f${i}=`).join('&'));
    expect(readFormParts(fields(1000))).toHaveLength(1000);
    expect(failure(() => readFormParts(fields(1001)))).toMatchObject({ status: 413, code: 'form-too-large' });
    expect(failure(() => readFormParts(fields(3), { fields: 2 })).message).toBe('Cannot read form: it has more than 2 fields');
    expect(readFormParts(urlencoded('a=123'), { fieldSize: 3 })).toHaveLength(1);
    expect(failure(() => readFormParts(urlencoded('a=1234'), { fieldSize: 3 })).message).toBe(
      'Cannot read form: field "a" has more than 3 bytes',
    );
    expect(failure(() => readFormParts(urlencoded('a=%C3%A9%C3%A9'), { fieldSize: 3 }))).toMatchObject({ status: 413 });
    expect(failure(() => readFormParts(urlencoded(`${'n'.repeat(1025)}=`)))).toMatchObject({ status: 413 });
  });

  it('makes no five million fields of 10 MiB before it counts them', () => {
    const request = urlencoded('&a'.repeat(5 * 1024 * 1024));
    expect(cpuTime(() => expect(failure(() => readFormParts(request))).toMatchObject({ status: 413 }))).toBeLessThan(500);
  });

  it('starts no search for an ampersand between ampersands', () => {
    const search = vi.spyOn(String.prototype, 'indexOf');
    const parts = readFormParts(urlencoded(`a=1${'&'.repeat(100_000)}b=2`));
    const count = search.mock.calls.length;
    search.mockRestore();
    expect(parts).toEqual([
      { name: 'a', value: '1' },
      { name: 'b', value: '2' },
    ]);
    expect(count).toBeLessThan(100);
  });

  it('holds no more than 10 MiB of text, whatever maxBodySize let in', () => {
    expect(failure(() => readFormParts(urlencoded(`a=${'x'.repeat(10 * 1024 * 1024)}`)))).toMatchObject({
      status: 413,
      code: 'body-too-large',
    });
  });

  it.each(['t=%E9', 't=é%ff', '%C3=%A9', 'a=%C3&b=%A9', 'a=%C3%C3%A9'])('refuses escapes that are not UTF-8: %s', (text) => {
    expect(failure(() => readFormParts(urlencoded(text)))).toMatchObject({ status: 400, code: 'bad-text' });
  });

  it('keeps broken escapes, and a replacement character that was sent as one', () => {
    expect(readFormParts(urlencoded('a=%C3%A9%&b=%zz%EF%BF%BD%c'))).toEqual([
      { name: 'a', value: 'é%' },
      { name: 'b', value: '%zz\ufffd%c' },
    ]);
  });

  it('refuses bytes that are no UTF-8', () => {
    expect(failure(() => readFormParts(inMemory(Buffer.from([0x61, 0x3d, 0xff]), URLENCODED)))).toMatchObject({
      status: 400,
      code: 'bad-text',
    });
  });
});
