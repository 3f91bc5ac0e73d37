import { describe, expect, it } from 'vitest';
import { HttpError, match, Request, readForm, readJson } from '../../src/index.ts';

describe('Request', () => {
  it('is made by hand with what is told, and defaults for the rest', () => {
    const request = new Request();
    expect([request.method, request.target, request.path, request.rawQuery, request.httpVersion]).toEqual(['GET', '/', '/', '', '1.1']);
    expect([request.secure, request.remoteAddress, request.host, request.body.size]).toEqual([false, undefined, undefined, 0]);
    const other = new Request({
      method: 'POST',
      target: '/a?b',
      headers: { Host: 'x' },
      body: 'é',
      remoteAddress: '192.0.2.1',
      secure: true,
    });
    expect([other.method, other.host, other.secure, other.remoteAddress, other.body.text()]).toEqual(['POST', 'x', true, '192.0.2.1', 'é']);
  });

  it.each(['method', 'target', 'httpVersion', 'path', 'rawQuery', 'body', 'query', 'host', 'remoteAddress'])(
    'refuses to have its %s assigned: guards and routes must see the same request',
    (name) => {
      expect(() => Object.assign(new Request(), { [name]: '/other' })).toThrow(TypeError);
    },
  );

  it('brings the Content-Type of URLSearchParams', () => {
    const request = new Request({ method: 'POST', body: new URLSearchParams({ a: '1 2' }) });
    expect(request.header('content-type')).toBe('application/x-www-form-urlencoded;charset=UTF-8');
    expect(request.body.text()).toBe('a=1+2');
  });

  it('brings the Content-Type of FormData, and readForm reads back what was put in', () => {
    const form = new FormData();
    form.append('a "quoted"\nname', 'line 1\nline 2');
    form.append('b', 'é');
    form.append('b', '');
    const request = new Request({ method: 'POST', body: form });
    expect(request.header('content-type')).toMatch(/^multipart\/form-data; boundary=form-/);
    expect(readForm(request, { b: 'string[]', 'a "quoted"\r\nname': 'string' })).toEqual({
      b: ['é', ''],
      'a "quoted"\r\nname': 'line 1\r\nline 2',
    });
  });

  it('says how to encode a form with files, which can be read only asynchronously', async () => {
    const form = new FormData();
    form.append('photo', new File(['bytes'], 'a.png', { type: 'image/png' }));
    expect(() => new Request({ body: form })).toThrow(
      'the file "photo" of a FormData can be read only asynchronously: encode the form first, as in new globalThis.Response(form)',
    );
    const encoded = new globalThis.Response(form);
    const type = encoded.headers.get('content-type') ?? '';
    const request = new Request({ method: 'POST', headers: { 'Content-Type': type }, body: Buffer.from(await encoded.arrayBuffer()) });
    const { photo } = readForm(request, { photo: 'file' });
    expect([photo.filename, photo.contentType, photo.bytes().toString()]).toEqual(['a.png', 'image/png', 'bytes']);
  });

  it('brings the Content-Type of JSON, unless it is told another', () => {
    const request = new Request({ method: 'POST', json: { a: null } });
    expect([request.header('content-type'), request.body.text(), readJson(request)]).toEqual([
      'application/json',
      '{"a":null}',
      { a: null },
    ]);
    const other = new Request({ headers: { 'content-type': 'application/problem+json' }, json: 1 });
    expect(other.headerAll('Content-Type')).toEqual(['application/problem+json']);
    expect(() => new Request({ json: () => 1 })).toThrow(expect.objectContaining({ code: 'not-serializable' }));
    expect(() => new Request({ json: 1, body: '1' })).toThrow('both body and json are given');
  });

  it.each([
    ['a path', '/hello', `"/hello" is given as a URL: write { target: '/path?query' }, and the host as the field Host`],
    ['a URL', new URL('http://a/b'), `"http://a/b" is given as a URL`],
    ['url instead of target', { url: '/hello' }, `"/hello" is given as a URL`],
    ['a web-standard Request', new globalThis.Request('http://a/b'), `"http://a/b" is given as a URL`],
    ['an object as body', { body: {} }, 'body is Object, not text, bytes, URLSearchParams or FormData: for a value as JSON, write json'],
    ['null as body', { body: null }, 'body is null, not text'],
    ['a Blob as body', { body: new Blob(['a']) }, 'body is Blob, not text'],
    ['a stream as body', { body: new ReadableStream() }, 'body is ReadableStream, not text'],
    ['a number as method', { method: 5 }, 'method is number, not a string'],
    ['a URL as target', { target: new URL('http://a/') }, 'target is object, not a string'],
    ['a number as secure', { secure: 1 }, 'secure is number, not a boolean'],
  ])('refuses %s, and says what to write', (_, init, message) => {
    expect(() => new Request(init as never)).toThrow(
      expect.objectContaining({ name: 'TypeError', code: 'bad-option', message: expect.stringContaining(message) as string }),
    );
  });

  it('refuses what the server would refuse', () => {
    expect(() => new Request({ method: 'G T' })).toThrow('not a token');
    expect(() => new Request({ target: '/a%00' })).toThrow('would be refused with 400');
    expect(() => new Request({ headers: { a: 'x\r\ny' } })).toThrow('CR, LF');
  });

  it('finds fields in any case, first and all, in their order', () => {
    const request = new Request({
      headers: [
        ['X-A', '1'],
        ['x-b', '2'],
        ['x-a', '3'],
      ],
    });
    expect(request.header('X-a')).toBe('1');
    expect(request.headerAll('x-A')).toEqual(['1', '3']);
    expect(request.headers).toEqual([
      ['X-A', '1'],
      ['x-b', '2'],
      ['x-a', '3'],
    ]);
    expect(request.header('missing')).toBeUndefined();
  });

  it('gives its fields as web-standard Headers take them, in a copy', () => {
    const request = new Request({ headers: { 'X-A': ['1', '2'], 'X-B': '3' } });
    expect([...new Headers(request.headers)]).toEqual([
      ['x-a', '1, 2'],
      ['x-b', '3'],
    ]);
    request.headers.push(['X-C', '4']);
    expect(request.header('x-c')).toBeUndefined();
  });

  it('is not misled by names of Object.prototype', () => {
    const request = new Request({
      headers: [
        ['__proto__', 'p'],
        ['constructor', 'c'],
      ],
    });
    expect([request.header('__proto__'), request.header('constructor'), request.header('toString')]).toEqual(['p', 'c', undefined]);
  });

  it('decodes the query: `=` in a value, an encoded name, a bare name', () => {
    const { query } = new Request({ target: '/?x=a=b&na%6De=1&flag&x=2&s=a+b%20c' });
    expect([query.get('x'), query.getAll('x'), query.get('name'), query.get('flag'), query.get('s')]).toEqual([
      'a=b',
      ['a=b', '2'],
      '1',
      '',
      'a b c',
    ]);
  });

  it('keeps the query flat: no name of it reaches a prototype or makes an array (qs CVE-2022-24999, CVE-2025-15284, CVE-2026-2391)', () => {
    const { query } = new Request({ target: '/?__proto__=1&a[__proto__][b]=2&constructor=3&c[]=4&c[99999]=5&d=6,7&toString=8' });
    expect([...query.keys()]).toEqual(['__proto__', 'a[__proto__][b]', 'constructor', 'c[]', 'c[99999]', 'd', 'toString']);
    expect([query.get('__proto__'), query.get('d'), query.get('valueOf')]).toEqual(['1', '6,7', null]);
    expect(({} as { b?: unknown }).b).toBeUndefined();
  });

  it('takes the host of an absolute-form target before Host (RFC 9112 §3.2.2)', () => {
    expect(new Request({ target: 'http://real.example/a', headers: { Host: 'other.example' } }).host).toBe('real.example');
  });
});

describe('withoutPrefix', () => {
  it('cuts whole segments only', () => {
    expect(new Request({ target: '/static/a.css?v=1' }).withoutPrefix('/static')?.target).toBe('/a.css?v=1');
    expect(new Request({ target: '/static' }).withoutPrefix('/static')?.path).toBe('/');
    expect(new Request({ target: '/static/' }).withoutPrefix('/static/')?.path).toBe('/');
    expect(new Request({ target: '/staticfoo' }).withoutPrefix('/static')).toBeUndefined();
    expect(new Request({ target: '/other' }).withoutPrefix('/static')).toBeUndefined();
  });

  it('sees through escapes and dots, as routes do', () => {
    expect(new Request({ target: '/%73tatic/x' }).withoutPrefix('/static')?.path).toBe('/x');
    expect(new Request({ target: '/a/../static/x' }).withoutPrefix('/static')?.path).toBe('/x');
  });

  it('keeps body, fields and signal, and spells the rest as a target', () => {
    const request = new Request({ method: 'PUT', target: '/p/a%20b%2Fc?q', headers: { a: '1' }, body: 'text' });
    const cut = request.withoutPrefix('/p');
    expect([cut?.method, cut?.target, cut?.path, cut?.body.text(), cut?.header('a')]).toEqual([
      'PUT',
      '/a%20b%2Fc?q',
      '/a b%2Fc',
      'text',
      '1',
    ]);
    expect(cut?.signal).toBe(request.signal);
  });
});

describe('withHeader', () => {
  it('replaces every line of a field, in any case, or adds one, and leaves the request as it was', () => {
    const request = new Request({
      headers: [
        ['X-User', 'mallory'],
        ['Accept', '*/*'],
        ['x-user', 'eve'],
      ],
    });
    const known = request.withHeader('X-USER', 'ada').withHeader('X-Role', 'admin');
    expect(known.headers).toEqual([
      ['X-USER', 'ada'],
      ['Accept', '*/*'],
      ['X-Role', 'admin'],
    ]);
    expect(known.headerAll('x-user')).toEqual(['ada']);
    expect(request.headerAll('x-user')).toEqual(['mallory', 'eve']);
  });

  it('keeps all else: target, path, query, body, client, signal', () => {
    const init = { method: 'PUT', target: '/p/a%20b?q=1', body: 'text', remoteAddress: '192.0.2.1', secure: true };
    const request = new Request(init);
    const other = request.withHeader('A', '1');
    expect([other.method, other.target, other.path, other.query.get('q'), other.body.text()]).toEqual([
      'PUT',
      '/p/a%20b?q=1',
      '/p/a b',
      '1',
      'text',
    ]);
    expect([other.remoteAddress, other.secure, other.signal === request.signal, other.stopping === request.stopping]).toEqual([
      '192.0.2.1',
      true,
      true,
      true,
    ]);
  });

  it('tells the request that came which route has matched, also through a mount', () => {
    const request = new Request({ target: '/api/users/7' });
    const inner = request.withHeader('A', '1').withoutPrefix('/api')?.withHeader('B', '2');
    expect(inner && match(inner, 'GET /users/{id}')).toEqual({ id: '7' });
    expect(request.route).toBe('/api/users/{id}');
    expect(inner?.headers).toEqual([
      ['A', '1'],
      ['B', '2'],
    ]);
  });

  it('knows that the client has left, however often a request was made from another', () => {
    const request = new Request({ target: '/a/b/c' });
    const inner = request.withoutPrefix('/a')?.withHeader('A', '1').withoutPrefix('/b');
    const reason = new Error('left');
    request.abort(reason);
    expect([inner?.abortReason, inner?.signal.reason]).toEqual([reason, reason]);
  });

  it.each(['Content-Length', 'transfer-encoding', 'Connection', 'Upgrade', 'TE', 'Host'])(
    'leaves %s, which tells how the request came',
    (name) => {
      expect(() => new Request().withHeader(name, '1')).toThrow(expect.objectContaining({ code: 'bad-header' }));
    },
  );

  it('refuses a name or a value that could not be sent', () => {
    expect(() => new Request().withHeader('a b', '1')).toThrow(expect.objectContaining({ code: 'bad-header' }));
    expect(() => new Request().withHeader('a', 'x\r\nb: y')).toThrow(expect.objectContaining({ code: 'bad-header' }));
  });
});

describe('RequestBody', () => {
  const body = (init: string | Uint8Array): Request['body'] => new Request({ method: 'POST', body: init }).body;

  it('is read as often as one likes', async () => {
    const text = body('hello');
    expect([text.text(), text.text(), text.bytes().toString(), Buffer.concat([...text.chunks()]).toString()]).toEqual([
      'hello',
      'hello',
      'hello',
      'hello',
    ]);
    const streamed: Buffer[] = [];
    for await (const chunk of text.stream()) streamed.push(chunk as Buffer);
    expect(Buffer.concat(streamed).toString()).toBe('hello');
  });

  it('refuses text that is not UTF-8 with 400', () => {
    const error = catchError(() => body(Uint8Array.of(0xff, 0xfe)).text());
    expect(error).toMatchObject({ status: 400, code: 'bad-text' });
  });

  it('drops a byte order mark from text', () => {
    expect(body(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)).text()).toBe('a');
  });

  it('refuses more than a limit with 413', () => {
    expect(catchError(() => body('12345').bytes(4))).toMatchObject({ status: 413, code: 'body-too-large' });
    expect(body('1234').bytes(4).toString()).toBe('1234');
  });
});

function catchError(f: () => unknown): unknown {
  try {
    return f();
  } catch (error) {
    expect(error).toBeInstanceOf(HttpError);
    return error;
  }
}

describe('a request whose client leaves', () => {
  it('tells all who have asked to be told, once, also through a request made from it, and those who ask later', () => {
    const request = new Request({ target: '/a/b' });
    const told: string[] = [];
    request.whenAborted(({ message }) => told.push(`one: ${message}`));
    request.withoutPrefix('/a')?.whenAborted(({ message }) => told.push(`two: ${message}`));
    expect(told).toEqual([]);
    request.abort(new Error('gone'));
    request.abort(new Error('again'));
    request.withoutPrefix('/a')?.whenAborted(({ message }) => told.push(`three: ${message}`));
    expect(told).toEqual(['one: gone', 'two: gone', 'three: gone']);
  });
});
