/** RFC 9112 §5, RFC 9110 §5.5: field lines. */
import { expect, it } from 'vitest';
import { ask, askTwice } from '../support/serve.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n';

it.each([
  ['NUL in a value', 'X: a\0b\r\n'],
  ['CR in a value', 'X: a\rb\r\n'],
  ['CR at the end of a value', 'X: a\r\r\n'],
  ['another control character in a value', 'X: a\x01b\r\n'],
  ['a form feed around a value', 'X: \x0ca\r\n'],
  ['a vertical tab behind a value', 'X: a\x0b\r\n'],
  ['DEL in a value', 'X: a\x7fb\r\n'],
  ['an empty name', ': a\r\n'],
  ['a space in a name', 'X Y: a\r\n'],
  ['a bracket in a name', 'X[0]: a\r\n'],
  ['a slash in a name', 'X/Y: a\r\n'],
  ['NUL in a name', 'X\0: a\r\n'],
  ['a byte above 0x7f in a name', 'X\xe9: a\r\n'],
  ['no colon', 'X\r\n'],
  ['a space before the colon', 'X : a\r\n'],
  ['a tab before the colon', 'X\t: a\r\n'],
  ['a space before the colon of Content-Length', 'Content-Length : 5\r\n'],
  ['a space before the colon of Transfer-Encoding', 'Transfer-Encoding : chunked\r\n'],
  ['a folded line', 'X: a\r\n b\r\n'],
  ['a line folded with a tab', 'X: a\r\n\tb\r\n'],
  ['a folded empty line', 'X: a\r\n \r\n'],
  ['a folded Content-Length', 'Content-Length:\r\n 5\r\n'],
  ['a folded Transfer-Encoding', 'Transfer-Encoding:\r\n chunked\r\n'],
])('refuses %s', async (_what, line) => {
  const { statuses, asked } = await askTwice(`${GET}${line}\r\n`);
  expect(statuses).toEqual([400]);
  expect(asked).toEqual([]);
});

it.each([' ', '\t'])('refuses %j before the first field line', async (space) => {
  const { statuses, asked } = await askTwice(`GET / HTTP/1.1\r\n${space}X: a\r\nHost: a\r\n\r\n`);
  expect(statuses).toEqual([400]);
  expect(asked).toEqual([]);
});

it.each([
  ['spaces', 'X:   a b  ', 'a b'],
  ['tabs', 'X:\t\ta\tb\t', 'a\tb'],
  ['both', 'X: \t a \t ', 'a'],
  ['nothing', 'X:a', 'a'],
  ['an empty value', 'X:', ''],
  ['a value of blanks', 'X: \t ', ''],
])('trims a value: %s', async (_what, line, value) => {
  const { statuses, seen } = await askTwice(`${GET}${line}\r\n\r\n`);
  expect(statuses).toEqual([200, 200]);
  expect(seen[0]?.request.header('x')).toBe(value);
});

it.each([
  ['Content-Length', 'Content-Length:\t 5\t \r\n\r\nhello'],
  ['Transfer-Encoding', 'Transfer-Encoding:\t chunked\t \r\n\r\n5\r\nhello\r\n0\r\n\r\n'],
])('trims tabs around %s before it is used', async (_what, rest) => {
  const { statuses, seen } = await askTwice(`POST / HTTP/1.1\r\nHost: a\r\n${rest}`);
  expect(statuses).toEqual([200, 200]);
  expect(seen[0]?.body).toBe('hello');
});

it('trims tabs around the members of Connection', async () => {
  const { statuses, answers } = await askTwice(`${GET}Connection:\t x,\tclose\t\r\n\r\n`);
  expect(statuses).toEqual([200]);
  expect(answers[0]?.headers['connection']).toBe('close');
});

it('keeps bytes above 0x7f as they are, and does not trim them', async () => {
  const value = '\xa0caf\xc3\xa9\xe9\xff\xa0';
  const { statuses, seen } = await askTwice(`${GET}X: ${value} \r\n\r\n`);
  expect(statuses).toEqual([200, 200]);
  expect(seen[0]?.request.header('x')).toBe(value);
});

it('keeps the lines of a repeated field apart, in order', async () => {
  const { seen } = await askTwice(`${GET}X: 1\r\nCookie: a=1\r\nx: 2\r\nCookie: b=2\r\n\r\n`);
  expect(seen[0]?.request.headerAll('X')).toEqual(['1', '2']);
  expect(seen[0]?.request.headerAll('Cookie')).toEqual(['a=1', 'b=2']);
  expect(seen[0]?.request.header('x')).toBe('1');
});

it.each(['Content-Type', 'Authorization', 'User-Agent', 'Referer'])('gives the first of two %s, never both joined', async (name) => {
  const { seen } = await askTwice(`${GET}${name}: first\r\n${name}: second\r\n\r\n`);
  expect(seen[0]?.request.header(name)).toBe('first');
});

it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype', '0', '4294967295'])(
  'is not confused by a field named %s',
  async (name) => {
    const { statuses, seen } = await askTwice(`${GET}${name}: x\r\n\r\n`);
    expect(statuses).toEqual([200, 200]);
    expect(seen[0]?.request.header(name)).toBe('x');
    expect(seen[1]?.request.header(name)).toBeUndefined();
  },
);

it('frames nothing by names with an underscore', async () => {
  const { statuses, seen } = await askTwice(`${GET}Content_Length: 5\r\nTransfer_Encoding: chunked\r\nHost_: b\r\n\r\n`);
  expect(statuses).toEqual([200, 200]);
  expect(seen[0]?.body).toBe('');
  expect(seen[0]?.request.header('content-length')).toBeUndefined();
});

it('finds framing fields in any case', async () => {
  const { statuses, seen } = await askTwice('POST / HTTP/1.1\r\nhOST: a\r\ncONTENT-lENGTH: 5\r\n\r\nhello');
  expect(statuses).toEqual([200, 200]);
  expect(seen[0]?.body).toBe('hello');
});

it('takes heads of 8 KiB, and 100 fields', async () => {
  expect((await askTwice(`${GET}X: ${'a'.repeat(8192)}\r\n\r\n`)).statuses).toEqual([200, 200]);
  expect((await askTwice(`${GET}${'X: a\r\n'.repeat(99)}\r\n`)).statuses).toEqual([200, 200]);
});

it('says 431 to more than 16 KiB of fields, at the byte', async () => {
  const fields = (size: number): string => `Host: a\r\nX: ${'a'.repeat(size - 9 - 5)}\r\n`;
  expect((await askTwice(`GET / HTTP/1.1\r\n${fields(16 * 1024)}\r\n`)).statuses).toEqual([200, 200]);
  const { statuses, asked } = await askTwice(`GET / HTTP/1.1\r\n${fields(16 * 1024 + 1)}\r\n`);
  expect(statuses).toEqual([431]);
  expect(asked).toEqual([]);
});

it('says 431 to more than 100 fields', async () => {
  const { statuses, asked } = await askTwice(`${GET}${'X: a\r\n'.repeat(100)}\r\n`);
  expect(statuses).toEqual([431]);
  expect(asked).toEqual([]);
});

it.each([
  ['a field without an end', `${GET}X: ${'a'.repeat(20_000)}`],
  ['many fields without an end', `${GET}${'X: a\r\n'.repeat(101)}`],
])('says 431 during reading: %s', async (_what, bytes) => {
  expect((await ask(bytes)).statuses).toEqual([431]);
});

it('keeps to maxHeaderSize and maxHeaders', async () => {
  expect((await askTwice(`${GET}X: ${'a'.repeat(50)}\r\n\r\n`, { maxHeaderSize: 64 })).statuses).toEqual([200, 200]);
  expect((await askTwice(`${GET}X: ${'a'.repeat(51)}\r\n\r\n`, { maxHeaderSize: 64 })).statuses).toEqual([431]);
  expect((await askTwice(`${GET}X: a\r\n\r\n`, { maxHeaders: 2 })).statuses).toEqual([200, 200]);
  expect((await askTwice(`${GET}X: a\r\nY: b\r\n\r\n`, { maxHeaders: 2 })).statuses).toEqual([431]);
});
