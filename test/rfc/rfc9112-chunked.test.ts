/** RFC 9112 §7.1: the chunked coding. */
import { expect, it } from 'vitest';
import { Response } from '../../src/index.ts';
import { ask, askTwice, NEXT, serve, talk } from '../support/serve.ts';

const HEAD = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
const LAST = '0\r\n\r\n';

async function isRefused(body: string, status = 400): Promise<void> {
  const { statuses, answers, asked, isReset } = await askTwice(HEAD + body);
  expect(statuses).toEqual([status]);
  expect(answers[0]?.headers['connection']).toBe('close');
  expect(asked).toEqual([]);
  expect(isReset).toBe(false);
}

async function isTaken(body: string, data: string): Promise<void> {
  const { statuses, seen } = await askTwice(HEAD + body);
  expect(statuses).toEqual([200, 200]);
  expect(seen[0]?.body === data).toBe(true);
}

it.each(['', 'g', '0x5', '+5', '-5', '5_', '_5', ' 5', '\t5', '5.', '5h', '"5"', ';a', '5\x0b', '5\xa0', '\xef\xbc\x95', '5\0', '5,'])(
  'refuses the size %j',
  (size) => isRefused(`${size}\r\nhello\r\n${LAST}`),
);

it.each([
  ['2^32 + 5', '100000005', 413],
  ['above any double', '20000000000001', 413],
  ['2^64 + 5 in 17 digits', '10000000000000005', 400],
  ['16 digits', 'ffffffffffffffff', 413],
  ['hundreds of zeros', `${'0'.repeat(300)}5`, 400],
])('refuses a size of %s', async (_what, size, status) => {
  const { statuses, asked } = await ask(`${HEAD}${size}\r\nhello\r\n${LAST}${NEXT}${' '.repeat(11 * 1024 * 1024)}`);
  expect(statuses).toEqual([status]);
  expect(asked).toEqual([]);
});

it.each([
  ['LF behind the size', `5\nhello\r\n${LAST}`],
  ['CR behind the size', `5\rhello\r\n${LAST}`],
  ['two CR behind the size', `5\r\r\nhello\r\n${LAST}`],
  ['LF in an extension', `5;a\nhello\r\n${LAST}`],
  ['CR in an extension', `5;a\rb\r\nhello\r\n${LAST}`],
  ['NUL in an extension', `5;a\0b\r\nhello\r\n${LAST}`],
  ['an extension without a name', `5;\r\nhello\r\n${LAST}`],
  ['an extension whose name is no token', `5;bad[name\r\nhello\r\n${LAST}`],
  ['an extension without the value that it announces', `5;a=\r\nhello\r\n${LAST}`],
  ['an extension with a quote that does not end', `5;a="b\r\nhello\r\n${LAST}`],
  ['LF behind the data', `5\r\nhello\n${LAST}`],
  ['CR behind the data', `5\r\nhello\r${LAST}`],
  ['nothing behind the data', `5\r\nhello${LAST}`],
  ['two other bytes behind the data', `5\r\nhelloXX${LAST}`],
  ['data longer than its size', `4\r\nhello\r\n${LAST}`],
  ['data shorter than its size', `6\r\nhello\r\n${LAST}`],
  ['LF behind the last size', '5\r\nhello\r\n0\n\r\n'],
  ['LF as the end of the trailers', '5\r\nhello\r\n0\r\n\n'],
  ['CR and another byte as the end of the trailers', '5\r\nhello\r\n0\r\n\rX'],
])('refuses %s', (_what, body) => isRefused(body));

it.each([
  ['one chunk', `5\r\nhello\r\n${LAST}`, 'hello'],
  ['two chunks', `2\r\nhe\r\n3\r\nllo\r\n${LAST}`, 'hello'],
  ['no chunk', LAST, ''],
  ['upper case', `A\r\n0123456789\r\n${LAST}`, '0123456789'],
  ['lower case', `a\r\n0123456789\r\n${LAST}`, '0123456789'],
  ['leading zeros', `0005\r\nhello\r\n${LAST}`, 'hello'],
  ['several zeros as last size', '5\r\nhello\r\n000\r\n\r\n', 'hello'],
  ['line ends as data', `4\r\n\r\n\r\n\r\n${LAST}`, '\r\n\r\n'],
  ['the last chunk as data', `5\r\n0\r\n\r\n\r\n${LAST}`, '0\r\n\r\n'],
  ['an extension', `5;a\r\nhello\r\n${LAST}`, 'hello'],
  ['an extension with a value', `5;a=b;c="d e"\r\nhello\r\n0;last\r\n\r\n`, 'hello'],
  ['blanks around an extension', `5 \t; a = b\r\nhello\r\n${LAST}`, 'hello'],
  ['a trailer', '5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n', 'hello'],
])('reads %s', (_what, body, data) => isTaken(body, data));

it('reads all the same one byte at a time', async () => {
  const seen: string[] = [];
  const { port } = await serve((request) => {
    seen.push(request.body.text());
    return Response.text('x');
  });
  const client = await talk(port);
  for (const byte of `${HEAD}5;a=b\r\nhello\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\n${NEXT}`) {
    await new Promise<void>((resolve) => client.socket.write(byte, 'latin1', () => setImmediate(resolve)));
  }
  await client.closed();
  expect(seen).toEqual(['hello0123456789', '']);
});

it('bounds the extensions of a whole body', async () => {
  const chunks = (count: number): string => `1;${'x'.repeat(100)}\r\na\r\n`.repeat(count);
  await isTaken(chunks(150) + LAST, 'a'.repeat(150));
  await isRefused(chunks(200) + LAST, 413);
  await isRefused(`5;${'x'.repeat(17 * 1024)}\r\nhello\r\n${LAST}`, 413);
  await isRefused(`0;${'x'.repeat(17 * 1024)}\r\n\r\n`, 413);
});

it('counts an extension that never ends', async () => {
  expect((await ask(`${HEAD}5;${'x'.repeat(20_000)}`)).statuses).toEqual([413]);
});

it('takes 20,000 chunks of one byte, and refuses 100,000', async () => {
  await isTaken('1\r\na\r\n'.repeat(20_000) + LAST, 'a'.repeat(20_000));
  await isRefused('1\r\na\r\n'.repeat(100_000) + LAST, 400);
});

it('says 413 as soon as the data exceeds maxBodySize', async () => {
  const options = { maxBodySize: 10 };
  expect((await askTwice(`${HEAD}5\r\nhello\r\n5\r\nhello\r\n${LAST}`, options)).statuses).toEqual([200, 200]);
  const { statuses, asked } = await ask(`${HEAD}5\r\nhello\r\n6\r\nhello!`, options);
  expect(statuses).toEqual([413]);
  expect(asked).toEqual([]);
});

it.each(['Host: b', 'Content-Length: 5', 'Transfer-Encoding: gzip', 'Authorization: me', 'Cookie: a=b', 'Connection: close', 'X-Sum: 1'])(
  'drops the trailer %s',
  async (line) => {
    const { statuses, seen } = await askTwice(`${HEAD}5\r\nhello\r\n0\r\n${line}\r\n\r\n`);
    expect(statuses).toEqual([200, 200]);
    expect(seen[0]?.request.headers).toEqual([
      ['Host', 'a'],
      ['Transfer-Encoding', 'chunked'],
    ]);
  },
);

it.each([
  ['no colon', 'X\r\n'],
  ['a space before the colon', 'X : a\r\n'],
  ['a folded line', 'X: a\r\n b\r\n'],
  ['a space first', ' X: a\r\n'],
  ['a control character', 'X: \x01\r\n'],
  ['a bare LF', 'X: a\n'],
  ['a request', 'GET /hidden HTTP/1.1\r\nHost: a\r\n'],
])('reads trailers by the grammar of fields: %s', (_what, lines) => isRefused(`5\r\nhello\r\n0\r\n${lines}\r\n`));

it('bounds the trailers', async () => {
  await isTaken(`5\r\nhello\r\n0\r\nX: ${'a'.repeat(8192)}\r\n\r\n`, 'hello');
  await isRefused(`0\r\nX: ${'a'.repeat(16 * 1024)}\r\n\r\n`, 431);
  await isRefused(`0\r\n${'X: a\r\n'.repeat(101)}\r\n`, 431);
  expect((await ask(`${HEAD}0\r\nX: ${'a'.repeat(20_000)}`)).statuses).toEqual([431]);
});
