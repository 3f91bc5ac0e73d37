/** RFC 9112 §3.2: Host. */
import { expect, it } from 'vitest';
import { askTwice } from '../support/serve.ts';

it.each([
  ['missing', 'GET / HTTP/1.1\r\n\r\n'],
  ['missing, with others there', 'GET / HTTP/1.1\r\nX-Host: a\r\nX-Forwarded-Host: a\r\n\r\n'],
  ['given twice, equal', 'GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n'],
  ['given twice, different', 'GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nhost: b\r\n\r\n'],
  ['given twice, both empty', 'GET / HTTP/1.1\r\nHost:\r\nHost:\r\n\r\n'],
  ['given twice in HTTP/1.0', 'GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n'],
])('refuses a request whose Host is %s', async (_what, bytes) => {
  const { statuses, asked } = await askTwice(bytes);
  expect(statuses).toEqual([400]);
  expect(asked).toEqual([]);
});

it.each([
  'a b',
  'a/b',
  'a,b,c d',
  'me@a',
  'http://a',
  'a?b',
  'a#b',
  'a\\b',
  'a"b',
  '<a>',
  'a:b',
  'a:80:80',
  'a:-1',
  '[::1',
  '::1',
  '[g::1]',
  '[::1]x',
  'a%zz',
  'a%',
  'caf\xe9',
  'a\tb',
])('refuses Host %j', async (host) => {
  const { statuses, asked } = await askTwice(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  expect(statuses).toEqual([400]);
  expect(asked).toEqual([]);
});

it.each([
  '',
  'a',
  'example.com',
  'EXAMPLE.com:80',
  'a:',
  '127.0.0.1:8000',
  '[::1]',
  '[::1]:8000',
  '[v1.a:b]',
  'a_b',
  'a.',
  'xn--bcher-kva.example',
  'a%20b',
  '*.a',
])('takes Host %j as it came', async (host) => {
  const { statuses, seen } = await askTwice(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  expect(statuses).toEqual([200, 200]);
  expect(seen[0]?.request.host).toBe(host);
});

it('remembers no verdict of one Host for another', async () => {
  const { statuses } = await askTwice(
    'GET / HTTP/1.1\r\nHost: ok\r\n\r\nGET / HTTP/1.1\r\nHost: ok\r\n\r\nGET / HTTP/1.1\r\nHost: o k\r\n\r\n',
  );
  expect(statuses).toEqual([200, 200, 400]);
});

it('does without Host in HTTP/1.0', async () => {
  const { statuses, seen } = await askTwice('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
  expect(statuses).toEqual([200, 200]);
  expect(seen[0]?.request.host).toBeUndefined();
});

it('trims spaces and tabs around Host', async () => {
  const { seen } = await askTwice('GET / HTTP/1.1\r\nHost:\t a \t\r\n\r\n');
  expect(seen[0]?.request.host).toBe('a');
});

it('takes neither X-Forwarded-Host nor a trailer for a Host', async () => {
  const { statuses, seen } = await askTwice(
    'POST / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Host: b\r\nForwarded: host=b\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nHost: c\r\n\r\n',
  );
  expect(statuses).toEqual([200, 200]);
  expect(seen[0]?.request.host).toBe('a');
  expect(seen[0]?.request.headerAll('host')).toEqual(['a']);
});
