/** RFC 9112 §6: how long a body is. */
import { expect, it } from 'vitest';
import { cgi } from '../../src/cgi.ts';
import { answerWithFetch } from '../../src/fetch.ts';
import { type Request, Response } from '../../src/index.ts';
import { answerWithNode } from '../../src/node.ts';
import { proxy } from '../../src/proxy.ts';
import { ask, askTwice, serve, talk } from '../support/serve.ts';

const POST = 'POST / HTTP/1.1\r\nHost: a\r\n';

/** One refusal, nothing handled, what follows not read. */
async function isRefused(bytes: string, status: number): Promise<void> {
  const { statuses, answers, asked, isReset } = await askTwice(bytes);
  expect(statuses).toEqual([status]);
  expect(answers[0]?.headers['connection']).toBe('close');
  expect(asked).toEqual([]);
  expect(isReset).toBe(false);
}

it.each([
  '+5',
  '-5',
  '0x5',
  '5,',
  ',5',
  '1e1',
  '',
  '5 5',
  '5\t5',
  '\xa05',
  '5\xa0',
  '5.0',
  '.5',
  '5_0',
  'five',
  '"5"',
  'Infinity',
  'NaN',
  '\xb2',
  '5;',
  '0b1',
  '0o5',
])('refuses Content-Length %j', (value) => isRefused(`${POST}Content-Length: ${value}\r\n\r\nhello`, 400));

it.each([
  ['two lines that differ', 'Content-Length: 5\r\nContent-Length: 6\r\n'],
  ['two lines that are equal', 'Content-Length: 5\r\nContent-Length: 5\r\n'],
  ['a list that differs', 'Content-Length: 5, 6\r\n'],
  ['a list that is equal', 'Content-Length: 5, 5\r\n'],
  ['a line and an empty one', 'Content-Length: 5\r\nContent-Length:\r\n'],
  ['two lines with others between', 'Content-Length: 0\r\nX: y\r\ncontent-length: 5\r\n'],
])('refuses several lengths: %s', (_what, lines) => isRefused(`${POST}${lines}\r\nhello`, 400));

it.each([
  ["the option's default", '10485761'],
  ['2^32', '4294967296'],
  ['2^32 + 5', '4294967301'],
  ['2^53', '9007199254740992'],
  ['2^64 + 5', '18446744073709551621'],
  ['400 digits', '9'.repeat(400)],
])('says 413 at once, unread, to a length above %s', async (_what, length) => {
  const { statuses, answers, asked } = await ask(`${POST}Content-Length: ${length}\r\n\r\nhello`);
  expect(statuses).toEqual([413]);
  expect(answers[0]?.headers['connection']).toBe('close');
  expect(asked).toEqual([]);
});

it('takes a body of exactly maxBodySize and refuses one byte more', async () => {
  expect((await askTwice(`${POST}Content-Length: 5\r\n\r\nhello`, { maxBodySize: 5 })).statuses).toEqual([200, 200]);
  expect((await askTwice(`${POST}Content-Length: 6\r\n\r\nhello!`, { maxBodySize: 5 })).statuses).toEqual([413]);
});

it('asks a function for maxBodySize with the head', async () => {
  const options = { maxBodySize: (head: { path: string }) => (head.path === '/big' ? 6 : 5) };
  expect((await askTwice('POST /big HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nhello!', options)).statuses).toEqual([200, 200]);
  expect((await askTwice('POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nhello!', options)).statuses).toEqual([413]);
});

it.each([
  ['a node:http listener', (request) => answerWithNode(request, (req, res) => void res.end(req.headers['content-length']))],
  ['a fetch function', (request) => answerWithFetch(request, (web) => new globalThis.Response(web.headers.get('content-length')))],
  ['an upstream', (request, upstream) => proxy(request, upstream)],
  ['a CGI program', (request) => cgi(request, 'sh', { args: ['-c', 'printf "Content-Type: text/plain\\n\\n$CONTENT_LENGTH"'] })],
] satisfies [string, (request: Request, upstream: string) => Promise<Response>][])(
  'passes a length with leading zeros on to %s in its one spelling (RFC 9110 §8.6)',
  async (_what, answer) => {
    const upstream = await serve((request) => Response.text(String(request.header('content-length'))));
    const { port } = await serve((request) => answer(request, `http://127.0.0.1:${upstream.port}`));
    const client = await talk(port);
    client.send(`${POST}Content-Length: 00011\r\n\r\nhello world`);
    expect((await client.answers(1))[0]?.body).toBe('11');
  },
);

it.each(['05', '00005', `${'0'.repeat(100)}5`])('reads Content-Length %s as decimal', async (value) => {
  const { statuses, seen } = await askTwice(`${POST}Content-Length: ${value}\r\n\r\nhello`);
  expect(statuses).toEqual([200, 200]);
  expect(seen[0]?.body).toBe('hello');
});

it.each([
  ['Content-Length first', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n'],
  ['Transfer-Encoding first', 'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n'],
  ['a length of 0', 'Content-Length: 0\r\nTransfer-Encoding: chunked\r\n'],
  ['a bad length', 'Content-Length: x\r\nTransfer-Encoding: chunked\r\n'],
  ['an unknown coding', 'Content-Length: 5\r\nTransfer-Encoding: gzip\r\n'],
])('refuses both framings together: %s', (_what, lines) => isRefused(`${POST}${lines}\r\n0\r\n\r\n`, 400));

it.each([
  ['chunked not last', 'chunked, gzip', 400],
  ['chunked twice', 'chunked, chunked', 400],
  ['an empty member before it', ',chunked', 400],
  ['an empty member behind it', 'chunked,', 400],
  ['nothing', '', 400],
  ['an unknown coding behind two commas', 'gzip,,chunked', 400],
  ['an unknown coding', 'gzip', 501],
  ['identity', 'identity', 501],
  ['a compressed body', 'gzip, chunked', 501],
  ['two unknown ones', 'br, gzip, chunked', 501],
  ['a name that begins alike', 'chunkedx', 501],
  ['a name that ends alike', 'xchunked', 501],
  ['quotes', '"chunked"', 501],
  ['a parameter', 'chunked;q=1', 501],
  ['a no-break space before it', '\xa0chunked', 501],
  ['a no-break space behind it', 'chunked\xa0', 501],
  ['letters of the Kelvin kind', 'chun\xe2\x84\xaaed', 501],
])('refuses Transfer-Encoding with %s', (_what, value, status) =>
  isRefused(`${POST}Transfer-Encoding: ${value}\r\n\r\n5\r\nhello\r\n0\r\n\r\n`, status),
);

it.each([
  ['chunked twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', 400],
  ['identity behind it', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', 400],
  ['an empty one behind it', 'Transfer-Encoding: chunked\r\nTransfer-Encoding:\r\n', 400],
  ['gzip before it', 'Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n', 501],
])('refuses two lines of Transfer-Encoding: %s', (_what, lines, status) => isRefused(`${POST}${lines}\r\n0\r\n\r\n`, status));

it.each(['chunked', 'Chunked', 'CHUNKED', ' \tchunked\t '])('undoes Transfer-Encoding %j', async (value) => {
  const { statuses, seen } = await askTwice(`${POST}Transfer-Encoding:${value}\r\n\r\n5\r\nhello\r\n0\r\n\r\n`);
  expect(statuses).toEqual([200, 200]);
  expect(seen[0]?.body).toBe('hello');
});

it.each(['', 'Connection: keep-alive\r\n'])('refuses Transfer-Encoding in HTTP/1.0 (%j)', (line) =>
  isRefused(`POST / HTTP/1.0\r\nHost: a\r\n${line}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400),
);

it.each(['POST', 'PUT', 'PATCH', 'GET'])('takes what follows a %s without a length for the next request', async (method) => {
  const { statuses, asked, seen } = await askTwice(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`);
  expect(statuses).toEqual([200, 200]);
  expect(asked).toEqual([`${method} /`, 'GET /next']);
  expect(seen[0]?.body).toBe('');
});

it.each(['GET', 'DELETE', 'OPTIONS', 'PUT', 'BREW'])('reads exactly the body of a %s', async (method) => {
  const hidden = 'GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n';
  const { statuses, asked, seen } = await askTwice(`${method} / HTTP/1.1\r\nHost: a\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`);
  expect(statuses).toEqual([200, 200]);
  expect(asked).toEqual([`${method} /`, 'GET /next']);
  expect(seen[0]?.body).toBe(hidden);
});

it('reads exactly the body of a HEAD', async () => {
  const { asked, text } = await askTwice('HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET /');
  expect(asked).toEqual(['HEAD /', 'GET /next']);
  expect(text.match(/HTTP\/1\.1 200 /g)).toHaveLength(2);
});

it.each(['Content-Length', 'Transfer-Encoding', 'Host', 'Content-Length, close'])(
  'lets Connection: %s change nothing about framing',
  async (option) => {
    const { seen } = await askTwice(`${POST}Connection: ${option}\r\nContent-Length: 5\r\n\r\nhello`);
    expect(seen[0]?.body).toBe('hello');
  },
);

it('keeps every byte of a body, in memory and on disk', async () => {
  const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * 7) % 256)).toString('latin1');
  for (const options of [{ bodyMemory: 0 }, { bodyMemory: 1000 }, { bodyMemory: 1_000_000 }, { bodyMemory: 0, maxMemoryForBodies: 0 }]) {
    const { statuses, seen } = await askTwice(`${POST}Content-Length: ${bytes.length}\r\n\r\n${bytes}`, options);
    expect(statuses).toEqual([200, 200]);
    expect(seen[0]?.body === bytes).toBe(true);
  }
});

it.each([
  ['a known length', 'Content-Length: 10\r\n\r\nhello'],
  ['a known length, nothing of it', 'Content-Length: 10\r\n\r\n'],
  ['chunks', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'],
  ['chunks, inside one', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhe'],
  ['chunks, before the last line end', 'Transfer-Encoding: chunked\r\n\r\n0\r\n'],
])('never handles a part of a body when the client ends inside it: %s', async (_what, rest) => {
  const seen: string[] = [];
  const { port } = await serve((request) => {
    seen.push(request.target);
    return Response.text('x');
  });
  const client = await talk(port);
  client.send(`${POST}${rest}`);
  client.end();
  expect(await client.closed()).toMatch(/^HTTP\/1\.1 400 /);
  expect(seen).toEqual([]);
});

it.each([undefined, Number.NaN, -1, 'much'])(
  'says 500 when the function for maxBodySize gives %s: no body is unbounded by accident',
  async (given) => {
    const errors: unknown[] = [];
    const { statuses, asked } = await ask(`${POST}Content-Length: 5\r\n\r\nhello`, {
      maxBodySize: () => given as number,
      onError: (error) => void errors.push(error),
    });
    expect(statuses).toEqual([500]);
    expect(asked).toEqual([]);
    expect(errors.map(String)).toEqual([`TypeError: Cannot read body: maxBodySize returned ${given}, not a number of bytes`]);
  },
);
