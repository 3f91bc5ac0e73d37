/** RFC 9112 §6, RFC 9110 §6.4, §8.6, §9.3.2: how responses are framed, whatever the handler does. */
import { expect, it } from 'vitest';
import { Response } from '../../src/index.ts';
import { type Answer, ask, deferred, NEXT, parseAnswers, serve, talk } from '../support/serve.ts';

const get = (path: string, method = 'GET'): string => `${method} ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

/** What one request and NEXT get from a handler; NEXT itself is answered `next`. */
async function outcome(
  handler: () => Response | Promise<Response>,
  request: string = get('/'),
): Promise<{ answers: Answer[]; text: string; errors: unknown[] }> {
  const errors: unknown[] = [];
  const { port } = await serve((asked) => (asked.path === '/next' ? Response.text('next') : handler()), {
    onError: (error) => void errors.push(error),
  });
  const client = await talk(port);
  client.send(request + NEXT);
  const text = await client.closed();
  return { answers: parseAnswers(text, false, (index) => index === 0 && request.startsWith('HEAD')), text, errors };
}

/** A head without what differs from second to second. */
function fieldsOf(answer: Answer | undefined): string[] {
  return (answer?.head ?? '').split('\r\n').filter((line) => !line.startsWith('Date: '));
}

async function* pieces(count: number, size: number): AsyncGenerator<Buffer> {
  for (let i = 0; i < count; i++) yield Buffer.alloc(size, 'x');
}

it.each([
  ['text', () => Response.text('hello')],
  ['text of more than one byte a character', () => Response.text('caf\xe9 \u2713')],
  ['no text', () => Response.text('')],
  ['bytes', () => Response.bytes('image/png', Buffer.alloc(100_000))],
  ['nothing with 200', () => Response.empty(200)],
  ['a stream of known size', () => Response.stream('text/plain', pieces(2, 5), 10)],
  ['a stream of unknown size', () => Response.stream('text/plain', pieces(2, 5))],
  ['a redirect', () => Response.redirect('/x')],
  ['a file', () => Response.file(new URL(import.meta.url).pathname)],
])('answers HEAD with the head of GET and no byte of body: %s', async (_what, handler) => {
  const [asGet, asHead] = [await outcome(handler), await outcome(handler, get('/', 'HEAD'))];
  expect(asGet.answers).toHaveLength(2);
  expect(asHead.answers).toHaveLength(2);
  expect(fieldsOf(asHead.answers[0])).toEqual(fieldsOf(asGet.answers[0]));
  expect(asHead.answers[1]?.body).toBe('next');
});

it.each([
  ['its framing', 'Content-Length: x\r\n', 400],
  ['its Host', 'Host: b\r\n', 400],
  ['a field', 'X : y\r\n', 400],
  ['its expectation', 'Expect: x\r\n', 417],
  ['the size of its body', 'Content-Length: 99999999999\r\n', 413],
])('refuses HEAD without a body, for %s', async (_what, line, status) => {
  const { port } = await serve(() => Response.text('x'));
  const client = await talk(port);
  client.send(`HEAD / HTTP/1.1\r\nHost: a\r\n${line}\r\n`);
  const text = await client.closed();
  expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(text.indexOf('\r\n\r\n')).toBe(text.length - 4);
});

it('announces to HEAD the length that a handler states without making the body', async () => {
  const { answers } = await outcome(() => Response.empty(200).withHeader('Content-Length', '1000'), get('/', 'HEAD'));
  expect(answers[0]?.headers['content-length']).toBe('1000');
  expect(answers[1]?.body).toBe('next');
});

it('lets go of the stream that HEAD does not want', async () => {
  const { promise, resolve } = deferred<void>();
  const stream = new ReadableStream({ cancel: () => resolve() });
  await outcome(() => new Response(stream), get('/', 'HEAD'));
  await promise;
});

it.each([204, 304])('sends neither body nor framing with %i', async (status) => {
  const { answers, text } = await outcome(() => Response.text('body').withStatus(status));
  expect(answers.map((answer) => answer.status)).toEqual([status, 200]);
  expect(answers[0]?.headers).not.toHaveProperty('content-length');
  expect(answers[0]?.headers).not.toHaveProperty('transfer-encoding');
  expect(text).not.toContain('body');
});

it('drops a stream given to 204', async () => {
  const { promise, resolve } = deferred<void>();
  const stream = new ReadableStream({ cancel: () => resolve() });
  const { answers } = await outcome(() => new Response(stream, { status: 204 }));
  expect(answers.map(({ status }) => status)).toEqual([204, 200]);
  await promise;
});

it('lets 304 state the length that 200 would have had, and 204 none', async () => {
  const of = (status: number) => outcome(() => Response.empty(status).withHeader('Content-Length', '1000'));
  expect((await of(304)).answers[0]?.headers['content-length']).toBe('1000');
  expect((await of(204)).answers[0]?.headers).not.toHaveProperty('content-length');
});

it('states 0 for a response without a body', async () => {
  const { answers } = await outcome(() => Response.empty(404));
  expect(answers[0]?.headers['content-length']).toBe('0');
});

it.each(['1', '999', '-1', 'x', '5, 5'])('sends the true length of a body, not the handler’s %j', async (length) => {
  const { answers, text } = await outcome(() => Response.text('hello').withHeader('Content-Length', length));
  expect(answers.map(({ body }) => body)).toEqual(['hello', 'next']);
  expect(text.match(/content-length/gi)).toHaveLength(2);
  expect(answers[0]?.headers['content-length']).toBe('5');
});

it.each([
  ['Transfer-Encoding', 'gzip'],
  ['Upgrade', 'h2c'],
  ['Keep-Alive', 'timeout=5'],
  ['Connection', 'X-Other'],
])('does not let a handler write %s', async (name, value) => {
  const { answers, text } = await outcome(() => Response.text('hello').withHeader(name, value));
  expect(answers.map(({ body }) => body)).toEqual(['hello', 'next']);
  expect(text).not.toContain(`${name}: ${value}`);
});

it('sends a stream in chunks, an empty piece being none', async () => {
  const { answers, text } = await outcome(() =>
    Response.stream('text/plain', ['a', '', new Uint8Array(), 'b\u2713', Buffer.alloc(100_000, 'c')]),
  );
  expect(answers[0]?.headers['transfer-encoding']).toBe('chunked');
  expect(answers[0]?.headers).not.toHaveProperty('content-length');
  expect(answers[0]?.body).toBe(`ab\xe2\x9c\x93${'c'.repeat(100_000)}`);
  expect(text).toContain('\r\n\r\n1\r\na\r\n4\r\nb\xe2\x9c\x93\r\n186a0\r\nccc');
  expect(answers[1]?.body).toBe('next');
});

it('sends an empty stream as an empty body', async () => {
  const { answers } = await outcome(() => Response.stream('text/plain', []));
  expect(answers.map(({ body }) => body)).toEqual(['', 'next']);
});

it('sends no more than was announced, and cuts the connection', async () => {
  const { text, errors } = await outcome(() => Response.stream('text/plain', ['hello', ' and more'], 7));
  expect(text).toMatch(/\r\nContent-Length: 7\r\n/);
  expect(text.slice(text.indexOf('\r\n\r\n') + 4)).toBe('hello');
  expect(errors).toHaveLength(1);
  expect(String(errors[0])).toContain('more than the 7 bytes announced');
});

it('cuts the connection when less comes than was announced', async () => {
  const { text, errors } = await outcome(() => Response.stream('text/plain', ['hello'], 7));
  expect(text.slice(text.indexOf('\r\n\r\n') + 4)).toBe('hello');
  expect(errors).toHaveLength(1);
  expect(String(errors[0])).toContain('5 of the 7 bytes announced');
});

async function* failing(): AsyncGenerator<string> {
  yield 'hello';
  await new Promise((resolve) => setImmediate(resolve));
  throw new Error('the source is gone');
}

it.each([
  ['chunks: without a last one', undefined, '5\r\nhello\r\n'],
  ['a known length', 10, 'hello'],
])('cuts the connection when a stream fails midway: %s', async (_what, size, body) => {
  const { text, errors } = await outcome(() => Response.stream('text/plain', failing(), size));
  expect(text).toMatch(/^HTTP\/1\.1 200 /);
  expect(text.slice(text.indexOf('\r\n\r\n') + 4)).toBe(body);
  expect(errors).toMatchObject([{ message: 'the source is gone' }]);
});

it('resets the connection when a body fails that only the end of the connection would end', async () => {
  const failure = deferred<void>();
  async function* failingLater(): AsyncGenerator<string> {
    yield 'hello';
    await failure.promise;
    throw new Error('the source is gone');
  }
  const { port } = await serve(() => Response.stream('text/plain', failingLater()), { onError: () => undefined });
  const client = await talk(port);
  client.send('GET / HTTP/1.0\r\n\r\n');
  await client.until(/hello$/); // a client that gets bytes and a reset at once may see an ordinary end
  failure.resolve();
  await client.closed();
  expect(client.isReset).toBe(true);
});

it('cuts the connection when a stream gives what is neither bytes nor text', async () => {
  const { text, errors } = await outcome(() => Response.stream('text/plain', ['hello', 7] as unknown as string[]));
  expect(text.endsWith('5\r\nhello\r\n')).toBe(true);
  expect(errors).toHaveLength(1);
});

it.each([
  ['CR LF in a value', () => Response.text('x').withHeader('X', 'a\r\nSet-Cookie: b')],
  ['LF in a value', () => Response.text('x').withHeader('X', 'a\nb')],
  ['CR in a value', () => Response.text('x').withHeader('X', 'a\rb')],
  ['NUL in a value', () => Response.text('x').withHeader('X', 'a\0b')],
  ['a character that has CR LF in its low bytes', () => Response.text('x').withHeader('X', 'a\u010d\u010ab')],
  ['CR LF in a name', () => Response.text('x').withHeader('X: a\r\nY', 'b')],
  ['a space in a name', () => Response.text('x').withHeader('X Y', 'b')],
  ['an empty name', () => Response.text('x').withHeader('', 'b')],
  ['CR LF among the first headers', () => new Response('x', { headers: { X: 'a\r\n\r\nb' } })],
  ['CR LF in Location', () => Response.redirect('/a\r\nX: b')],
  ['CR LF in a cookie', () => Response.text('x').withCookie('a', 'b', { path: '/\r\nX: y' })],
  ['CR LF in a content type', () => Response.bytes('text/plain\r\nX: y', 'x')],
  ['CR LF in the protocol of an upgrade', () => Response.upgrade('a\r\nX: y', () => {})],
  ['status 99', () => Response.text('x').withStatus(99)],
  ['status 101', () => Response.text('x').withStatus(101)],
  ['status 1000', () => Response.text('x').withStatus(1000)],
])('throws before a byte is written, and says 500: %s', async (_what, handler) => {
  const { answers, text, errors } = await outcome(handler);
  expect(answers.map(({ status }) => status)).toEqual([500, 200]);
  expect(errors).toHaveLength(1);
  expect(text).not.toMatch(/^(?:X|Y|Set-Cookie):/m);
});

function throwing(): Response {
  throw new Error('secret');
}

it.each([
  ['throws', () => Promise.reject(new Error('secret'))],
  ['throws at once', throwing],
  ['returns nothing', () => undefined as unknown as Response],
  ['returns text', () => 'secret' as unknown as Response],
])('says a bare 500 when a handler %s, and goes on', async (_what, handler) => {
  const { answers, text } = await outcome(handler);
  expect(answers.map(({ status }) => status)).toEqual([500, 200]);
  expect(text).not.toContain('secret');
});

it('sends Date once, and the handler’s own instead of ours', async () => {
  const ours = await outcome(() => Response.text('x'));
  expect(ours.answers[0]?.head.match(/^Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/gm)).toHaveLength(1);
  const own = await outcome(() => Response.text('x').withHeader('Date', 'Thu, 01 Jan 1970 00:00:00 GMT'));
  expect(own.answers[0]?.head.match(/^Date: .*$/gm)).toEqual(['Date: Thu, 01 Jan 1970 00:00:00 GMT']);
});

it('names no server', async () => {
  expect((await outcome(() => Response.text('x'))).text).not.toMatch(/^(?:server|x-powered-by):/im);
});

it('ends a status line without a reason in a space', async () => {
  expect((await outcome(() => Response.text('x').withStatus(299))).text).toMatch(/^HTTP\/1\.1 299 \r\n/);
});

it.each([
  ['without Host', 'HEAD / HTTP/1.1\r\n\r\n', 400],
  ['with a broken escape', 'HEAD /%zz HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['with an unknown expectation', 'HEAD / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n', 417],
  ['with too long a body', 'HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n', 413],
  ['with bad chunks', 'HEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n', 400],
])('sends no content when it refuses a HEAD %s (RFC 9110 §9.3.2)', async (_what, bytes, status) => {
  const { text } = await ask(bytes);
  expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [\\s\\S]*\\r\\nContent-Length: [1-9]`));
  expect(text.indexOf('\r\n\r\n')).toBe(text.length - 4);
});

it('sends content when it refuses what comes behind a HEAD', async () => {
  const { text } = await ask('HEAD / HTTP/1.1\r\nHost: a\r\n\r\nnonsense\r\n');
  expect(text).toMatch(/HTTP\/1\.1 400 [\s\S]*\r\n\r\nCannot read request line/);
});

it.each(['GET', 'HEAD', 'POST'])('sends no body with 205, and says so by a length of 0 (RFC 9110 §15.3.6): %s', async (method) => {
  const request = get('/', method).replace('\r\n\r\n', '\r\nContent-Length: 0\r\n\r\n');
  const makers = [
    () => Response.text('no'),
    () => Response.empty(),
    () => Response.stream('text/plain', pieces(1, 5)),
    () => Response.bytes('a/b', Buffer.alloc(100_000)),
  ];
  for (const make of makers) {
    const { answers, errors } = await outcome(() => make().withStatus(205).withHeader('Content-Length', '7'), request);
    expect([errors, answers.map(({ status, headers, body }) => [status, headers['content-length'], body])]).toEqual([
      [],
      [
        [205, '0', ''],
        [200, '4', 'next'],
      ],
    ]);
  }
});
