import { describe, expect, it } from 'vitest';
import { parsePartHead } from '../../../src/helpers/read-form/part-head.ts';
import { HttpError } from '../../../src/index.ts';

/** Name and filename of a part whose Content-Disposition is `form-data; …`, given as bytes; or status and code of the error. */
function disposition(parameters: string, more = ''): unknown {
  const bytes = Buffer.from(`Content-Disposition: form-data${parameters}\r\n${more}`);
  try {
    const { name, filename } = parsePartHead(bytes.toString('latin1'));
    return [name, filename];
  } catch (error) {
    if (error instanceof HttpError) return `${error.status} ${error.code}`;
    throw error;
  }
}

describe('parsePartHead (RFC 7578 §4.2, RFC 9110 §5.6.6)', () => {
  it.each([
    ['a browser', '; name="a"; filename="été.txt"', ['a', 'été.txt']],
    ['a browser, whose name holds quotes and a line end', '; name="a%22b%0D%0Ac"; filename="x%22y"', ['a"b\r\nc', 'x"y']],
    ['a browser, of a name with a backslash', '; name="a\\b"; filename="C:\\new.txt"', ['a\\b', 'C:\\new.txt']],
    ['curl', '; name="a"; filename="x\\"y\\\\z"', ['a', 'x"y\\z']],
    ['Python requests', '; name="a"; filename*=utf-8\'\'%E6%97%A5%20x.txt', ['a', '日 x.txt']],
    ['older Python requests', "; name*=utf-8''%C3%A9", ['é', undefined]],
    ['.NET', '; name=a; filename="=?utf-8?B?w6k=?="; filename*=utf-8\'\'%C3%A9', ['a', 'é']],
    ['somebody who ends with a semicolon', '; name="a";', ['a', undefined]],
    ['somebody with blanks around semicolons', ' ; name="a"\t;\tfilename=b ; ', ['a', 'b']],
    ['somebody who writes parameters in capitals', '; NAME="a"; FileName="b"', ['a', 'b']],
    ['somebody whose filename* cannot be read, beside a filename', '; name=a; filename="b"; filename*=utf-8\'\'%zz', ['a', 'b']],
    ['somebody whose filename* is in another charset, beside a filename', "; name=a; filename=b; filename*=iso-8859-1''%E9", ['a', 'b']],
    ['somebody who folds lines (RFC 5322 §2.2.3)', ';\r\n name="a";\r\n\tfilename="b"', ['a', 'b']],
    ['somebody who sends other parameters', '; name="a"; size=3; x="y;z"', ['a', undefined]],
  ])('reads what is sent by %s', (_, parameters, expected) => {
    expect(disposition(parameters)).toEqual(expected);
  });

  it('takes a bounded number of lines and parameters', () => {
    expect(disposition('; name="a"', 'A: b\r\n'.repeat(31))).toEqual(['a', undefined]);
    expect(disposition('; name="a"', 'A: b\r\n'.repeat(32))).toBe('413 form-too-large');
    expect(disposition('; name="a"', ' ; x=y\r\n'.repeat(5000))).toBe('413 form-too-large');
    const others = (count: number): string => Array.from({ length: count }, (_, i) => `; x${i}=y`).join('');
    expect(disposition(`; name="a"${others(31)}`)).toEqual(['a', undefined]);
    expect(disposition(`; name="a"${others(32)}`)).toBe('400 bad-form');
  });

  it.each([
    ['a quote inside a name', '; name="a"b"'],
    ['a quote that is not closed', '; name="a'],
    ['a blank in a name without quotes', '; name=a b'],
    ['blanks around the equals sign', '; name = "a"'],
    ['text behind a quoted value', '; name="a" b'],
    ['a value that is missing', '; name='],
    ['brackets without quotes', '; name=a[b]'],
    ['a name that comes twice', '; name="a"; name="b"'],
    ['no name', '; filename="a"'],
    ['an empty name', '; name=""'],
    ['a name* that cannot be read', "; name*=utf-8''%zz"],
    ['a name* that is not UTF-8', "; name*=utf-8''%E9"],
    ['a control character', '; name="a\x01"'],
    ['a line feed alone', '; name="a\nb"'],
  ])('refuses %s', (_, parameters) => {
    expect(disposition(parameters)).toBe('400 bad-form');
  });

  it.each(['a', 'a[b]', 'a b', ' ', 'a.b-c_d', 'x'.repeat(101)])('reads the name %j alike with a further line and without', (name) => {
    const head = `Content-Disposition: form-data; name="${name}"\r\n`;
    expect(parsePartHead(head)).toEqual({ name, isFile: false, filename: undefined, type: 'text/plain' });
    expect(parsePartHead(`${head}X: y\r\n`)).toEqual(parsePartHead(head));
  });

  it('refuses a filename* that cannot be read, when there is nothing else to call the file', () => {
    expect(disposition("; name=a; filename*=utf-8''%zz")).toBe('400 bad-field-value');
  });

  it('refuses names that are not UTF-8', () => {
    for (const head of ['name="\xe9"', 'name="a"; filename="\xe9"']) {
      expect(() => parsePartHead(`Content-Disposition: form-data; ${head}\r\n`)).toThrow(expect.objectContaining({ code: 'bad-text' }));
    }
  });

  it.each(['', 'X: y\r\n', 'Content-Disposition: attachment; name="a"\r\n', 'Content-Disposition: form-datax; name="a"\r\n'])(
    'refuses a part that is not form-data: %j',
    (head) => {
      expect(() => parsePartHead(head)).toThrow(expect.objectContaining({ status: 400, code: 'bad-form' }));
    },
  );

  it.each(['Content-Disposition: form-data; name="b"', 'x', ': y', 'X : y', 'X: \x00', 'X: a\rb'])(
    'refuses the further line %j',
    (line) => {
      expect(disposition('; name="a"', `${line}\r\n`)).toBe('400 bad-form');
    },
  );

  it('takes any number of other lines', () => {
    expect(disposition('; name="a"', 'X: 1\r\nX: 2\r\nContent-Length: 3\r\n')).toEqual(['a', undefined]);
  });

  it.each(['base64', 'quoted-printable'])('refuses content in %s, which is not what it seems (RFC 7578 §4.7)', (encoding) => {
    expect(disposition('; name="a"', `Content-Transfer-Encoding: ${encoding}\r\n`)).toBe('415 unsupported-media-type');
    expect(disposition('; name="a"; filename="b"', `Content-Transfer-Encoding: ${encoding}\r\n`)).toBe('415 unsupported-media-type');
  });

  it.each(['7bit', '8bit', 'Binary'])('takes the encoding %s, which is none', (encoding) => {
    expect(disposition('; name="a"', `Content-Transfer-Encoding: ${encoding}\r\n`)).toEqual(['a', undefined]);
  });

  it('refuses a text in another charset than UTF-8, and does not mind that of a file', () => {
    expect(disposition('; name="a"', 'Content-Type: text/plain; charset=iso-8859-1\r\n')).toBe('415 unsupported-media-type');
    expect(disposition('; name="a"', 'Content-Type: text/plain; charset=UTF8\r\n')).toEqual(['a', undefined]);
    expect(disposition('; name="a"; filename="b"', 'Content-Type: text/csv; charset=iso-8859-1\r\n')).toEqual(['a', 'b']);
  });

  it('takes a file without a type for text, and one with a malformed type for bytes', () => {
    const type = (line: string): string => parsePartHead(`Content-Disposition: form-data; name="a"; filename="b"\r\n${line}`).type;
    expect(type('')).toBe('text/plain');
    expect(type('Content-Type: IMAGE/png; x=y\r\n')).toBe('image/png');
    expect(type('Content-Type: image\r\n')).toBe('application/octet-stream');
  });
});
