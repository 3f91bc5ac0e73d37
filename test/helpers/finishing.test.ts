import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { logAccess, Request, Response, requestId, secureHeaders } from '../../src/index.ts';

function logged(
  request: Request,
  response: Response,
  format?: 'common' | 'json' | ((request: Request, response: Response, ms: number) => string),
): string {
  const lines: string[] = [];
  const output = { write: (line: string) => lines.push(line) };
  expect(logAccess(request, response, format === undefined ? { output } : { output, format })).toBe(response);
  return lines.join('');
}

describe('logAccess', () => {
  it('writes one line for people', () => {
    const line = logged(new Request({ target: '/a?b', remoteAddress: '192.0.2.1' }), Response.empty(404));
    expect(line).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z 192\.0\.2\.1 GET \/a\?b 404 -\n$/);
  });

  it('writes JSON for programs', () => {
    const request = new Request({ target: '/a', headers: { 'User-Agent': 'x"y' } });
    expect(JSON.parse(logged(request, Response.text(''), 'json'))).toMatchObject({
      method: 'GET',
      target: '/a',
      status: 200,
      userAgent: 'x"y',
    });
  });

  it('escapes what would forge a line or speak to a terminal', () => {
    const line = logged(new Request(), Response.text(''), () => 'a\r\nb\u001b[31m\u0085');
    expect(line).toBe('a\\u000d\\u000ab\\u001b[31m\\u0085\n');
  });

  it('survives an output that throws, and one whose pipe is closed', () => {
    const response = Response.text('');
    const throwing = {
      write: (): never => {
        throw new Error('disk full');
      },
    };
    expect(logAccess(new Request(), response, { output: throwing })).toBe(response);
    const pipe = new PassThrough();
    logAccess(new Request(), response, { output: pipe });
    expect(() => pipe.emit('error', new Error('EPIPE'))).not.toThrow();
  });
});

describe('requestId', () => {
  it('is a UUID of version 4, the same for one request and its cuts, another for each', () => {
    const request = new Request({ target: '/a/b', headers: { 'X-Request-ID': 'forged' } });
    const id = requestId(request);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(requestId(request)).toBe(id);
    expect(requestId(request.withoutPrefix('/a') as Request)).toBe(id);
    expect(new Set(Array.from({ length: 10_000 }, () => requestId(new Request()))).size).toBe(10_000);
  });
});

describe('secureHeaders', () => {
  it('adds the defaults once each', () => {
    const response = secureHeaders(secureHeaders(Response.html('')));
    const names = response.headers.map(([name]) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(response.header('x-content-type-options')).toBe('nosniff');
    expect(response.header('x-frame-options')).toBe('SAMEORIGIN');
    expect(response.header('content-security-policy')).toContain("default-src 'self'");
    expect(response.header('strict-transport-security')).toBeUndefined();
  });

  it('lets what the handler has set stand', () => {
    const response = secureHeaders(Response.html('').withHeader('x-frame-options', 'DENY'));
    expect(response.headers.filter(([name]) => name.toLowerCase() === 'x-frame-options')).toEqual([['x-frame-options', 'DENY']]);
  });

  it('does as it is told', () => {
    const response = secureHeaders(Response.html(''), {
      csp: false,
      frameOptions: false,
      hsts: 60,
      headers: { 'Referrer-Policy': 'no-referrer', 'X-A': '1' },
    });
    expect([response.header('content-security-policy'), response.header('x-frame-options')]).toEqual([undefined, undefined]);
    expect([response.header('strict-transport-security'), response.header('referrer-policy'), response.header('x-a')]).toEqual([
      'max-age=60; includeSubDomains',
      'no-referrer',
      '1',
    ]);
    expect(() => secureHeaders(Response.html(''), { hsts: -1 })).toThrow(RangeError);
  });
});
