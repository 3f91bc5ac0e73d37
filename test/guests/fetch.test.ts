import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { getConnInfo } from '@hono/node-server/conninfo';
import { Hono } from 'hono';
import { describe, expect, it, onTestFinished } from 'vitest';
import { answerWithFetch, type GuestOptions, toFetch, toWebRequest } from '../../src/fetch.ts';
import { HttpError, match, Request, Response, readJson } from '../../src/index.ts';
import { websocket } from '../../src/websocket.ts';
import { collectGarbage } from '../support/garbage.ts';
import { deferred, serve, talk } from '../support/serve.ts';
import { until } from '../support/until.ts';

const WebRequest = globalThis.Request;
const WebResponse = globalThis.Response;

describe('toWebRequest', () => {
  it('is the request as a library of the web reads it, with the canonical path and our word about the client', async () => {
    const request = new Request({
      method: 'POST',
      target: '/a//b/../c?x=1',
      headers: {
        Host: 'shop.example',
        Cookie: 'sid=1',
        'X-Forwarded-For': '10.9.8.7',
        'X-Real-IP': '10.9.8.7',
        Connection: 'keep-alive, x-a',
        'X-A': '1',
      },
      body: 'text',
      remoteAddress: '192.0.2.1',
      secure: true,
    });
    const web = toWebRequest(request);
    expect(web).toBeInstanceOf(WebRequest);
    expect([web.method, web.url, await web.text()]).toEqual(['POST', 'https://shop.example/a/c?x=1', 'text']);
    expect(['cookie', 'x-forwarded-for', 'x-real-ip', 'connection', 'x-a'].map((name) => web.headers.get(name))).toEqual([
      'sid=1',
      '192.0.2.1',
      null,
      null,
      null,
    ]);
  });

  it('has what withHeader says, and may be made as often as one likes', async () => {
    const request = new Request({ method: 'POST', body: 'twice' });
    const [first, second] = [toWebRequest(request.withHeader('X-User', 'ada')), toWebRequest(request)];
    expect([first.headers.get('x-user'), second.headers.get('x-user')]).toEqual(['ada', null]);
    expect([await first.text(), await second.text()]).toEqual(['twice', 'twice']);
  });

  it('has a signal that aborts when the client leaves, though nothing but the signal is kept of it', async () => {
    const [reached, aborted] = [deferred<void>(), deferred<void>()];
    const { port } = await serve((request) => {
      toWebRequest(request).signal.addEventListener('abort', () => aborted.resolve());
      reached.resolve();
      return new Promise(() => {});
    });
    const client = await talk(port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await reached.promise;
    await collectGarbage();
    client.socket.destroy();
    await aborted.promise;
  });

  it('cannot be made for a Host that no URL can have, nor for a method that the web forbids', () => {
    expect(() => toWebRequest(new Request({ headers: { Host: 'a:99999' } }))).toThrow(expect.objectContaining({ status: 400 }));
    expect(() => toWebRequest(new Request({ method: 'TRACK' }))).toThrow(expect.objectContaining({ status: 501 }));
  });
});

describe('toFetch', () => {
  it('gives the handler the request as our own server would', async () => {
    const fetch = toFetch((request) =>
      Response.json([
        request.method,
        request.path,
        request.rawQuery,
        request.host,
        request.secure,
        request.header('x-a'),
        request.remoteAddress ?? null,
        readJson(request),
      ]),
    );
    const response = await fetch(
      new WebRequest('https://example.org:8443/a//b%2Fc/%64?x=%20', {
        method: 'PATCH',
        headers: { 'Content-Type': 'application/json', 'X-A': '1' },
        body: '{"n":1}',
      }),
    );
    expect(await response.json()).toEqual(['PATCH', '/a/b%2Fc/d', 'x=%20', 'example.org:8443', true, '1', null, { n: 1 }]);
  });

  it('gives status, fields with several lines, and each kind of body', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'a.txt'), 'of a file');
    const fetch = toFetch((request) => {
      if (match(request, 'GET /text')) return Response.text('té').withCookie('a', '1').withCookie('b', '2').withStatus(201);
      if (match(request, 'GET /file')) return Response.file(join(folder, 'a.txt'));
      if (match(request, 'GET /stream')) return Response.stream('text/plain', ['one ', Buffer.from('two')]);
      if (match(request, 'GET /web')) return new WebResponse('of the web', { status: 202 });
      if (match(request, 'GET /reset')) return Response.text('nothing').withStatus(205);
      return Response.empty();
    });
    const get = (path: string): Promise<globalThis.Response> => fetch(new WebRequest(`http://a${path}`));
    const text = await get('/text');
    expect([text.status, text.headers.getSetCookie().length, text.headers.get('content-length'), await text.text()]).toEqual([
      201,
      2,
      '3',
      'té',
    ]);
    const file = await get('/file');
    expect([file.headers.get('content-type'), file.headers.get('content-length'), await file.text()]).toEqual([
      'text/plain; charset=utf-8',
      '9',
      'of a file',
    ]);
    const stream = await get('/stream');
    expect([stream.headers.get('content-length'), await stream.text()]).toEqual([null, 'one two']);
    const web = await get('/web');
    expect([web.status, await web.text()]).toEqual([202, 'of the web']);
    expect((await get('/reset')).body).toBeNull();
    const empty = await get('/');
    expect([empty.status, empty.body]).toEqual([204, null]);
  });

  it('announces to HEAD what GET would send, and sends none of it (RFC 9110 §9.3.2)', async () => {
    const response = await toFetch(() => Response.text('12345'))(new WebRequest('http://a/', { method: 'HEAD' }));
    expect([response.headers.get('content-length'), response.body]).toEqual(['5', null]);
  });

  it('answers errors as our own server does, and never rejects', async () => {
    const errors: unknown[] = [];
    const failures: Readonly<Record<string, () => Response>> = {
      '/http': () => {
        throw new HttpError(418, 'Short and stout');
      },
      '/bug': () => {
        throw new Error('secret');
      },
      '/nothing': () => undefined as unknown as Response,
      '/high': () => Response.text('').withStatus(999),
      '/gone': () => gone,
    };
    const folder = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
    writeFileSync(join(folder, 'a.txt'), 'gone soon');
    const gone = Response.file(join(folder, 'a.txt'));
    rmSync(folder, { recursive: true });
    const fetch = toFetch((request) => (failures[request.path] as () => Response)(), {
      onError: (error, request) => void errors.push([request.path, (error as Error).name]),
    });
    const answers: unknown[] = [];
    for (const path of Object.keys(failures)) {
      const response = await fetch(new WebRequest(`http://a${path}`));
      answers.push([response.status, await response.text()]);
    }
    expect(answers).toEqual([[418, 'Short and stout'], ...Array.from({ length: 4 }, () => [500, 'Internal Server Error'])]);
    expect(errors).toEqual([
      ['/bug', 'Error'],
      ['/nothing', 'TypeError'],
      ['/high', 'RangeError'],
      ['/gone', 'Error'],
    ]);
    expect((await fetch(new WebRequest('http://a/%00'))).status).toBe(400);
  });

  it('refuses a body that is too large with 413, announced or not', async () => {
    const fetch = toFetch((request) => Response.text(String(request.body.size)), { maxBodySize: 10 });
    const post = async (body: string | ReadableStream): Promise<number> =>
      (await fetch(new WebRequest('http://a/', { method: 'POST', body, duplex: 'half' }))).status;
    expect(await post('x'.repeat(10))).toBe(200);
    expect(await post('x'.repeat(11))).toBe(413);
    expect(await post(Readable.toWeb(Readable.from([Buffer.alloc(6), Buffer.alloc(6)])) as ReadableStream)).toBe(413);
  });

  it('calls no handler for a body that breaks off', async () => {
    const calls: unknown[] = [];
    const fetch = toFetch((request) => {
      calls.push(request);
      return Response.empty();
    });
    const body = new ReadableStream({ start: (controller) => controller.error(new Error('gone')) });
    expect((await fetch(new WebRequest('http://a/', { method: 'POST', body, duplex: 'half' }))).status).toBe(400);
    expect(calls).toEqual([]);
  });

  it('hands a body over as it comes when streamBody says so', async () => {
    const asked = deferred<void>();
    const fetch = toFetch(
      async (request) => {
        asked.resolve();
        return Response.text(String((await request.body.stream().toArray()).length));
      },
      { streamBody: () => true },
    );
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const response = fetch(new WebRequest('http://a/', { method: 'POST', body: readable, duplex: 'half' }));
    await asked.promise; // before anything of the body is there
    await writer.write(Buffer.from('a'));
    await writer.close();
    expect(await (await response).text()).toBe('1');
  });

  it('makes no more of a body than is asked for, and lets go of it when it is cancelled', async () => {
    let made = 0;
    const over: string[] = [];
    const fetch = toFetch((request) => {
      request.onEnd(() => over.push('released'));
      request.signal.addEventListener('abort', () => over.push('aborted'));
      return Response.stream(
        'text/plain',
        (async function* () {
          try {
            for (;;) yield `piece ${++made}`;
          } finally {
            over.push('dropped');
          }
        })(),
      );
    });
    const response = await fetch(new WebRequest('http://a/'));
    expect(made).toBe(0);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe('piece 1');
    expect(made).toBe(1);
    await reader.cancel();
    await until(
      () => (over.length === 3 ? true : undefined),
      () => `the end: ${over.join()}`,
    );
    expect(over.toSorted()).toEqual(['aborted', 'dropped', 'released']);
  });

  it('breaks the body off, and tells onError, when a stream gives another number of bytes than announced', async () => {
    const errors: unknown[] = [];
    const fetch = toFetch(() => Response.stream('text/plain', ['123'], 5), { onError: (error) => void errors.push(error) });
    const response = await fetch(new WebRequest('http://a/'));
    await expect(response.text()).rejects.toThrow();
    expect(errors).toMatchObject([{ code: 'wrong-length' }]);
  });

  it('has the address that the second argument gives, as answerWithFetch does, and none from what else servers pass', async () => {
    const fetch = toFetch((request) => Response.json([request.remoteAddress, request.remotePort]));
    const get = async (client?: object) => (await fetch(new WebRequest('http://a/'), client)).json();
    expect(await get({ remoteAddress: '192.0.2.1', remotePort: 5 })).toEqual(['192.0.2.1', 5]);
    expect(await get()).toEqual([null, null]);
    expect(await get(null as unknown as object)).toEqual([null, null]);
    expect(await get({ remoteAddress: {}, waitUntil: () => {} })).toEqual([null, null]);
  });

  it('aborts request.signal when the signal of the request does', async () => {
    const controller = new AbortController();
    const asked = deferred<AbortSignal>();
    const response = toFetch((request) => {
      asked.resolve(request.signal);
      return new Promise((resolve) => request.signal.addEventListener('abort', () => resolve(Response.text('too late'))));
    })(new WebRequest('http://a/', { signal: controller.signal }));
    expect((await asked.promise).aborted).toBe(false);
    controller.abort();
    expect((await response).status).toBe(200);
    expect((await asked.promise).reason).toMatchObject({ name: 'AbortError', message: 'The client has gone away' });
  });

  it('tells a client that wants a websocket that there is none here', async () => {
    const headers = {
      Upgrade: 'websocket',
      Connection: 'Upgrade',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Version': '13',
    };
    expect((await toFetch((request) => websocket(request, () => {}))(new WebRequest('http://a/', { headers }))).status).toBe(426);
  });

  it('refuses a wrong option at once', () => {
    expect(() => toFetch(() => Response.empty(), { maxBodySize: Number.NaN })).toThrow(expect.objectContaining({ code: 'bad-option' }));
    expect(() => toFetch(() => Response.empty(), { onError: 1 } as unknown as GuestOptions)).toThrow(
      expect.objectContaining({ code: 'bad-option' }),
    );
    expect(() => toFetch(undefined as never)).toThrow(TypeError);
  });
});

describe('answerWithFetch', () => {
  const impossible = ['a:99999', 'xn--a', '1.2.3.4.5'].filter((host) => !URL.canParse(`http://${host}/`)); // Node.js 26 takes the second
  it.each(impossible)('answers 400 when no URL can have the host %s, and onError hears nothing', async (host) => {
    const request = new Request({ headers: { Host: host } });
    await expect(answerWithFetch(request, () => new WebResponse('never'))).rejects.toMatchObject({ status: 400, name: 'HttpError' });
  });

  it('shows the function method, URL with the canonical path, fields and body', async () => {
    const request = new Request({
      method: 'POST',
      target: '/a/../b%20c//d%2Fe?q=1',
      headers: { Host: 'example.org', 'X-A': ['1', '2'], Connection: 'X-Secret', 'X-Secret': '1' },
      body: 'héllo',
      secure: true,
    });
    const response = await answerWithFetch(request, async (web) =>
      WebResponse.json([web.method, web.url, web.headers.get('x-a'), web.headers.get('x-secret'), await web.text()]),
    );
    expect(JSON.parse((await response.collect()).toString())).toEqual([
      'POST',
      'https://example.org/b%20c/d%2Fe?q=1',
      '1, 2',
      null,
      'héllo',
    ]);
  });

  it('gives a length in one spelling, and none that was not sent', async () => {
    const lengthOf = async (headers: Record<string, string>, method = 'POST', body = 'hello world') => {
      const response = await answerWithFetch(new Request({ method, headers, body }), (web) =>
        WebResponse.json(web.headers.get('content-length')),
      );
      return response.json();
    };
    expect(await lengthOf({ 'Content-Length': '00011' })).toBe('11'); // RFC 9110 §8.6: 1*DIGIT
    expect(await lengthOf({ 'Transfer-Encoding': 'chunked' })).toBeNull();
    expect(await lengthOf({ 'Content-Length': '0' }, 'POST', '')).toBe('0');
    expect(await lengthOf({ 'Content-Length': '11' }, 'GET')).toBeNull(); // there is no body either
  });

  describe('the client', () => {
    const CLAIMS = {
      Host: 'a',
      'X-Forwarded-For': '10.0.0.1',
      X_Forwarded_For: '10.0.0.2',
      'X-Forwarded-Host': 'evil.example',
      'X-Forwarded-Prefix': '/evil',
      Forwarded: 'for=10.0.0.3',
      'X-Real-IP': '10.0.0.4',
    };
    const about = [
      'x-forwarded-for',
      'x_forwarded_for',
      'x-forwarded-host',
      'x-forwarded-proto',
      'x-forwarded-prefix',
      'forwarded',
      'x-real-ip',
    ];
    const show = (web: globalThis.Request) =>
      WebResponse.json([(web as { ip?: string }).ip ?? null, ...about.map((name) => web.headers.get(name))]);

    it.each([
      ['192.0.2.1', 'for=192.0.2.1;host="a";proto=https'],
      ['2001:db8::1', 'for="[2001:db8::1]";host="a";proto=https'],
    ])('%s is told in the fields that applications read, in place of what it claims', async (remoteAddress, forwarded) => {
      const request = new Request({ headers: CLAIMS, remoteAddress, secure: true });
      expect((await answerWithFetch(request, show)).json()).toEqual([
        remoteAddress,
        remoteAddress,
        null,
        'a',
        'https',
        null,
        forwarded,
        null,
      ]);
    });

    it.each([undefined, 'nobody'])('whose address is %s is nobody, whatever it claims', async (remoteAddress) => {
      const response = await answerWithFetch(new Request({ headers: CLAIMS, remoteAddress }), show);
      expect(response.json()).toEqual([null, null, null, 'a', 'http', null, 'for=unknown;host="a";proto=http', null]);
    });

    it('behind a trusted proxy is the one that the proxy names', async () => {
      const { port } = await serve((request) => answerWithFetch(request, show), { trustProxy: ['127.0.0.1'] });
      const headers = { 'X-Forwarded-For': '10.0.0.1, 198.51.100.7', 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'shop.example' };
      const shown = await (await fetch(`http://127.0.0.1:${port}/`, { headers })).json();
      expect(shown).toEqual([
        '198.51.100.7',
        '198.51.100.7',
        null,
        'shop.example',
        'https',
        null,
        'for=198.51.100.7;host="shop.example";proto=https',
        null,
      ]);
    });

    it('is found by getConnInfo of Hono', async () => {
      const app = new Hono().get('/', (context) => context.json(getConnInfo(context)));
      for (const [remoteAddress, addressType] of [
        ['192.0.2.1', 'IPv4'],
        ['2001:db8::1', 'IPv6'],
      ] as const) {
        const response = await answerWithFetch(new Request({ headers: { Host: 'a' }, remoteAddress }), app);
        expect(response.json()).toEqual({ remote: { address: remoteAddress, addressType } });
      }
      const { port } = await serve((request) => answerWithFetch(request, app));
      const found = (await (await fetch(`http://127.0.0.1:${port}/`)).json()) as { remote: { address: string; port: number } };
      expect([found.remote.address, found.remote.port > 0]).toEqual(['127.0.0.1', true]);
    });

    it('keeps its address through both doors', async () => {
      const app = toFetch((request) => Response.text(`${request.remoteAddress}`));
      const response = await answerWithFetch(new Request({ remoteAddress: '192.0.2.1' }), app);
      expect((await response.collect()).toString()).toBe('192.0.2.1');
    });
  });

  it('takes an application that has fetch as a method', async () => {
    const app = {
      name: 'app',
      fetch: (web: globalThis.Request): globalThis.Response => new WebResponse(app.name + new URL(web.url).pathname),
    };
    expect((await (await answerWithFetch(new Request({ target: '/x' }), app)).collect()).toString()).toBe('app/x');
  });

  it('gives the response with its status and all its fields', async () => {
    const response = await answerWithFetch(
      new Request(),
      () =>
        new WebResponse(null, {
          status: 207,
          headers: [
            ['Set-Cookie', 'a=1'],
            ['Set-Cookie', 'b=2'],
          ],
        }),
    );
    expect([response.status, response.headers]).toEqual([
      207,
      [
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
      ],
    ]);
  });

  it('does not say that a body is compressed which fetch has decoded', async () => {
    const { port } = await serve(() =>
      Response.bytes('text/plain', Buffer.from('H4sIAAAAAAAAA8tIzcnJBwCGphA2BQAAAA==', 'base64')).withHeader('Content-Encoding', 'gzip'),
    );
    const response = await answerWithFetch(new Request(), () => fetch(`http://127.0.0.1:${port}/`));
    expect((await response.collect()).toString()).toBe('hello');
    expect([response.header('content-encoding'), response.header('content-length')]).toEqual([undefined, undefined]);
  });

  it('passes bodies on as they come, both ways', async () => {
    const { port } = await serve((request) => answerWithFetch(request, (web) => new WebResponse(web.body)), { streamBody: () => true });
    const client = await talk(port);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n');
    await client.until(/\r\n\r\n3\r\none\r\n/); // the answer has begun, the request has not ended
    client.send('3\r\ntwo\r\n0\r\n\r\n');
    expect((await client.answers(1))[0]?.body).toBe('onetwo');
  });

  it('aborts the signal and cancels the body when the client goes', async () => {
    const told: string[] = [];
    let timer: NodeJS.Timeout | undefined;
    const { port, server } = await serve((request) =>
      answerWithFetch(request, (web) => {
        web.signal.addEventListener('abort', () => told.push('aborted'));
        return new WebResponse(
          new ReadableStream({
            start: (controller) => {
              timer = setInterval(() => controller.enqueue(Buffer.from('piece')), 10);
            },
            cancel: () => {
              clearInterval(timer);
              told.push('cancelled');
            },
          }),
        );
      }),
    );
    const client = await talk(port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until(/piece/);
    client.socket.destroy(); // the next piece that is sent to it finds nobody
    await until(
      () => (told.length === 2 ? true : undefined),
      () => `abort and cancel: told ${told.join()}, ${server.status().connections} connections`,
    );
    expect(told.toSorted()).toEqual(['aborted', 'cancelled']);
  });

  it('keeps a body that nobody has begun to read, whatever is collected as garbage', async () => {
    const { port } = await serve(() => Response.text('x'.repeat(100_000)));
    const response = await answerWithFetch(new Request(), () => fetch(`http://127.0.0.1:${port}/`));
    await collectGarbage();
    expect((await response.collect()).length).toBe(100_000);
  });

  it('is a 500 when the function throws or gives no Response', async () => {
    const errors: unknown[] = [];
    const { port } = await serve(
      (request) =>
        answerWithFetch(request, () => {
          if (request.path === '/throw') throw new Error('broken');
          return undefined as unknown as globalThis.Response;
        }),
      { onError: (error) => void errors.push((error as Error).message) },
    );
    expect((await fetch(`http://127.0.0.1:${port}/throw`)).status).toBe(500);
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(500);
    expect(errors).toEqual(['broken', 'Cannot answer with fetch: the function returned undefined, not a web-standard Response']);
  });

  it('refuses a method that a web-standard Request cannot have with 501', async () => {
    await expect(answerWithFetch(new Request({ method: 'TRACK' }), () => new WebResponse())).rejects.toMatchObject({ status: 501 });
  });

  it('goes there and back: our handler in a function in an answer', async () => {
    const app = toFetch((request) => Response.text(`${request.method} ${request.path} ${request.host} ${request.body.text()}`));
    const response = await answerWithFetch(new Request({ method: 'POST', target: '/a', headers: { Host: 'b' }, body: 'c' }), app);
    expect((await response.collect()).toString()).toBe('POST /a b c');
  });
});

describe('the Request of answerWithFetch', () => {
  const post = (body = '{"a":1}', headers: Readonly<Record<string, string>> = {}): Request =>
    new Request({ method: 'POST', target: '/a?b=c', headers: { Host: 'a.example', 'X-A': '1', ...headers }, body });

  it('is a real one to whatever takes one: new Request, fetch, clone', async () => {
    const { port } = await serve((request) => Response.text(`${request.method} ${request.header('x-a')} ${request.body.text()}`));
    const web = (): globalThis.Request => toWebRequest(post('text', { Host: `127.0.0.1:${port}` }));
    expect(await (await fetch(web())).text()).toBe('POST 1 text');
    const made = new WebRequest(web(), { method: 'PUT' });
    expect([made.method, made.headers.get('x-a'), await made.text()]).toEqual(['PUT', '1', 'text']);
    const copied = web();
    const copy = copied.clone();
    expect([await copy.text(), copy.headers.get('x-a'), await copied.text()]).toEqual(['text', '1', 'text']);
  });

  it('says of itself what a real one says', () => {
    const names = ['cache', 'credentials', 'destination', 'duplex', 'integrity', 'keepalive', 'mode', 'redirect', 'referrer', 'bodyUsed'];
    const of = (web: globalThis.Request): unknown[] => names.map((name) => Reflect.get(web, name) as unknown);
    const real = new WebRequest('http://a.example/a?b=c', { method: 'POST', body: '{"a":1}' });
    expect(of(toWebRequest(post()))).toEqual(of(real));
    expect(Object.prototype.toString.call(toWebRequest(post()))).toBe('[object Request]');
  });

  it.each(['text', 'json', 'arrayBuffer', 'blob'] as const)('gives its body once: %s', async (method) => {
    const web = toWebRequest(post());
    const once = web[method]();
    expect(web.bodyUsed).toBe(true);
    await once;
    expect([web.bodyUsed, web.body === null]).toEqual([true, false]);
    for (const again of ['text', 'json', 'arrayBuffer', 'blob'] as const) await expect(web[again]()).rejects.toThrow(TypeError);
    expect(() => web.clone()).toThrow(TypeError);
    expect(() => new WebRequest(web)).toThrow(TypeError);
  });

  it('decodes a body as a real one does', async () => {
    const bytes = Buffer.from([0xef, 0xbb, 0xbf, 0x22, 0xff, 0xc3, 0xa9, 0x22]);
    const request = new Request({ method: 'POST', body: bytes });
    const real = (): globalThis.Request => new WebRequest('http://a/', { method: 'POST', body: bytes });
    expect(await toWebRequest(request).text()).toBe(await real().text());
    expect(await toWebRequest(request).json()).toBe(await real().json());
    const copy = await toWebRequest(request).arrayBuffer();
    expect(Buffer.from(copy)).toEqual(bytes);
    new Uint8Array(copy).fill(0);
    expect(request.body.bytes()).toEqual(bytes); // a copy of its own, as everywhere in the web
  });

  it('keeps the fields that the application has set, before and after somebody looked inside', () => {
    const web = toWebRequest(post());
    const { headers, signal } = web;
    headers.set('x-a', '2');
    expect(new WebRequest(web.clone()).headers.get('x-a')).toBe('2');
    headers.delete('x-a');
    headers.set('x-b', '3');
    const copy = web.clone();
    expect([copy.headers.get('x-a'), copy.headers.get('x-b')]).toEqual([null, '3']);
    expect([web.headers === headers, web.signal === signal]).toEqual([true, true]);
  });

  it.each(['/a', '/caf%C3%A9', "/o'neill", '/a?b=c&d[]=%zz', '/?q=\'"<>', '/a%7Bb?x={y}', '/a|b?c|d', '/%5E', '/a?^`'])(
    'has the URL that the web makes of the target %s',
    (target) => {
      const { url } = toWebRequest(new Request({ target, headers: { Host: 'a.example:80' } }));
      expect(url).toBe(new URL(url).href);
      expect(url.startsWith('http://a.example/')).toBe(true);
    },
  );

  it('has the origin of its own Host, whatever the last request had', () => {
    const urls = ['a', 'b:81', 'a', 'a:443'].map((Host) => toWebRequest(new Request({ headers: { Host }, secure: true })).url);
    expect(urls).toEqual(['https://a/', 'https://b:81/', 'https://a/', 'https://a/']);
  });
});

describe('a web-standard Response of text or bytes', () => {
  it('goes out with its length, and not a second time', async () => {
    for (const body of ['héllo', Buffer.from('bytes')]) {
      const web = new WebResponse(body);
      const response = await answerWithFetch(new Request(), () => web);
      expect((await response.collect()).toString()).toBe(body.toString());
      expect(web.bodyUsed).toBe(true);
      await expect(answerWithFetch(new Request(), () => web)).rejects.toMatchObject({ code: 'body-used' });
    }
  });
});
