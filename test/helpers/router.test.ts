import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { match, Request, Response, router } from '../../src/index.ts';

const ask = (routes: (request: Request) => unknown, target: string, method = 'GET'): string | undefined => {
  const response = routes(new Request({ method, target }));
  return (response as Response | undefined)?.text();
};

describe('router', () => {
  const named = (name: string) => (params: object) => Response.text(`${name} ${JSON.stringify(params)}`);

  it('prefers the more specific route, whatever the order', () => {
    const routes = router({
      'GET /{...rest}': named('rest'),
      'GET /users/{id}': named('any'),
      'GET /users/{id:int}': named('int'),
      'GET /users/u-{id}': named('affix'),
      'GET /users/me': named('me'),
    });
    expect(ask(routes, '/users/me')).toBe('me {}');
    expect(ask(routes, '/users/u-1')).toBe('affix {"id":"1"}');
    expect(ask(routes, '/users/7')).toBe('int {"id":7}');
    expect(ask(routes, '/users/ada')).toBe('any {"id":"ada"}');
    expect(ask(routes, '/users/ada/x')).toBe('rest {"rest":"users/ada/x"}');
  });

  it('goes back when the more specific way leads nowhere', () => {
    const routes = router({ 'GET /a/b/c': named('literal'), 'GET /{x}/b/d': named('param'), 'GET /a/{...r}': named('rest') });
    expect(ask(routes, '/a/b/c')).toBe('literal {}');
    expect(ask(routes, '/a/b/d')).toBe('rest {"r":"b/d"}');
    expect(ask(routes, '/z/b/d')).toBe('param {"x":"z"}');
  });

  it('goes on to another route when the first has the path but not the method', () => {
    const routes = router({ 'GET /users/me': named('me'), 'POST /users/{id}': named('post') });
    expect(ask(routes, '/users/me', 'POST')).toBe('post {"id":"me"}');
  });

  it('is undefined for a path that nobody has', () => {
    expect(router({ 'GET /a': named('a') })(new Request({ target: '/b' }))).toBeUndefined();
  });

  it('answers 405 with Allow for a known path with another method (RFC 9110 §15.5.6)', () => {
    const routes = router({ 'GET /a': named('a'), 'PUT /a': named('b') });
    const response = routes(new Request({ method: 'DELETE', target: '/a' })) as Response;
    expect([response.status, response.header('allow')]).toEqual([405, 'GET, HEAD, OPTIONS, PUT']);
    expect([response.header('content-type'), response.text()]).toEqual(['text/plain; charset=utf-8', 'Method Not Allowed']);
  });

  it('answers 405 in JSON when the client prefers it', () => {
    const request = new Request({ method: 'DELETE', target: '/a', headers: { Accept: 'application/json' } });
    const response = router({ 'GET /a': named('a') })(request) as Response;
    expect(JSON.parse(response.text() ?? '')).toEqual({ status: 405, code: 'method-not-allowed', message: 'Method Not Allowed' });
  });

  it('names each method once in Allow, also when a route does OPTIONS itself', () => {
    const response = router({ 'GET|HEAD /a': named('a'), 'OPTIONS /a': named('own') })(new Request({ method: 'PUT', target: '/a' }));
    expect((response as Response).header('allow')).toBe('GET, HEAD, OPTIONS');
  });

  it('names the methods of every route that has the path', () => {
    const routes = router({ 'GET /users/me': named('me'), 'PATCH /users/{id}': named('patch'), 'DELETE /{...rest}': named('rest') });
    const response = routes(new Request({ method: 'PUT', target: '/users/me' })) as Response;
    expect(response.header('allow')).toBe('DELETE, GET, HEAD, OPTIONS, PATCH');
  });

  it('leaves the server as a whole to others, `OPTIONS *` (RFC 9112 §3.2.4)', () => {
    const routes = router({ 'GET /': named('root'), 'ANY /{...rest}': named('rest') });
    expect(routes(new Request({ method: 'OPTIONS', target: '*' }))).toBeUndefined();
  });

  it('answers OPTIONS with Allow, unless a route does (RFC 9110 §9.3.7)', () => {
    const routes = router({ 'GET /a': named('a'), 'OPTIONS /b': named('own') });
    const response = routes(new Request({ method: 'OPTIONS', target: '/a' })) as Response;
    expect([response.status, response.header('allow')]).toEqual([204, 'GET, HEAD, OPTIONS']);
    expect(ask(routes, '/b', 'OPTIONS')).toBe('own {}');
  });

  it('sends HEAD to GET, and everything to ANY', () => {
    const routes = router({ 'GET /a': named('get'), 'ANY /b': named('any') });
    expect(ask(routes, '/a', 'HEAD')).toBe('get {}');
    expect(ask(routes, '/b', 'BREW')).toBe('any {}');
  });

  it('passes on a promise', async () => {
    const routes = router({ 'GET /a': async () => Response.text('later') });
    expect((await routes(new Request({ target: '/a' })))?.text()).toBe('later');
  });

  it('refuses routes that take the same requests', () => {
    expect(() => router({ 'GET /a/{x}': named('1'), 'GET|POST /a/{y}': named('2') })).toThrow(
      expect.objectContaining({ code: 'bad-route' }),
    );
  });

  it.each([
    ['GET /a', 'POST|GET /a'],
    ['ANY /a', 'GET|ANY /a'],
    ['GET /{x}', 'GET /{y:string}'],
    ['GET /a/{...x}', 'GET /a/{...y}'],
    ['GET /v{x:int}.json', 'GET /v{y:int}.json'],
  ])('refuses %s beside %s', (one, other) => {
    const routes = { [one]: named('1'), [other]: named('2') } as unknown as { 'GET /a': () => Response };
    expect(() => router(routes)).toThrow(expect.objectContaining({ code: 'bad-route' }));
  });

  it.each([
    ['GET /a', 'HEAD /a'],
    ['GET /a', 'ANY /a'],
    ['GET /a', 'GET /a/'],
    ['GET /{x:int}', 'GET /{x:uint}'],
    ['GET /a{x}', 'GET /{x}b'],
  ])('takes %s beside %s', (one, other) => {
    const routes = { [one]: named('1'), [other]: named('2') } as unknown as { 'GET /a': () => Response };
    expect(() => router(routes)).not.toThrow();
  });

  it.each(['', 'GET', '/a', 'get /a', 'GET /{a:foo}', 'GET /{a}/{a}'])('refuses the route %j', (route) => {
    const routes = { [route]: named('1') } as unknown as { 'GET /a': () => Response };
    expect(() => router(routes)).toThrow(expect.objectContaining({ code: 'bad-route' }));
  });

  it('refuses a handler that is no function', () => {
    const routes = { 'GET /a': 'text' } as unknown as { 'GET /a': () => Response };
    expect(() => router(routes)).toThrow('its handler is not a function');
  });

  it('takes an instance of a class: its methods keep their state, inherited ones are there, other members are its own', () => {
    class Base {
      'GET /base'(): Response {
        return Response.text('base');
      }
    }
    class Counter extends Base {
      readonly #step = 2;
      #count = 0;
      'POST /count/{by:int}'({ by }: { by: number }): Response {
        return Response.text(this.shown(by));
      }
      private shown(by: number): string {
        this.#count += by * this.#step;
        return `${this.#count}`;
      }
    }
    const routes = router(new Counter());
    expect([ask(routes, '/count/1', 'POST'), ask(routes, '/count/3', 'POST'), ask(routes, '/base')]).toEqual(['2', '8', 'base']);
  });

  it('lets a class override a route of the one it extends', () => {
    class Base {
      'GET /'(): Response {
        return Response.text('base');
      }
    }
    class Other extends Base {
      override 'GET /'(): Response {
        return Response.text('other');
      }
    }
    expect(ask(router(new Other()), '/')).toBe('other');
  });

  it('keeps parameters apart from Object.prototype', () => {
    const routes = router({ 'GET /{__proto__}/{constructor}': named('p') });
    expect(ask(routes, '/a/b')).toBe('p {"__proto__":"a","constructor":"b"}');
  });

  it('finds each of 10,000 routes', () => {
    const names = Array.from({ length: 10_000 }, (_, n) => `GET /a/${n % 100}/{x}/${n}`);
    const routes = router(Object.fromEntries(names.map((name) => [name, named(name)])) as unknown as { 'GET /a': () => Response });
    const answers = names.map((_, n) => ask(routes, `/a/${n % 100}/v/${n}`));
    expect(answers).toEqual(names.map((name) => `${name} {"x":"v"}`));
    expect(ask(routes, '/a/1/v/2')).toBeUndefined();
  });

  it('tells the request which pattern matched', () => {
    const request = new Request({ target: '/a/7' });
    void router({ 'GET /a/{x:int}': named('x') })(request);
    expect(request.route).toBe('/a/{x:int}');
  });

  // Few words, so that routes meet: most sets hold two that fit the same path.
  const segment = fc.constantFrom('a', 'a{#}', '{#}b', 'a{#}b', '{#}', '{#:int}', '{#:bool}', '1');
  const pattern = fc
    .tuple(fc.array(segment, { minLength: 1, maxLength: 2 }), fc.constantFrom('', '/{...rest}'))
    .map(([segments, end]) => `GET /${segments.map((text, i) => text.replace('#', `p${i}`)).join('/')}${end}`);
  const asked = fc
    .array(fc.constantFrom('a', 'aab', 'acb', '1', 'true', ''), { minLength: 1, maxLength: 3 })
    .map((parts) => `/${parts.join('/')}`);
  const patterns = fc.uniqueArray(pattern, { minLength: 2, maxLength: 24 });
  const routerOf = (routes: readonly string[]): ((request: Request) => unknown) =>
    router(Object.fromEntries(routes.map((name) => [name, named(name)])) as unknown as { 'GET /a': () => Response });

  it('finds a route exactly when match finds one of them, and that one', () => {
    fc.assert(
      fc.property(patterns, asked, (routes, target) => {
        const fitting = routes.flatMap((name) => {
          const params = match(new Request({ target }), name as 'GET /a');
          return params === undefined ? [] : [`${name} ${JSON.stringify(params)}`];
        });
        const found = ask(routerOf(routes), target);
        expect(found === undefined ? fitting : fitting.filter((text) => text === found)).toHaveLength(found === undefined ? 0 : 1);
      }),
      { numRuns: 2000 },
    );
  });

  it('never lets the order in which routes are written decide', () => {
    fc.assert(
      fc.property(patterns, asked, (routes, target) => {
        expect(ask(routerOf(routes.toReversed()), target)).toBe(ask(routerOf(routes), target));
      }),
      { numRuns: 2000 },
    );
  });

  it('prefers the one with more text in front, of two with as much text around the parameter', () => {
    expect(ask(routerOf(['GET /{x}b', 'GET /a{x}']), '/acb')).toBe('GET /a{x} {"x":"cb"}');
  });

  it('agrees with match on every single route', () => {
    const patterns = ['GET /a', 'GET /a/', 'GET /{x}', 'GET /{x:int}/b', 'GET /a/{...r}', 'GET /p-{x}.s'] as const;
    const target = fc
      .array(fc.constantFrom('a', 'b', '1', '-2', 'p-q.s', 'p-.s', '', '..', '%2f'), { maxLength: 4 })
      .map((parts) => `/${parts.join('/')}`);
    fc.assert(
      fc.property(fc.constantFrom(...patterns), target, (pattern, path) => {
        const routes = router({ [pattern]: named('r') } as unknown as { 'GET /a': () => Response });
        const expected = match(new Request({ target: path }), pattern as 'GET /a');
        expect(ask(routes, path)).toBe(expected === undefined ? undefined : `r ${JSON.stringify(expected)}`);
      }),
      { numRuns: 2000 },
    );
  });
});
