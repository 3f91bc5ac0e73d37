/**
 * Handlers of the web, and what is sent to them.
 *
 * @module
 */
import type { Talk } from '../support/serve.ts';

/** Notes something that the handler has seen. */
export type Tell = (...what: unknown[]) => void;
/** What both servers call. */
export type WebHandler = (web: globalThis.Request) => globalThis.Response | Promise<globalThis.Response>;

/** One exchange. */
export interface Case {
  readonly answer: (web: globalThis.Request, tell: Tell) => globalThis.Response | Promise<globalThis.Response>;
  /** The whole request, or its beginning. */
  readonly bytes: string;
  /** Whether our server gives the body as it comes. Default false. */
  readonly streamBody?: boolean;
  /** What the client does then. */
  readonly play?: (client: Talk, hasTold: (what: unknown) => Promise<void>) => Promise<void>;
  /** What is not the same, and the row of docs/helpers/fetch.md that says so. */
  readonly differs?: { readonly row: string; readonly ours: object; readonly theirs: object };
}

const CLOSE = 'Host: a.example\r\nConnection: close\r\n';
const Web = globalThis.Response;
/** Whether a Response lets others see what it was made of, as in Node.js 20 and 22. */
const SHOWS_SOURCE = Object.getOwnPropertySymbols(new Web()).length > 0;

/** A request without a body. */
const get = (target = '/', fields = ''): string => `GET ${target} HTTP/1.1\r\n${CLOSE}${fields}\r\n`;
/** A request for another host. */
const from = (host: string): string => `GET /x HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
/** A request with one. */
const post = (body: string, fields = '', method = 'POST'): string =>
  `${method} / HTTP/1.1\r\n${CLOSE}${fields}Content-Length: ${body.length}\r\n\r\n${body}`;
/** What is given, whatever is asked. */
const gives = (make: Case['answer']): Case => ({ answer: make, bytes: get() });
const heads = (make: Case['answer']): Case => ({ answer: make, bytes: get().replace('GET', 'HEAD') });
/** What a handler finds in a request. */
const finds = (bytes: string, find: (web: globalThis.Request) => unknown, streamBody = false): Case => ({
  bytes,
  streamBody,
  answer: async (web, tell) => {
    tell(await find(web));
    return new Web('found');
  },
});
/** The same with what is not the same. */
const differing = (row: string, one: Case, ours: object, theirs: object): Case => ({ ...one, differs: { row, ours, theirs } });
/** What our server says in place of the function. */
const refused = (status: number, body: string): object => ({
  status,
  body,
  framing: `${body.length} bytes`,
  fields: ['content-type: text/plain; charset=utf-8', 'x-content-type-options: nosniff'],
  told: [],
});
const OUR_FAILURE = refused(500, 'Internal Server Error');
const THEIR_FAILURE = {
  status: 500,
  body: 'Internal Server Error',
  framing: '21 bytes',
  fields: ['content-type: text/plain;charset=UTF-8'],
  told: [],
};
const EMPTY_400 = { status: 400, body: '', fields: [], told: [] };
/** What is found in the request, and nothing else of it differs. */
const told = (...what: unknown[]): object => ({ told: what });
const foundWith = (...what: unknown[]): object => ({
  status: 200,
  body: 'found',
  framing: '5 bytes',
  fields: ['content-type: text/plain;charset=UTF-8'],
  told: what,
});
const nameOf = (error: unknown): string => (error as Error).name;
const urlOf = (web: globalThis.Request): string => web.url;

function streamOf(...pieces: string[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => {
      for (const piece of pieces) controller.enqueue(Buffer.from(piece));
      controller.close();
    },
  });
}

/** Gives each piece in its own turn of the event loop, and then what `end` does. */
function slowly(
  pieces: readonly string[],
  end: (controller: ReadableStreamDefaultController<Uint8Array>) => void,
): ReadableStream<Uint8Array> {
  let next = 0;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
        const piece = pieces[next++];
        if (piece === undefined) end(controller);
        else controller.enqueue(Buffer.from(piece));
      },
    },
    { highWaterMark: 0 },
  );
}
const close = (controller: ReadableStreamDefaultController<Uint8Array>): void => controller.close();

const MULTIPART =
  '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' +
  '--b\r\nContent-Disposition: form-data; name="f"; filename="x.txt"\r\nContent-Type: text/plain\r\n\r\nfile\r\n--b--\r\n';

async function entriesOf(web: globalThis.Request): Promise<unknown[]> {
  // oxlint-disable-next-line typescript/no-deprecated -- what applications call
  const entries = [...(await web.formData())];
  return Promise.all(
    entries.map(async ([name, value]) => [name, typeof value === 'string' ? value : [value.name, value.type, await value.text()]]),
  );
}

/** All cases, by what they show. */
export const CASES: Readonly<Record<string, Case>> = {
  // What is answered.
  text: gives(() => new Web('héllo')),
  JSON: gives(() => Web.json({ a: [1, 'é'] })),
  'text of a type of its own': gives(() => new Web('<p>', { headers: { 'Content-Type': 'text/html' } })),
  bytes: gives(() => new Web(Uint8Array.of(0, 0xff, 10), { headers: { 'Content-Type': 'application/octet-stream' } })),
  'bytes without a type': differing(
    'a body without a type',
    gives(() => new Web(Uint8Array.of(0x61))),
    { fields: [] },
    { fields: ['content-type: text/plain; charset=UTF-8'] },
  ),
  URLSearchParams: gives(() => new Web(new URLSearchParams({ a: 'b c' }))),
  'a Blob': gives(() => new Web(new Blob(['blob'], { type: 'text/x-blob' }))),
  'an empty text': gives(() => new Web('')),
  nothing: differing(
    'a Response without a body',
    gives(() => new Web(null)),
    { framing: '0 bytes' },
    { framing: 'chunked' },
  ),
  'nothing, with 404': differing(
    'a Response without a body',
    gives(() => new Web(null, { status: 404 })),
    { framing: '0 bytes' },
    { framing: 'chunked' },
  ),
  '204': gives(() => new Web(null, { status: 204 })),
  '205': differing(
    'a Response without a body',
    gives(() => new Web(null, { status: 205 })),
    { framing: '0 bytes' },
    { framing: 'chunked' },
  ),
  '304 with validators': gives(() => new Web(null, { status: 304, headers: { ETag: '"1"', 'Cache-Control': 'no-cache' } })),
  'a status nobody knows': gives(() => new Web('x', { status: 599, headers: { 'Content-Type': 'a/b' } })),
  'a redirect': differing(
    'a Response without a body',
    gives(() => Web.redirect('http://b.example/c?d', 302)),
    { framing: '0 bytes' },
    { framing: 'chunked' },
  ),
  'a status text': gives(() => new Web('x', { statusText: 'Fine', headers: { 'Content-Type': 'a/b' } })),
  'several cookies': gives(
    () =>
      new Web('x', {
        headers: [
          ['Content-Type', 'a/b'],
          ['Set-Cookie', 'a=1; Path=/'],
          ['Set-Cookie', 'b=2'],
          ['X-A', '1'],
          ['X-A', '2'],
        ],
      }),
  ),
  'a field with a byte above ASCII': gives(() => new Web('x', { headers: { 'Content-Type': 'a/b', 'X-A': 'caf\xe9' } })),
  'Content-Encoding of its own': gives(() => new Web('as it is', { headers: { 'Content-Encoding': 'gzip', 'Content-Type': 'a/b' } })),
  'fields of the connection': differing(
    'TE, Trailer, Upgrade and what Connection names, both ways',
    gives(() => new Web('x', { headers: { 'Keep-Alive': 'timeout=9', TE: 'trailers', 'Content-Type': 'a/b' } })),
    { fields: ['content-type: a/b'] },
    { fields: ['content-type: a/b', 'te: trailers'] },
  ),
  'a clone': differing(
    'a clone of a Response',
    gives(() => new Web('twice', { headers: { 'Content-Type': 'a/b' } }).clone()),
    { framing: SHOWS_SOURCE ? '5 bytes' : 'chunked' },
    { framing: '5 bytes' },
  ),

  // Streams.
  'a stream of one piece': gives(() => new Web(streamOf('one'), { headers: { 'Content-Type': 'a/b' } })),
  'a stream of two pieces that are there': gives(() => new Web(streamOf('one', 'two'), { headers: { 'Content-Type': 'a/b' } })),
  'a stream of many pieces that are there': gives(() => new Web(streamOf('1', '2', '3', '4', '5'), { headers: { 'Content-Type': 'a/b' } })),
  'an empty stream': gives(() => new Web(streamOf(), { headers: { 'Content-Type': 'a/b' } })),
  'a stream of pieces that come': gives(() => new Web(slowly(['one', 'two'], close), { headers: { 'Content-Type': 'a/b' } })),
  'a stream with its Content-Length': gives(
    () => new Web(slowly(['one', 'two'], close), { headers: { 'Content-Type': 'a/b', 'Content-Length': '6' } }),
  ),
  'a stream without a type': differing(
    'a body without a type',
    gives(() => new Web(slowly(['one', 'two'], close))),
    { fields: [] },
    { fields: ['content-type: text/plain; charset=UTF-8'] },
  ),
  'a stream that fails at once': differing(
    'a function that throws, or gives no Response; a body that fails at once',
    gives(
      () =>
        new Web(new ReadableStream({ start: (controller) => controller.error(new Error('broken')) }), {
          headers: { 'Content-Type': 'a/b' },
        }),
    ),
    OUR_FAILURE,
    { status: 500, body: 'Error: broken', framing: 'chunked', fields: ['content-type: text/plain'] },
  ),
  'a stream that fails in the middle': gives(
    () =>
      new Web(
        slowly(['one'], (controller) => controller.error(new Error('broken'))),
        { headers: { 'Content-Type': 'a/b' } },
      ),
  ),
  'a stream with less than its Content-Length': gives(
    () => new Web(slowly(['one'], close), { headers: { 'Content-Type': 'a/b', 'Content-Length': '9' } }),
  ),
  'a stream that is large': gives(
    () => new Web(slowly(['x'.repeat(300_000), 'y'.repeat(300_000)], close), { headers: { 'Content-Type': 'a/b' } }),
  ),
  'a stream that the client leaves': {
    bytes: get(),
    answer: (web, tell) => {
      let count = 0;
      const note = (): void => {
        if (++count === 2) tell('aborted and cancelled'); // in either order
      };
      web.signal.addEventListener('abort', note);
      const body = new ReadableStream({
        start: (controller) => controller.enqueue(Buffer.from('first')),
        cancel: note,
      });
      return new Web(body, { headers: { 'Content-Type': 'a/b' } });
    },
    play: async (client, hasTold) => {
      await client.until(/first/);
      client.socket.destroy();
      await hasTold('aborted and cancelled');
    },
  },

  // Failures.
  'a handler that throws': differing(
    'a function that throws, or gives no Response; a body that fails at once',
    gives(() => {
      throw new Error('broken');
    }),
    OUR_FAILURE,
    THEIR_FAILURE,
  ),
  'a handler that rejects': differing(
    'a function that throws, or gives no Response; a body that fails at once',
    { bytes: get(), answer: () => Promise.reject(new Error('broken')) },
    OUR_FAILURE,
    THEIR_FAILURE,
  ),
  'a handler that gives nothing': differing(
    'a function that throws, or gives no Response; a body that fails at once',
    gives(() => undefined as unknown as globalThis.Response),
    OUR_FAILURE,
    THEIR_FAILURE,
  ),
  'Response.error()': differing(
    'a function that throws, or gives no Response; a body that fails at once',
    gives(() => Web.error()),
    OUR_FAILURE,
    { status: 500, body: 'Error: Invalid status code: 0', framing: 'chunked', fields: ['content-type: text/plain'] },
  ),

  // HEAD.
  'HEAD of a text': heads(() => new Web('hello')),
  'HEAD of a stream': differing(
    'HEAD of a stream',
    heads(() => new Web(slowly(['one', 'two'], close), { headers: { 'Content-Type': 'a/b' } })),
    { framing: 'chunked' },
    { framing: 'none' },
  ),
  'HEAD of a stream with its Content-Length': heads(
    () => new Web(slowly(['one', 'two'], close), { headers: { 'Content-Type': 'a/b', 'Content-Length': '6' } }),
  ),
  'HEAD of nothing': differing(
    'a Response without a body',
    heads(() => new Web(null)),
    { framing: '0 bytes' },
    { framing: 'none' },
  ),
  'HEAD of nothing, with a Content-Length': heads(() => new Web(null, { headers: { 'Content-Length': '6' } })),

  // What is asked.
  'method and URL': finds(get('/a/b?c=d&c=e'), (web) => [web.method, web.url]),
  'an instance of Request': finds(get(), (web) => web instanceof globalThis.Request),
  'DELETE with a body': finds(post('hello', '', 'DELETE'), async (web) => [web.method, await web.text()]),
  PATCH: finds(post('hello', '', 'PATCH'), async (web) => [web.method, await web.text()]),
  OPTIONS: differing(
    'a request without content',
    finds(get().replace('GET', 'OPTIONS'), (web) => [web.method, web.url, web.body === null]),
    told(['OPTIONS', 'http://a.example/', true]),
    told(['OPTIONS', 'http://a.example/', false]),
  ),
  'OPTIONS *': differing(
    '`OPTIONS *`',
    finds(get('*').replace('GET', 'OPTIONS'), (web) => [web.method, web.url]),
    { status: 204, body: '', fields: [], framing: 'none', told: [] },
    THEIR_FAILURE,
  ),
  TRACE: differing(
    'TRACE',
    finds(get().replace('GET', 'TRACE'), (web) => web.method),
    {
      ...refused(405, 'Cannot serve request: TRACE is not allowed'),
      fields: [
        'allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
        'content-type: text/plain; charset=utf-8',
        'x-content-type-options: nosniff',
      ],
    },
    foundWith('TRACE'),
  ),
  'a method that node:http does not know': differing(
    'a method that node:http does not know',
    finds(get().replace('GET', 'FOO'), (web) => web.method),
    foundWith('FOO'),
    { ...EMPTY_400, framing: 'none' },
  ),
  'fields, of which some are repeated': finds(
    get('/', 'X-A: 1\r\nx-a: 2\r\nCookie: a=1\r\nCookie: b=2\r\nAccept: */*\r\nX-Empty:\r\n'),
    (web) => ['x-a', 'cookie', 'accept', 'x-empty', 'x-none', 'host'].map((name) => web.headers.get(name)),
  ),
  'a field with bytes above ASCII': finds(get('/', 'X-A: caf\xe9\r\n'), (web) => web.headers.get('x-a')),
  'all its fields': differing(
    'the fields that say who the client is',
    finds(get('/', 'X-A: 1\r\n'), (web) => [...web.headers]),
    told([
      ['forwarded', 'for=127.0.0.1;host="a.example";proto=http'],
      ['host', 'a.example'],
      ['x-a', '1'],
      ['x-forwarded-for', '127.0.0.1'],
      ['x-forwarded-host', 'a.example'],
      ['x-forwarded-proto', 'http'],
    ]),
    told([
      ['connection', 'close'],
      ['host', 'a.example'],
      ['x-a', '1'],
    ]),
  ),
  'Content-Length': finds(post('hello'), (web) => web.headers.get('content-length')),
  'a Content-Length with zeros': differing(
    'a Content-Length with zeros in front',
    finds(`POST / HTTP/1.1\r\n${CLOSE}Content-Length: 0005\r\n\r\nhello`, (web) => web.headers.get('content-length')),
    told('5'),
    told('0005'),
  ),
  'Expect: 100-continue': finds(post('hello', 'Expect: 100-continue\r\n'), (web) => web.text()),
  'what a client claims of itself': differing(
    'the fields that say who the client is',
    finds(get('/', 'X-Forwarded-For: 10.0.0.1\r\nX-Real-IP: 10.0.0.2\r\n'), (web) => [
      web.headers.get('x-forwarded-for'),
      web.headers.get('x-real-ip'),
    ]),
    told(['127.0.0.1', null]),
    told(['10.0.0.1', '10.0.0.2']),
  ),

  // Bodies.
  'a body as text': finds(post('h\xc3\xa9llo'), (web) => web.text()),
  'a body as JSON': finds(post('{"a":1}'), (web) => web.json()),
  'a body that is no JSON': finds(post('{'), (web) => web.json().catch(nameOf)),
  'a body as bytes': finds(post('\x00\xff'), async (web) => [...new Uint8Array(await web.arrayBuffer())]),
  'a body as a Blob': finds(post('hello', 'Content-Type: text/plain\r\n'), async (web) => {
    const blob = await web.blob();
    return [blob.type, await blob.text()];
  }),
  'a form, urlencoded': finds(post('a=1&b=%C3%A9&a=2', 'Content-Type: application/x-www-form-urlencoded\r\n'), entriesOf),
  'a form, multipart with a file': finds(post(MULTIPART, 'Content-Type: multipart/form-data; boundary=b\r\n'), entriesOf),
  'a body in chunks': finds(`POST / HTTP/1.1\r\n${CLOSE}Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n`, (web) =>
    web.text(),
  ),
  'no body': differing(
    'a request without content',
    finds(post(''), async (web) => [await web.text(), web.bodyUsed]),
    told(['', false]),
    told(['', true]),
  ),
  'whether a POST without content has a body': differing(
    'a request without content',
    finds(post(''), (web) => web.body === null),
    told(true),
    told(false),
  ),
  'GET with a body': finds(post('hello', '', 'GET'), async (web) => [web.body === null, await web.text()]),
  'a body that has been used': finds(post('hello'), async (web) => {
    await web.text();
    return [web.bodyUsed, await web.text().catch(nameOf)];
  }),
  'a clone of the request': finds(post('hello'), async (web) => {
    const copy = web.clone();
    return [await web.text(), await copy.text(), copy.url, copy.method];
  }),
  'a new Request made of it': finds(post('hello', 'X-A: 1\r\n'), async (web) => {
    const copy = new globalThis.Request(web.url, { method: 'PUT', headers: web.headers, body: await web.text() });
    return [copy.method, copy.headers.get('x-a'), await copy.text()];
  }),
  'a large body': finds(post('x'.repeat(1_000_000)), async (web) => (await web.text()).length),
  'a body that is not read': { bytes: post('hello'), answer: () => new Web('ignored') },
  'a large body that is not read': { bytes: post('x'.repeat(1_000_000)), answer: () => new Web('ignored') },
  'a body of which a part is read': finds(post('x'.repeat(300_000)), async (web) => {
    const reader = web.body?.getReader();
    const first = await reader?.read();
    await reader?.cancel();
    return [first?.done, Buffer.from(first?.value ?? []).length > 0];
  }),
  'a body that is sent back as it comes': {
    bytes: post('x'.repeat(200_000)),
    streamBody: true,
    answer: (web) => new Web(web.body, { headers: { 'Content-Type': 'a/b' } }),
  },
  'a body that comes in two parts, as a stream': {
    bytes: `POST / HTTP/1.1\r\n${CLOSE}Content-Length: 6\r\n\r\none`,
    streamBody: true,
    answer: async (web, tell) => {
      const reader = web.body?.getReader();
      tell(Buffer.from((await reader?.read())?.value ?? []).toString());
      tell(Buffer.from((await reader?.read())?.value ?? []).toString());
      tell((await reader?.read())?.done);
      return new Web('both');
    },
    play: async (client, hasTold) => {
      await hasTold('one');
      client.send('two');
    },
  },
  'an answer before the body has come': {
    bytes: `POST / HTTP/1.1\r\n${CLOSE}Content-Length: 6\r\n\r\none`,
    streamBody: true,
    answer: () => new Web('no', { status: 401 }),
    play: async (client) => {
      await client.until(/no$/);
      client.socket.destroy();
    },
  },
  'a client that leaves within its body': {
    bytes: `POST / HTTP/1.1\r\n${CLOSE}Content-Length: 6\r\n\r\none`,
    streamBody: true,
    answer: async (web, tell) => {
      tell('called');
      await web.text().catch((error: unknown) => tell(error instanceof Error));
      return new Web('nobody hears');
    },
    play: async (client, hasTold) => {
      await hasTold('called');
      client.socket.destroy();
      await hasTold(true);
    },
  },

  // The signal.
  'a signal that has not aborted': finds(get(), (web) => web.signal.aborted),
  'a client that leaves before the answer': differing(
    'the reason of an aborted signal',
    {
      bytes: get(),
      answer: async (web, tell) => {
        const aborted = new Promise<void>((resolve) => web.signal.addEventListener('abort', () => resolve()));
        tell('called');
        await aborted;
        tell((web.signal.reason as Error).name);
        tell('aborted');
        return new Web('nobody hears');
      },
      play: async (client, hasTold) => {
        await hasTold('called');
        client.socket.destroy();
        await hasTold('aborted');
      },
    },
    told('called', 'AbortError', 'aborted'),
    told('called', undefined, 'aborted'),
  ),

  // URLs.
  ...Object.fromEntries(
    [
      '/',
      '/a/../b/./c',
      '/a/%2e%2e/b',
      '/a%2Fb',
      '/a%20b',
      '/caf%C3%A9',
      "/@bob;v=1,2:3!$&'()*",
      '/a%20b+c',
      '/a%252Fb',
      '/?q=a+b&c=%20&d=%zz',
      '/?q=\'"<>{}|',
      '/?a?b/../c',
      'http://b.example/c?d',
    ].map((target) => [`the target ${target}`, finds(get(target), urlOf)]),
  ),
  ...Object.fromEntries(
    [
      ['//a//b', '//a//b', '/a/b'],
      ['/%7Efoo/%41', '/%7Efoo/%41', '/~foo/A'],
      ['/a#frag', '/a#frag', '/a'],
      ['/?', '/?', '/'],
    ].map(([target, there, here]) => [
      `the target ${target}`,
      differing(
        'a path with several spellings',
        finds(get(target), urlOf),
        told(`http://a.example${here}`),
        told(`http://a.example${there}`),
      ),
    ]),
  ),
  ...Object.fromEntries(
    ['/%zz', '/%ff', '/%00', '/a\\b'].map((target) => [
      `the target ${target}`,
      differing(
        'a path without a safe meaning',
        finds(get(target), urlOf),
        refused(400, 'Cannot serve request: the target holds a broken escape, broken UTF-8, NUL or a backslash'),
        target === '/a\\b' ? THEIR_FAILURE : foundWith(`http://a.example${target}`),
      ),
    ]),
  ),
  'bytes above ASCII in the target': differing(
    'a malformed request',
    finds(get('/caf\xc3\xa9'), urlOf),
    refused(400, 'Cannot read request line: the target is empty or holds a character that no target has'),
    { ...EMPTY_400, framing: 'none' },
  ),
  ...Object.fromEntries(['EXAMPLE.org:80', 'a:8080', '[::1]:8080', 'a_b'].map((host) => [`the host ${host}`, finds(from(host), urlOf)])),
  ...Object.fromEntries(
    ['a:99999', ...(URL.canParse('http://xn--a/') ? [] : ['xn--a'])].map((host) => [
      `the host ${host}`,
      differing(
        'a Host that no URL can have',
        finds(from(host), urlOf),
        refused(400, 'Host cannot stand in a URL'),
        host === 'xn--a' ? foundWith('http://xn--a/x') : THEIR_FAILURE,
      ),
    ]),
  ),
  ...Object.fromEntries(
    ['a b', 'a/b', 'a@b'].map((host) => [
      `the host ${host}`,
      differing('a malformed request', finds(from(host), urlOf), refused(400, 'Cannot serve request: Host is malformed'), THEIR_FAILURE),
    ]),
  ),
  ...Object.fromEntries(
    [
      ['a:', 'a'],
      ['127.1', '127.0.0.1'],
      ['a%41', 'aa'],
    ].map(([host = '', spelled = '']) => [
      `the host ${host}`,
      differing(
        'a Host that a URL spells in another way',
        finds(from(host), urlOf),
        foundWith(`http://${spelled}/x`),
        host === '127.1' ? foundWith('http://127.1/x') : THEIR_FAILURE,
      ),
    ]),
  ),
  'an empty host': differing('no Host, or an empty one', finds(from(''), urlOf), foundWith('http://localhost/x'), THEIR_FAILURE),
  'no host in HTTP/1.1': differing(
    'a malformed request',
    finds('GET /x HTTP/1.1\r\nConnection: close\r\n\r\n', urlOf),
    refused(400, 'Cannot serve request: Host is missing'),
    { ...EMPTY_400, framing: 'chunked' },
  ),
  'no host in HTTP/1.0': differing(
    'no Host, or an empty one',
    finds('GET /x HTTP/1.0\r\n\r\n', urlOf),
    foundWith('http://localhost/x'),
    THEIR_FAILURE,
  ),
  'HTTP/1.0 and a stream': {
    bytes: 'GET /x HTTP/1.0\r\nHost: a\r\n\r\n',
    answer: () => new Web(slowly(['one', 'two'], close), { headers: { 'Content-Type': 'a/b' } }),
  },
};
