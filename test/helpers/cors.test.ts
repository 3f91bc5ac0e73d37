import { describe, expect, it } from 'vitest';
import { type CorsPolicy, createCors } from '../../src/helpers/cors.ts';
import { Request, Response } from '../../src/index.ts';
import { serve } from '../support/serve.ts';

const A = 'https://a.example';
const from = (origin: string | undefined, more: Record<string, string> = {}, method = 'GET'): Request =>
  new Request({ method, headers: { ...(origin !== undefined && { Origin: origin }), ...more } });
const preflight = (origin: string): Request => from(origin, { 'Access-Control-Request-Method': 'PUT' }, 'OPTIONS');
const page = Response.text('page');

/** Fields of the response that speak of origins. */
function fields(response: Response | undefined): Record<string, string> {
  return Object.fromEntries((response?.headers ?? []).filter(([name]) => /^(?:access-control-|vary)/i.test(name)));
}

describe('createCors', () => {
  it.each<[string, CorsPolicy]>([
    ['* with credentials', { origins: '*', credentials: true }],
    ['* in a list', { origins: ['*'] }],
    ['an origin with a final slash', { origins: ['https://a.example/'] }],
    ['an origin with a path', { origins: ['https://a.example/x'] }],
    ['an origin without a scheme', { origins: ['a.example'] }],
    ['an origin in upper case', { origins: ['https://A.example'] }],
    ['an origin with the default port', { origins: ['https://a.example:443'] }],
    ['a number for origins', { origins: 1 as unknown as '*' }],
    ['credentials that are not a boolean', { origins: [A], credentials: 'yes' as unknown as boolean }],
    ['a method that is no token', { origins: [A], methods: ['GET, PUT'] }],
    ['a header that is no token', { origins: [A], headers: ['X Y'] }],
    ['* for headers with credentials', { origins: [A], headers: ['*'], credentials: true }],
    ['a text for exposeHeaders', { origins: [A], exposeHeaders: 'ETag' as unknown as string[] }],
    ['a negative maxAge', { origins: [A], maxAge: -1 }],
  ])('refuses %s at start', (_, policy) => {
    expect(() => createCors(policy)).toThrow(expect.objectContaining({ code: 'bad-option' }));
  });

  it('takes named origins with credentials, ports, addresses, and null when it is named', () => {
    const origins = [A, 'http://localhost:3000', 'http://[::1]:3000', 'capacitor://localhost', 'null'];
    const cors = createCors({ origins, credentials: true });
    expect(origins.map((origin) => cors.apply(from(origin), page).header('access-control-allow-origin'))).toEqual(origins);
  });
});

describe('cors.preflight (WHATWG Fetch §3.2.2)', () => {
  it('answers 204 with methods, headers and age, once the origin is allowed', () => {
    const cors = createCors({
      origins: [A],
      methods: ['GET', 'PUT'],
      headers: ['Content-Type', 'X-Token'],
      maxAge: 600,
      credentials: true,
    });
    const response = cors.preflight(preflight(A));
    expect(response?.status).toBe(204);
    expect(fields(response)).toEqual({
      Vary: 'Origin',
      'Access-Control-Allow-Origin': A,
      'Access-Control-Allow-Credentials': 'true',
      'Access-Control-Allow-Methods': 'GET, PUT',
      'Access-Control-Allow-Headers': 'Content-Type, X-Token',
      'Access-Control-Max-Age': '600',
    });
  });

  it('allows the usual methods and Content-Type unless told', () => {
    expect(fields(createCors({ origins: '*' }).preflight(preflight(A)))).toEqual({
      'Access-Control-Allow-Origin': '*',
      'Access-Control-Allow-Methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
      'Access-Control-Allow-Headers': 'Content-Type',
    });
    const none = createCors({ origins: '*', methods: [], headers: [], maxAge: 0 }).preflight(preflight(A));
    expect(fields(none)).toEqual({ 'Access-Control-Allow-Origin': '*', 'Access-Control-Max-Age': '0' });
  });

  it('answers 204 without permission to an origin that is not allowed, and still varies by it', () => {
    const response = createCors({ origins: [A] }).preflight(preflight('https://b.example'));
    expect(response?.status).toBe(204);
    expect(fields(response)).toEqual({ Vary: 'Origin' });
  });

  it('leaves every other request to the handler', () => {
    const cors = createCors({ origins: [A] });
    expect(cors.preflight(from(A))).toBeUndefined();
    expect(cors.preflight(from(A, {}, 'OPTIONS'))).toBeUndefined();
    expect(cors.preflight(from(undefined, { 'Access-Control-Request-Method': 'PUT' }, 'OPTIONS'))).toBeUndefined();
    expect(cors.preflight(from(A, { 'Access-Control-Request-Method': 'PUT' }, 'PUT'))).toBeUndefined();
  });
});

describe('without createCors', () => {
  it('there are no fields of CORS, and a preflight is a request like any other', async () => {
    const { port } = await serve(() => page);
    const fields = { Origin: A, 'Access-Control-Request-Method': 'PUT' };
    for (const method of ['GET', 'OPTIONS']) {
      const answer = await fetch(`http://127.0.0.1:${port}/`, { method, headers: fields });
      expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control-') || name === 'vary')).toEqual([]);
      expect([answer.status, await answer.text()]).toEqual([200, 'page']);
    }
  });
});

describe('cors.apply', () => {
  it('adds permission, exposed headers and Vary for an allowed origin, and changes nothing it was given', () => {
    const cors = createCors({ origins: [A], exposeHeaders: ['ETag', 'X-Total'] });
    const response = cors.apply(from(A), page);
    expect(fields(response)).toEqual({
      Vary: 'Origin',
      'Access-Control-Allow-Origin': A,
      'Access-Control-Expose-Headers': 'ETag, X-Total',
    });
    expect(response.text()).toBe('page');
    expect(fields(page)).toEqual({});
  });

  it.each([
    undefined,
    'https://b.example',
    'https://a.example.evil',
    'http://a.example',
    'https://a.example:8443',
    'null',
    '',
    `${A}, ${A}`,
  ])('varies by Origin, and allows nothing, for the origin %j', (origin) => {
    expect(fields(createCors({ origins: [A], credentials: true, exposeHeaders: ['ETag'] }).apply(from(origin), page))).toEqual({
      Vary: 'Origin',
    });
  });

  it('allows nothing when Origin stands twice', () => {
    const request = new Request({
      headers: [
        ['Origin', A],
        ['Origin', A],
      ],
    });
    expect(fields(createCors({ origins: [A] }).apply(request, page))).toEqual({ Vary: 'Origin' });
  });

  it('says * without Vary when all origins are allowed, null among them', () => {
    for (const origin of [A, 'null', undefined]) {
      expect(fields(createCors({ origins: '*' }).apply(from(origin), page))).toEqual({ 'Access-Control-Allow-Origin': '*' });
    }
  });

  it('asks a function, but only about what is an origin, and takes nothing but true for yes', () => {
    const asked: string[] = [];
    const cors = createCors({ origins: (origin) => asked.push(origin) > 0 && origin.endsWith('.a.example') });
    expect(fields(cors.apply(from('https://x.a.example'), page))['Access-Control-Allow-Origin']).toBe('https://x.a.example');
    expect(fields(cors.apply(from('https://b.example'), page))).toEqual({ Vary: 'Origin' });
    expect(fields(cors.apply(from('evil, https://x.a.example'), page))).toEqual({ Vary: 'Origin' });
    expect(fields(cors.apply(from('https://evil/?.a.example'), page))).toEqual({ Vary: 'Origin' });
    expect(asked).toEqual(['https://x.a.example', 'https://b.example']);
    const promising = createCors({ origins: (async () => false) as unknown as () => boolean });
    expect(fields(promising.apply(from(A), page))).toEqual({ Vary: 'Origin' });
  });

  it('keeps other names in Vary, names Origin once, and leaves * alone', () => {
    const cors = createCors({ origins: [A] });
    const vary = (value: string): string | undefined => cors.apply(from(A), page.withHeader('Vary', value)).header('vary');
    expect(vary('Accept-Encoding')).toBe('Accept-Encoding, Origin');
    expect(vary('accept, origin')).toBe('accept, origin');
    expect(vary('*')).toBe('*');
    const two = page.withAddedHeader('Vary', 'Accept').withAddedHeader('Vary', 'Cookie');
    expect(cors.apply(from(A), two).headers.filter(([name]) => name === 'Vary')).toEqual([['Vary', 'Accept, Cookie, Origin']]);
  });

  it('decides by its policy, whatever the handler has set', () => {
    const open = page.withHeader('Access-Control-Allow-Origin', '*').withHeader('Access-Control-Allow-Credentials', 'true');
    expect(fields(createCors({ origins: [A] }).apply(from('https://b.example'), open))).toEqual({ Vary: 'Origin' });
    expect(fields(createCors({ origins: [A] }).apply(from(A), open))).toEqual({ Vary: 'Origin', 'Access-Control-Allow-Origin': A });
  });
});
