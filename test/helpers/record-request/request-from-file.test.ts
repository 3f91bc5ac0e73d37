import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Request, Response } from '../../../src/index.ts';
import { requestFromFile } from '../../../src/testing.ts';
import { newFolder } from '../../support/records.ts';

function fileWith(text: string): string {
  const path = join(newFolder(), 'request.http');
  writeFileSync(path, text, 'latin1');
  return path;
}

function read(text: string): Request {
  return requestFromFile(fileWith(text));
}

describe('requestFromFile', () => {
  it('makes the request that a handler is called with', () => {
    const answer = ({ method, path, query, body, host }: Request): Response =>
      Response.text(`${method} ${path} ${query.get('page')} ${host} ${body.text()}`);
    const request = read('POST http://localhost:8000/notes?page=2 HTTP/1.1\nHost: notes.example\nContent-Length: 4\n\nmilk');
    expect(answer(request).text()).toBe('POST /notes 2 notes.example milk');
  });

  it('reads what people write in editors: comments of both kinds, LF, no version, a path, commented fields, a line end at the end', () => {
    const request = read('### A note\n// of mine\n\nPUT /notes/1\n# Accept: text/plain\nAccept:   text/html  \nX-Empty:\n\n{"a":1}\n');
    expect([request.method, request.target, request.headers, request.body.text()]).toEqual([
      'PUT',
      '/notes/1',
      [
        ['Accept', 'text/html'],
        ['X-Empty', ''],
      ],
      '{"a":1}',
    ]);
  });

  it('takes the host and the scheme of a URL where there is no other', () => {
    const request = read('GET https://notes.example:8443?x=1\n');
    expect([request.host, request.secure, request.target, request.body.size]).toEqual(['notes.example:8443', true, '/?x=1', 0]);
  });

  it('reads a body with a length byte by byte, also when an editor has put a line end behind it', () => {
    const bytes = '\x00\xff\r\n### x\n# y';
    expect(read(`POST / HTTP/1.1\r\nContent-Length: 13\r\n\r\n${bytes}`).body.bytes().toString('latin1')).toBe(bytes);
    expect(read(`POST / HTTP/1.1\r\nContent-Length: 13\r\n\r\n${bytes}\n`).body.bytes().toString('latin1')).toBe(bytes);
  });

  it('names the line that is wrong', () => {
    const wrong: readonly [text: string, message: string][] = [
      ['', 'line 1: the file ends before a request line such as "GET http://localhost:8000/ HTTP/1.1"'],
      ['# a\n\n', 'line 2: the file ends before a request line such as "GET http://localhost:8000/ HTTP/1.1"'],
      ['# a\n@host = x\n', 'line 2: "@host = x" is not a request line such as "GET http://localhost:8000/ HTTP/1.1"'],
      ['GET {{host}}/\n', 'line 1: "{{host}}/" is neither a URL nor a path that a server would take'],
      ['GET /%zz HTTP/1.1\n', 'line 1: "/%zz" is neither a URL nor a path that a server would take'],
      [
        'GET / HTTP/1.1\nHost: a\n?page=2\n',
        'line 3: "?page=2" is neither a field such as "Accept: text/html" nor the empty line in front of the body',
      ],
      ['GET / HTTP/1.1\nA: \x01\n', 'line 2: the value of "A" holds a character that no field can have'],
      ['POST / HTTP/1.1\nContent-Length: two\n\nab', 'line 2: Content-Length is "two", not a number of bytes'],
      [
        'POST / HTTP/1.1\nContent-Length: 1\n\nab',
        'line 2: Content-Length is 1, but the body has 2 bytes: leave the line out of a file that you have changed',
      ],
      [
        'POST / HTTP/1.1\nHost: a\n\nab\n\n###\nGET / HTTP/1.1\n',
        'line 6: "###" begins another request, and only one can be read: put each into a file of its own',
      ],
    ];
    for (const [text, message] of wrong) {
      const path = fileWith(text);
      expect(() => requestFromFile(path)).toThrow(
        expect.objectContaining({ message: `Cannot read request file ${JSON.stringify(path)}: ${message}`, code: 'bad-request-file' }),
      );
    }
  });

  it('gives what there is of a body that was not recorded whole, when that will do', () => {
    const path = fileWith('POST / HTTP/1.1\nContent-Length: 100\n\nab');
    expect(() => requestFromFile(path)).toThrow(
      'line 2: Content-Length is 100, but the body has 2 bytes: not all of it was recorded; { partial: true } takes what is there',
    );
    const request = requestFromFile(path, { partial: true });
    expect([request.header('content-length'), request.body.text()]).toEqual(['100', 'ab']);
  });

  it('refuses wrong options, and says what the system says of the file', () => {
    expect(() => requestFromFile('x', { partially: true } as object)).toThrow(expect.objectContaining({ code: 'bad-option' }));
    expect(() => requestFromFile(1 as unknown as string)).toThrow(expect.objectContaining({ code: 'bad-option' }));
    expect(() => requestFromFile('/nowhere/x.http')).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });
});
