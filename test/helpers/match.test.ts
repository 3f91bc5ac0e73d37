import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { match, Request, Response, router } from '../../src/index.ts';

const get = (target: string, method = 'GET'): Request => new Request({ method, target });

describe('match', () => {
  it('compares method and path, and gives no parameters where there are none', () => {
    expect(match(get('/'), 'GET /')).toEqual({});
    expect(match(get('/a'), 'GET /')).toBeUndefined();
    expect(match(get('/', 'POST'), 'GET /')).toBeUndefined();
  });

  it('lets GET take HEAD (RFC 9110 §9.3.2), but not the other way round', () => {
    expect(match(get('/', 'HEAD'), 'GET /')).toEqual({});
    expect(match(get('/'), 'HEAD /')).toBeUndefined();
  });

  it('knows several methods, and ANY', () => {
    expect(match(get('/a', 'POST'), 'GET|POST /a')).toEqual({});
    expect(match(get('/a', 'PUT'), 'GET|POST /a')).toBeUndefined();
    expect(match(get('/a', 'PROPFIND'), 'ANY /a')).toEqual({});
  });

  it('is case-sensitive in methods', () => {
    expect(match(get('/', 'get'), 'GET /')).toBeUndefined();
  });

  it('counts the final slash', () => {
    expect(match(get('/a/'), 'GET /a')).toBeUndefined();
    expect(match(get('/a'), 'GET /a/')).toBeUndefined();
    expect(match(get('/a/'), 'GET /a/')).toEqual({});
  });

  it('takes one segment that is not empty, decoded', () => {
    expect(match(get('/hello/w%C3%B6rld'), 'GET /hello/{name}')).toEqual({ name: 'wörld' });
    expect(match(get('/hello/'), 'GET /hello/{name}')).toBeUndefined();
    expect(match(get('/hello/a/b'), 'GET /hello/{name}')).toBeUndefined();
    expect(match(get('/hello/a%2Fb'), 'GET /hello/{name}')).toEqual({ name: 'a%2Fb' });
  });

  it('compares literals with the decoded path', () => {
    expect(match(get('/h%65llo'), 'GET /hello')).toEqual({});
    expect(match(get('/caf%C3%A9'), 'GET /café')).toEqual({});
  });

  it.each([
    ['int', '-7', -7],
    ['int', '007', 7],
    ['uint', '7', 7],
    ['float', '-1.5', -1.5],
    ['float', '.5', 0.5],
    ['bool', 'true', true],
    ['bool', 'false', false],
    ['uuid', '0191f0C0-1111-7222-8333-444455556666', '0191f0C0-1111-7222-8333-444455556666'],
    ['string', '7', '7'],
  ] as const)('converts {x:%s} of %s', (kind, text, value) => {
    expect(match(get(`/${text}`), `GET /{x:${kind}}` as 'GET /{x:int}')).toEqual({ x: value });
  });

  it.each([
    ['int', '1.5'],
    ['int', '9007199254740993'],
    ['int', '+1'],
    ['int', '0x10'],
    ['int', '1e3'],
    ['uint', '-1'],
    ['float', 'NaN'],
    ['float', '1e400'],
    ['float', '.'],
    ['bool', 'TRUE'],
    ['bool', '1'],
    ['uuid', '0191f0c0'],
  ] as const)('does not take %s for %s: no conversion, no match', (kind, text) => {
    expect(match(get(`/${text}`), `GET /{x:${kind}}` as 'GET /{x:int}')).toBeUndefined();
  });

  it('allows text around a parameter', () => {
    expect(match(get('/v2/report.json'), 'GET /v{n:uint}/{id}.json')).toEqual({ n: 2, id: 'report' });
    expect(match(get('/v2/.json'), 'GET /v{n:uint}/{id}.json')).toBeUndefined();
    expect(match(get('/v/report.json'), 'GET /v{n:uint}/{id}.json')).toBeUndefined();
  });

  it('gives the number that is meant, or none: no rounding to infinity, no negative zero', () => {
    expect(match(get(`/${'9'.repeat(400)}`), 'GET /{x:float}')).toBeUndefined();
    expect(match(get('/-0'), 'GET /{x:int}')).toEqual({ x: 0 });
  });

  it('is never for the server as a whole, `OPTIONS *` (RFC 9112 §3.2.4)', () => {
    expect(match(get('*', 'OPTIONS'), 'OPTIONS /')).toBeUndefined();
    expect(match(get('*', 'OPTIONS'), 'ANY /{...rest}')).toBeUndefined();
  });

  it('takes no path that only begins like the route, or the other way round', () => {
    expect(match(get('/users'), 'GET /users/me')).toBeUndefined();
    expect(match(get('/users/me/x'), 'GET /users/me')).toBeUndefined();
    expect(match(get('/users/me'), 'GET /users')).toBeUndefined();
    expect(match(get('/users'), 'GET /users/{id}')).toBeUndefined();
  });

  it('takes the rest, also nothing, but only behind its slash', () => {
    expect(match(get('/files/a/b.txt'), 'GET /files/{...path}')).toEqual({ path: 'a/b.txt' });
    expect(match(get('/files/'), 'GET /files/{...path}')).toEqual({ path: '' });
    expect(match(get('/files'), 'GET /files/{...path}')).toBeUndefined();
    expect(match(get('/filesystem'), 'GET /files/{...path}')).toBeUndefined();
  });

  it('tells the request which pattern matched, also through withoutPrefix', () => {
    const request = get('/api/users/7');
    const inner = request.withoutPrefix('/api') as Request;
    match(inner, 'GET /users/{id:int}');
    expect([inner.route, request.route]).toEqual(['/users/{id:int}', '/api/users/{id:int}']);
  });

  it('keeps parameters apart from Object.prototype', () => {
    const params = match(get('/x'), 'GET /{constructor}');
    expect(params?.constructor).toBe('x');
    expect(Object.getPrototypeOf(match(get('/x'), 'GET /{a}'))).toBeNull();
    expect(Object.entries(match(get('/x'), 'GET /{__proto__}') ?? {})).toEqual([['__proto__', 'x']]);
  });

  it('lets no caller change what the next one gets', () => {
    const params: object | undefined = match(get('/'), 'GET /');
    expect(() => Object.assign(params ?? {}, { admin: true })).toThrow(TypeError);
    expect(match(get('/'), 'GET /')).toEqual({});
  });

  it('still answers when a program has made up more patterns than are kept', () => {
    const found = Array.from({ length: 10_050 }, (_, n) => match(get(`/made-up/${n}/x`), `GET /made-up/${n}/{a}` as 'GET /{a}'));
    expect(found.every((params) => params?.a === 'x')).toBe(true);
    expect(match(get('/made-up/0/x'), 'GET /made-up/0/{a}')).toEqual({ a: 'x' });
  });

  it.each([
    '',
    'GET',
    'GET a',
    '/a',
    'get /',
    'FETCH /',
    'GET /{',
    'GET /{a}{b}',
    'GET /{a:foo}',
    'GET /{a}/{a}',
    'GET /{...r}/x',
    'GET //a',
    'GET /../a',
    'GET /{1a}',
  ])('refuses the route %j', (route) => {
    expect(() => match(get('/'), route as 'GET /')).toThrow(expect.objectContaining({ code: 'bad-route' }));
  });

  it.each([
    ['GET /users/:id', 'write "{id}"'],
    ['GET /users/:id?', 'write "{id}"'],
    ['GET /:', 'write "{name}"'],
    ['GET /*', 'write "{...rest}" for the rest of the path, or "{name}" for one segment'],
    ['GET /a/*/b', 'write "{...rest}"'],
    ['GET /*splat', 'write "{...splat}" for the rest of the path, or "{splat}" for one segment'],
    ['*', 'for every path write "ANY /{...rest}"'],
    ['GET *', 'for every path write "ANY /{...rest}"'],
    ['GET /files/{*path}', 'write "{...path}" for the rest of the path, or "{path}" for one segment'],
    ['GET /users/{id?}', 'a parameter is never left out: write a route for each'],
    ['GET /search?q={q}', 'a route has no query: readQuery reads it'],
    ['GET /search?page=1', 'a route has no query: readQuery reads it'],
  ])('says of %j, as other routers write it, how it is written here', (route, hint) => {
    for (const use of [() => match(get('/'), route as 'GET /'), () => router({ [route as 'GET /']: () => Response.empty() })]) {
      expect(use).toThrow(expect.objectContaining({ code: 'bad-route', message: expect.stringContaining(hint) as string }));
    }
  });

  it('answers a type that does not exist with those that do', () => {
    const use = () => match(get('/1'), 'GET /{id:integer}' as string as 'GET /');
    expect(use).toThrow('unknown parameter type "integer", not one of string, int, uint, float, bool, uuid');
  });

  it('takes a colon or an asterisk inside a segment as it is', () => {
    expect(match(get('/v1/notes:publish', 'POST'), 'POST /v1/notes:publish')).toEqual({});
    expect(match(get('/v1/7:publish', 'POST'), 'POST /v1/{id:uint}:publish')).toEqual({ id: 7 });
    expect(match(get('/a*'), 'GET /a*')).toEqual({});
    expect(match(get('/:7'), 'GET /:{id}')).toEqual({ id: '7' });
  });

  it('is linear in the path, whatever the path', () => {
    const path = `/${'a-'.repeat(8000)}`;
    const began = process.hrtime.bigint();
    for (let i = 0; i < 100; i++) match(get(path), 'GET /{a}-x/{b}-y');
    expect(Number(process.hrtime.bigint() - began)).toBeLessThan(5e9); // an exponential search would never end
  });

  it('finds what was put in', () => {
    const word = fc.stringMatching(/^[a-z0-9é_-]{1,12}$/);
    fc.assert(
      fc.property(word, fc.nat(), word, (a, n, b) => {
        const target = `/${encodeURIComponent(a)}/${n}/x-${encodeURIComponent(b)}`;
        expect(match(get(target), 'GET /{a}/{n:uint}/x-{b}')).toEqual({ a, n, b });
      }),
    );
  });
});
