import { describe, expect, it, vi } from 'vitest';
import { cookies, HttpError, match, type Request, Response, readForm } from '../../src/index.ts';
import { createVisitor, type VisitorOptions } from '../../src/testing.ts';

function shop(request: Request): Response {
  if (match(request, 'POST /login')) {
    const { user } = readForm(request, { user: 'string' });
    return Response.redirect('/').withCookie('user', user);
  }
  if (match(request, 'POST /logout')) return Response.redirect('/').withoutCookie('user');
  return Response.json(cookies(request));
}

/** What comes back of cookies that are set at one target and asked for at another. */
function echoOf(lines: readonly string[], setAt = '/', askedAt = '/', options: VisitorOptions = {}): string | undefined {
  const visitor = createVisitor((request) => {
    let response = Response.text(request.header('cookie') ?? '');
    if (request.header('x-set') !== undefined) for (const line of lines) response = response.withAddedHeader('Set-Cookie', line);
    return response;
  }, options);
  visitor.send({ target: setAt, headers: { 'X-Set': 'yes' } });
  return visitor.send({ target: askedAt }).text();
}

describe('a visitor', () => {
  it('has the cookies of earlier answers, until they are taken away', () => {
    const visitor = createVisitor(shop);
    expect(visitor.send().json()).toEqual({});
    expect(visitor.send({ method: 'POST', target: '/login', body: new URLSearchParams({ user: 'ada' }) }).header('location')).toBe('/');
    expect([visitor.send().json(), visitor.cookies]).toEqual([{ user: 'ada' }, { user: 'ada' }]);
    visitor.send({ method: 'POST', target: '/logout' });
    expect([visitor.send().json(), visitor.cookies]).toEqual([{}, {}]);
  });

  it('is somebody: each has cookies of its own, a host and an address', () => {
    const [ada, grace] = [createVisitor(shop), createVisitor(shop)];
    ada.send({ method: 'POST', target: '/login', body: new URLSearchParams({ user: 'ada' }) });
    expect(grace.send().json()).toEqual({});
    const facts = (request: Request): Response => Response.json([request.host, request.secure, request.remoteAddress]);
    expect(createVisitor(facts).send().json()).toEqual(['localhost', false, '127.0.0.1']);
    const other = createVisitor(facts, { host: 'shop.example:8443', secure: true, remoteAddress: '192.0.2.1' });
    expect(other.send().json()).toEqual(['shop.example:8443', true, '192.0.2.1']);
    expect(other.send({ headers: { host: 'a' }, secure: false, remoteAddress: '::1' }).json()).toEqual(['a', false, '::1']);
  });

  it('sends what it is given in place of its cookies', () => {
    const visitor = createVisitor(shop);
    visitor.send({ method: 'POST', target: '/login', json: undefined, body: new URLSearchParams({ user: 'ada' }) });
    expect(visitor.send({ headers: { cookie: 'user=grace' } }).json()).toEqual({ user: 'grace' });
    expect(visitor.send().json()).toEqual({ user: 'ada' });
  });

  it('gets a Response at once from a handler that gives one, else a promise: so do its types', async () => {
    const now: Response = createVisitor(() => Response.text('now')).send();
    const later: Promise<Response> = createVisitor(async () => Response.text('later').withCookie('a', 'b')).send();
    const web: Promise<Response> = createVisitor(() => new globalThis.Response('web')).send();
    expect(now.text()).toBe('now');
    expect((await later).text()).toBe('later');
    expect((await web).text()).toBe('web');
    const either = createVisitor((request) => (request.path === '/' ? Response.text('now') : Promise.resolve(Response.text('later'))));
    const answer: Response | Promise<Response> = either.send({ target: '/x' });
    expect((await answer).text()).toBe('later');
  });

  it('keeps the cookies of a promise once it is fulfilled', async () => {
    const visitor = createVisitor(async (request) => Response.json(cookies(request)).withCookie('seen', 'yes'));
    await visitor.send();
    expect((await visitor.send()).json()).toEqual({ seen: 'yes' });
  });

  it('sees an HttpError as the client does, and what would be a 500 as it was thrown', () => {
    const visitor = createVisitor((request) => {
      throw request.path === '/' ? new HttpError(404, 'Not here') : new RangeError('a bug');
    });
    const answer = visitor.send({ headers: { accept: 'application/json' } });
    expect([answer.status, answer.json()]).toEqual([404, { status: 404, code: 'not-found', message: 'Not here' }]);
    expect(() => visitor.send({ target: '/bug' })).toThrow(RangeError);
  });

  it('is refused without a handler, and with options that are wrong or unknown', () => {
    expect(() => createVisitor(undefined as never)).toThrow(/the handler is undefined, not a function/);
    expect(() => createVisitor(shop, { host: 'http://a/' })).toThrow(/not a host name/);
    expect(() => createVisitor(shop, { secure: 'yes' as never })).toThrow(/secure is string, not a boolean/);
    expect(() => createVisitor(shop, { remoteAddress: 1 as never })).toThrow(/remoteAddress is number/);
    expect(() => createVisitor(shop, { cookies: {} } as never)).toThrow(/unknown option "cookies"/);
  });
});

describe('the cookies of a visitor (RFC 6265 §5)', () => {
  it('come back as they were set, in the order in which they came, the longer path first (§5.4)', () => {
    expect(echoOf(['a=1', 'b="x y"', 'c=%20', 'd='])).toBe('a=1; b="x y"; c=%20; d=');
    expect(echoOf(['a=1; Path=/', 'b=2; Path=/shop'], '/', '/shop/cart')).toBe('b=2; a=1');
  });

  it.each([
    ['/', '/shop', '/shop'],
    ['/shop', '/shop', '/shop/cart'],
    ['/shop/', '/shop/', '/shop/cart'],
  ])('with the path %s are sent to what lies below it', (path, setAt, askedAt) => {
    expect(echoOf([`a=1; Path=${path}`], setAt, askedAt)).toBe('a=1');
  });

  it('are not sent elsewhere, nor to a name that only begins so', () => {
    expect(echoOf(['a=1; Path=/shop'], '/', '/')).toBe('');
    expect(echoOf(['a=1; Path=/shop'], '/', '/shopping')).toBe('');
  });

  it('without a path belong to the folder of the request (§5.1.4)', () => {
    expect(echoOf(['a=1'], '/shop/cart?x=/y/', '/shop')).toBe('a=1');
    expect(echoOf(['a=1'], '/shop/cart', '/')).toBe('');
    expect(echoOf(['a=1; Path=cart'], '/shop', '/')).toBe('a=1');
  });

  it('replace one with the same name and path, and stand beside one with another', () => {
    expect(echoOf(['a=1', 'a=2'])).toBe('a=2');
    expect(echoOf(['a=1; Path=/', 'a=2; Path=/shop'], '/', '/shop')).toBe('a=2; a=1');
  });

  it('are for this host, its parents as Domain allows, and no other (§5.3)', () => {
    const shop = { host: 'www.shop.example' };
    expect(echoOf(['a=1; Domain=shop.example', 'b=2; Domain=.shop.example', 'c=3; Domain=WWW.shop.example'], '/', '/', shop)).toBe(
      'a=1; b=2; c=3',
    );
    expect(echoOf(['a=1; Domain=evil.example', 'b=2; Domain=hop.example', 'c=3; Domain=x.www.shop.example'], '/', '/', shop)).toBe('');
    expect(echoOf(['a=1; Domain=0.0.1'], '/', '/', { host: '127.0.0.1' })).toBe('');
  });

  it('with Secure are kept and sent over TLS only', () => {
    expect(echoOf(['a=1; Secure'])).toBe('');
    expect(echoOf(['a=1; Secure'], '/', '/', { secure: true })).toBe('a=1');
  });

  it('with a prefix keep what it promises', () => {
    const tls = { secure: true };
    expect(echoOf(['__Host-a=1; Secure; Path=/', '__Secure-b=2; Secure'], '/', '/', tls)).toBe('__Host-a=1; __Secure-b=2');
    expect(echoOf(['__Host-a=1; Secure; Path=/x', '__Host-b=2; Secure; Path=/; Domain=localhost', '__Secure-c=3'], '/', '/x', tls)).toBe(
      '',
    );
  });

  it('end by Max-Age, which has precedence, or Expires', () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      const visitor = createVisitor((request) =>
        request.path === '/set'
          ? Response.empty()
              .withCookie('short', '1', { maxAge: 60 })
              .withCookie('long', '2', { maxAge: 3600, expires: new Date(0) })
              .withCookie('dated', '3', { expires: new Date(Date.now() + 120_000) })
          : Response.text(request.header('cookie') ?? ''),
      );
      visitor.send({ target: '/set' });
      expect(visitor.send().text()).toBe('short=1; long=2; dated=3');
      vi.setSystemTime(Date.now() + 61_000);
      expect(visitor.send().text()).toBe('long=2; dated=3');
      vi.setSystemTime(Date.now() + 120_000);
      expect([visitor.send().text(), visitor.cookies]).toEqual(['long=2', { long: '2' }]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('without a time of their own end with the browser', () => {
    const visitor = createVisitor(() => Response.empty().withCookie('a', '1').withCookie('b', '2', { maxAge: 60 }));
    visitor.send();
    visitor.restart();
    expect(visitor.cookies).toEqual({ b: '2' });
  });
});
