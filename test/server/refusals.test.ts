import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type HttpError, type RefusedHead, Response, type ServerOptions } from '../../src/index.ts';
import { log, logAs, SparseLog } from '../../src/server/operator-log.ts';
import { Refusals } from '../../src/server/refusals.ts';
import { type Answer, ask, serve, talk } from '../support/serve.ts';

const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
afterEach(() => {
  logAs('text');
  printed.mockClear();
});
const lines = (): unknown[] => printed.mock.calls.map(([line]) => line as unknown);

/** What `onRefused` was asked, and the answer that the client got for the page it gave. */
async function refuse(
  bytes: string,
  options: ServerOptions = {},
  page?: unknown,
): Promise<{ asked: unknown[]; answer: Answer | undefined }> {
  const asked: unknown[] = [];
  const onRefused = (status: number, head: RefusedHead, reason: HttpError): Response => {
    const { method, target, path, headers, remoteAddress } = head;
    asked.push(status, reason.code, { method, target, path, headers, remoteAddress, host: head.header('HOST') });
    return (typeof page === 'function' ? (page as () => unknown)() : page) as Response;
  };
  const { answers } = await ask(bytes, { ...options, onRefused });
  return { asked, answer: answers.at(-1) };
}

describe('onRefused', () => {
  it('sees a request that is not HTTP, and what is known of it', async () => {
    const { asked, answer } = await refuse('GET /a%20b?c HTTP/1.1\r\nHost: a\r\nX Y: z\r\n\r\n');
    const head = { method: 'GET', target: '/a%20b?c', path: '/a b', headers: [['Host', 'a']], remoteAddress: '127.0.0.1', host: 'a' };
    expect(asked).toEqual([400, 'bad-field', head]);
    expect(answer).toMatchObject({ status: 400, body: 'Cannot read header: a line has no name followed by a colon' });
  });

  it('sees a request of which nothing is known', async () => {
    const { asked } = await refuse('\x16\x03\x01\r\n\r\n');
    const head = { method: undefined, target: undefined, path: undefined, headers: [], remoteAddress: '127.0.0.1', host: undefined };
    expect(asked).toEqual([400, 'bad-request-line', head]);
  });

  it.each([
    ['405', 'method-not-implemented', 'TRACE / HTTP/1.1\r\nHost: a\r\n\r\n', {}],
    ['501', 'method-not-implemented', 'CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n', {}],
    ['505', 'bad-version', 'GET / HTTP/2.0\r\nHost: a\r\n\r\n', {}],
    ['414', 'target-too-long', `GET /${'a'.repeat(100)} HTTP/1.1\r\nHost: a\r\n\r\n`, { maxRequestLine: 64 }],
    ['431', 'header-too-large', 'GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n', { maxHeaders: 1 }],
    ['413', 'body-too-large', 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n', { maxBodySize: 8 }],
    ['417', 'bad-expectation', 'PUT / HTTP/1.1\r\nHost: a\r\nExpect: cake\r\n\r\n', {}],
    ['408', 'header-timeout', 'GET / HTTP/1.1\r\nHost:', { headersTimeout: 50 }],
    ['408', 'body-timeout', 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\na', { requestTimeout: 50 }],
    ['400', 'bad-target', 'GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n', {}],
    ['400', 'bad-chunk', 'PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n', {}],
  ] as const)('gives the page of a %s: %s', async (status, code, bytes, options) => {
    const { asked, answer } = await refuse(bytes, options, Response.html('<h1>no</h1>'));
    expect(asked.slice(0, 2)).toEqual([Number(status), code]);
    expect(answer).toMatchObject({ status: Number(status), body: '<h1>no</h1>' });
    expect(answer?.headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8', connection: 'close' });
  });

  it('gives the page of a connection for which there is no room, in UTF-8', async () => {
    const { port } = await serve(() => Response.text(''), {
      maxConnections: 1,
      onRefused: (status, { method, remoteAddress }, { code }) => Response.html(`é ${status} ${code} ${method} ${remoteAddress}`),
    });
    const first = await talk(port);
    first.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await first.answers(1);
    const [answer] = await (await talk(port)).answers(1);
    expect(answer?.status).toBe(503);
    expect(Buffer.from(answer?.body ?? '', 'latin1').toString()).toBe('é 503 too-many-connections undefined 127.0.0.1');
  });

  it('may choose another error, not a success', async () => {
    const bytes = 'GET / HTTP/1.1\r\n\r\n';
    expect((await refuse(bytes, {}, Response.text('').withStatus(421))).answer?.status).toBe(421);
    expect((await refuse(bytes, {}, Response.redirect('/'))).answer?.status).toBe(400);
  });

  it.each([
    [
      'throws',
      'broken',
      () => {
        throw new Error('broken');
      },
    ],
    ['returns a promise', 'returned a promise, not a Response', () => Promise.resolve(Response.text('late'))],
    ['returns another thing', 'returned string, not a Response', () => '<h1>no</h1>'],
    ['streams', 'whose body is neither text nor bytes', () => Response.stream('text/plain', ['a'])],
    ['sends too much', 'a body of more than 65536 bytes', () => Response.text('a'.repeat(65_537))],
  ])('is printed, and not used, when it %s', async (_what, message, page) => {
    const { answer } = await refuse('GET / HTTP/1.1\r\n\r\n', { log: 'off' }, page);
    expect(answer).toMatchObject({ status: 400, body: 'Cannot serve request: Host is missing' });
    expect(lines()).toEqual([expect.stringMatching(/^Cannot call onRefused: /)]);
    expect(lines()[0]).toContain(message);
  });

  it('is printed once in ten seconds when it throws: clients can bring that about', async () => {
    const { port } = await serve(() => Response.text(''), {
      onRefused: () => {
        throw new Error('broken');
      },
    });
    for (let i = 0; i < 5; i++) {
      const client = await talk(port);
      client.send('GET / HTTP/1.1\r\n\r\n');
      expect(await client.closed()).toMatch(/^HTTP\/1\.1 400 /);
    }
    expect(lines()).toHaveLength(1);
  });

  it('does not see what a handler answers', async () => {
    const onRefused = vi.fn();
    const { statuses } = await ask('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', { onRefused });
    expect([statuses, onRefused.mock.calls]).toEqual([[200], []]);
  });
});

it('answers in JSON when the head that cannot be read prefers it', async () => {
  const { answers } = await ask('GET / HTTP/1.1\r\nAccept: application/json\r\n\r\n');
  expect(JSON.parse(answers[0]?.body ?? '')).toEqual({ status: 400, code: 'bad-host', message: 'Cannot serve request: Host is missing' });
});

describe('the status of a server', () => {
  it('counts what was refused, by status', async () => {
    const { port, server } = await serve(() => Response.text(''), { maxConnections: 2 });
    const idle = await talk(port);
    idle.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await idle.answers(1);
    expect(server.status().refused).toEqual({});
    for (const bytes of ['GET / HTTP/1.1\r\n\r\n', 'BAD\r\n\r\n', 'TRACE / HTTP/1.1\r\nHost: a\r\n\r\n']) {
      const client = await talk(port);
      client.send(bytes);
      await client.closed();
      client.end();
      await expect.poll(() => server.status().connections).toBe(1);
    }
    await talk(port);
    const third = await talk(port);
    await third.answers(1);
    expect(server.status().refused).toEqual({ 400: 2, 405: 1, 503: 1 });
  });

  it('counts handshakes that fail, and connections that the system could not accept', () => {
    const refusals = new Refusals(undefined);
    refusals.handshakeFailed('10.0.0.9', Object.assign(new Error('long words'), { code: 'ERR_SSL_HTTP_REQUEST' }));
    refusals.acceptFailed(Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }));
    refusals.acceptFailed(Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }));
    expect(refusals.counts).toEqual({ tls: 1, accept: 2 });
    expect(lines()).toEqual([
      'filrouge: TLS handshake from 10.0.0.9 failed: ERR_SSL_HTTP_REQUEST',
      'filrouge: cannot accept a connection: accept EMFILE',
    ]);
  });
});

describe('the line about a refusal', () => {
  it('names the request, its client and the reason, and no query', async () => {
    logAs('text');
    const { port } = await serve(() => Response.text(''), { log: 'text' });
    const client = await talk(port);
    client.send('GET /a?token=secret HTTP/1.1\r\n\r\n');
    await client.closed();
    expect(lines()).toEqual(['filrouge: refused GET "/a" from 127.0.0.1 with 400 bad-host: Cannot serve request: Host is missing']);
  });

  it('has fields in JSON', async () => {
    const { port } = await serve(() => Response.text(''), { log: 'json' });
    const client = await talk(port);
    client.send('GET /a\x9b31m HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.closed();
    expect(lines()[0]).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
    expect(JSON.parse(String(lines()[0]))).toMatchObject({
      event: 'refused',
      status: 400,
      code: 'bad-request-line',
      method: 'GET',
      path: '/a\x9b31m',
      remoteAddress: '127.0.0.1',
    });
  });

  it('cannot be forged by a target', async () => {
    const { port } = await serve(() => Response.text(''), { log: 'text' });
    const client = await talk(port);
    client.send('GET /a\rfilrouge:\x1b[2J\x85" HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.closed();
    expect(lines()[0]).toContain('refused GET "/a\\rfilrouge:\\u001b[2J\\u0085\\""');
  });

  it('comes once for each kind in a span of time, and says how many were left out', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const sparse = new SparseLog();
    for (let i = 0; i < 5; i++) sparse.log('refused', 'a', `a${i}`);
    sparse.log('refused', 'b', 'b');
    vi.advanceTimersByTime(10_000);
    sparse.log('refused', 'a', 'a5');
    vi.advanceTimersByTime(10_000);
    sparse.log('refused', 'a', 'a6');
    expect(lines()).toEqual(['filrouge: a0', 'filrouge: b', 'filrouge: a5; 4 more like this since the last line', 'filrouge: a6']);
  });

  it('is not written where nothing is logged', () => {
    logAs('off');
    new SparseLog().log('refused', 'a', 'a');
    log('ready', 'b');
    expect(lines()).toEqual([]);
  });
});
