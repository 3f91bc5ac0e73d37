import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HttpError, match, Request, Response, router } from '../../src/index.ts';

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
    const error = (() => {
      try {
        return routes(new Request({ method: 'DELETE', target: '/a' }));
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toBeInstanceOf(HttpError);
    const { response } = error as HttpError;
    expect([response.status, response.header('allow')]).toEqual([405, 'GET, HEAD, OPTIONS, PUT']);
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

  it('tells the request which pattern matched', () => {
    const request = new Request({ target: '/a/7' });
    void router({ 'GET /a/{x:int}': named('x') })(request);
    expect(request.route).toBe('/a/{x:int}');
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
