import { PassThrough } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import {
  finish,
  type LogAccessOptions,
  logAccess,
  Request,
  Response,
  readJson,
  requestId,
  type SecureHeadersOptions,
  secureHeaders,
  serveDir,
} from '../../src/index.ts';
import { serve } from '../support/serve.ts';
import { folderWith } from './serve-dir/folder.ts';

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
    expect(line).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z 192\.0\.2\.1 GET \/a\?b 404 - -\n$/);
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

  it('escapes C1 controls in JSON too, which is still JSON', () => {
    const line = logged(new Request({ headers: { 'User-Agent': 'a\x9b31m' } }), Response.text(''), 'json');
    expect(line).toContain('a\\u009b31m');
    expect(JSON.parse(line)).toMatchObject({ userAgent: 'a\x9b31m' });
  });

  it('keeps a target that a client sends on one line', () => {
    expect(logged(new Request({ target: '/a?\x85\x9b\x7f' }), Response.text(''))).not.toMatch(/[\x7f-\x9f]/);
  });

  it('gives a format the request, the response and the time, which is unknown for a request made by hand', () => {
    const line = logged(
      new Request({ target: '/a' }),
      Response.empty(404),
      (request, response, ms) => `${request.path} ${response.status} ${ms}`,
    );
    expect(line).toBe('/a 404 NaN\n');
  });

  it('writes to process.stdout unless told', () => {
    const stdout = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    logAccess(new Request({ target: '/default' }), Response.text(''));
    const lines = stdout.mock.calls.map(([line]) => String(line));
    stdout.mockRestore();
    expect(lines).toEqual([expect.stringMatching(/ GET \/default 200 - -\n$/)]);
  });

  it('leaves no rejection of an asynchronous output to end the process', () => {
    const rejected = Promise.reject(new Error('disk full'));
    const caught = vi.spyOn(rejected, 'catch');
    logAccess(new Request(), Response.text(''), { output: { write: () => rejected } });
    expect(caught).toHaveBeenCalledOnce();
  });

  it('drops lines when too many wait in a slow output', () => {
    const lines: string[] = [];
    const output = { writableLength: 17 * 1024 * 1024, write: (line: string) => lines.push(line) };
    logAccess(new Request(), Response.text(''), { output });
    output.writableLength = 0;
    logAccess(new Request(), Response.text(''), { output });
    expect(lines).toHaveLength(1);
  });

  it('listens to the errors of an output once, however many lines go there', () => {
    const pipe = new PassThrough();
    const before = pipe.listenerCount('error');
    logAccess(new Request(), Response.text(''), { output: pipe });
    logAccess(new Request(), Response.text(''), { output: pipe });
    expect(pipe.listenerCount('error')).toBe(before + 1);
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

  it.each([
    [{ output: 'access.log' }, 'output is no function, and lacks write and info'],
    [{ output: () => {}, format: 'json' }, 'format is for an output with write'],
    [{ output: { info: () => {} }, format: 'json' }, 'format is for an output with write'],
    [{ format: 'combined' }, 'format is "combined", not "common", "json" or a function'],
  ])('refuses %j, with which no line would be written', (options, why) => {
    expect(() => logAccess(new Request(), Response.text(''), options as unknown as LogAccessOptions)).toThrow(
      expect.objectContaining({ code: 'bad-option', message: `Cannot log access: ${why}` }),
    );
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
  const request = new Request({ secure: true });

  it('adds the defaults once each', () => {
    const response = secureHeaders(request, secureHeaders(request, Response.html('')));
    const names = response.headers.map(([name]) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(response.header('x-content-type-options')).toBe('nosniff');
    expect(response.header('x-frame-options')).toBe('SAMEORIGIN');
    expect(response.header('content-security-policy')).toContain("default-src 'self'");
    expect(response.header('strict-transport-security')).toBeUndefined();
  });

  it('lets what the handler has set stand', () => {
    const response = secureHeaders(request, Response.html('').withHeader('x-frame-options', 'DENY'));
    expect(response.headers.filter(([name]) => name.toLowerCase() === 'x-frame-options')).toEqual([['x-frame-options', 'DENY']]);
  });

  it.each([
    ['DENY', "frame-ancestors 'none'"],
    ['SAMEORIGIN', "frame-ancestors 'self'"],
  ] as const)('says %s in both fields: browsers that know the policy look at nothing else', (frameOptions, directive) => {
    const response = secureHeaders(request, Response.html(''), { frameOptions });
    expect([response.header('x-frame-options'), response.header('content-security-policy')]).toEqual([
      frameOptions,
      expect.stringContaining(directive),
    ]);
  });

  it('lets anybody frame the page when told so, in both fields', () => {
    const response = secureHeaders(request, Response.html(''), { frameOptions: false });
    expect([response.header('x-frame-options'), response.header('content-security-policy')]).toEqual([
      undefined,
      expect.not.stringContaining('frame-ancestors'),
    ]);
  });

  it('adds every line of a field that is given several', () => {
    const response = secureHeaders(request, Response.html(''), { headers: { Link: ['</a>', '</b>'] } });
    expect(response.headers.filter(([name]) => name === 'Link').map(([, value]) => value)).toEqual(['</a>', '</b>']);
  });

  it('protects an error as well, and leaves the response it was given alone', () => {
    const constant = Response.empty(404);
    expect([secureHeaders(request, constant).status, secureHeaders(request, constant).header('x-content-type-options')]).toEqual([
      404,
      'nosniff',
    ]);
    expect(constant.headers).toEqual([]);
  });

  it('is on every answer of a server that finishes with it, errors and 304 too, once each', async () => {
    const folder = folderWith({ 'a.txt': 'a' });
    const answer = (asked: Request): Response => {
      if (asked.path === '/bug') throw new Error('a bug');
      if (asked.path === '/json') return Response.json(readJson(asked, undefined, { limit: 1 }));
      return serveDir(asked, folder) ?? Response.empty(404);
    };
    const options = { headers: { 'X-Frame-Options': 'DENY', 'X-Own': '1' } };
    const secured = (asked: Request, response: Response): Response => secureHeaders(asked, response, options);
    const { port } = await serve((asked) => finish(asked, answer, secured), { onError: () => {} });
    const ask = async (path: string, init?: RequestInit): Promise<unknown[]> => {
      const { status, headers } = await fetch(`http://127.0.0.1:${port}${path}`, init);
      return [status, headers.get('x-content-type-options'), headers.get('x-frame-options'), headers.get('x-own')];
    };
    const fields = ['nosniff', 'DENY', '1'];
    expect(await ask('/a.txt')).toEqual([200, ...fields]);
    const etag = (await fetch(`http://127.0.0.1:${port}/a.txt`)).headers.get('etag') ?? '';
    expect(await ask('/a.txt', { headers: { 'If-None-Match': etag } })).toEqual([304, ...fields]);
    expect(await ask('/nothing')).toEqual([404, ...fields]);
    const tooLarge = { method: 'POST', body: '[1]', headers: { 'Content-Type': 'application/json' } };
    expect(await ask('/json', tooLarge)).toEqual([413, ...fields]);
    expect(await ask('/bug')).toEqual([500, ...fields]);
  });

  it('tells browsers to use TLS only over TLS (RFC 6797 §7.2)', () => {
    expect(secureHeaders(new Request(), Response.html(''), { hsts: 60 }).header('strict-transport-security')).toBeUndefined();
    expect(secureHeaders(request, Response.html(''), { hsts: 60 }).header('strict-transport-security')).toBe(
      'max-age=60; includeSubDomains',
    );
  });

  it('does as it is told', () => {
    const response = secureHeaders(request, Response.html(''), {
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
    expect(() => secureHeaders(request, Response.html(''), { hsts: -1 })).toThrow(RangeError);
  });

  it.each([
    [{ hsts: -1 }, 'hsts is -1, not a whole number of seconds from 0 on'],
    [{ hsts: '1y' }, 'hsts is string, not a number'],
    [{ frameOptions: 'deny' }, 'frameOptions is "deny", not "DENY", "SAMEORIGIN" or false'],
  ])('refuses %j, which browsers would not understand', (options, why) => {
    expect(() => secureHeaders(request, Response.html(''), options as SecureHeadersOptions)).toThrow(
      expect.objectContaining({ code: 'bad-option', message: `Cannot secure headers: ${why}` }),
    );
  });
});
