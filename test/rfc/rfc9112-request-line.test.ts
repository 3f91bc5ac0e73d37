/** RFC 9112 §3: the request line. */
import { expect, it } from 'vitest';
import { ask, askTwice } from '../support/serve.ts';

const HOST = 'Host: a\r\n\r\n';

/** Nothing of it reaches a handler, one complete refusal comes, and what follows is not read. */
async function isRefused(bytes: string, status: number): Promise<void> {
  const { statuses, answers, asked, isReset } = await askTwice(bytes);
  expect(statuses).toEqual([status]);
  expect(answers[0]?.headers['connection']).toBe('close');
  expect(answers[0]?.headers['date']).toMatch(/ GMT$/);
  expect(answers[0]?.headers).not.toHaveProperty('server');
  expect(Number(answers[0]?.headers['content-length'])).toBeGreaterThan(0);
  expect(asked).toEqual([]);
  expect(isReset).toBe(false);
}

it.each([
  ['an @ in the method', `G@T / HTTP/1.1\r\n${HOST}`],
  ['a parenthesis in the method', `G( / HTTP/1.1\r\n${HOST}`],
  ['NUL in the method', `G\0T / HTTP/1.1\r\n${HOST}`],
  ['a byte above 0x7f in the method', `G\xe9T / HTTP/1.1\r\n${HOST}`],
  ['no method', ` / HTTP/1.1\r\n${HOST}`],
  ['no target', `GET HTTP/1.1\r\n${HOST}`],
  ['an empty target', `GET  HTTP/1.1\r\n${HOST}`],
  ['no version (HTTP/0.9)', `GET /\r\n${HOST}`],
  ['no version, but a space', `GET / \r\n${HOST}`],
  ['only a method', `GET\r\n${HOST}`],
  ['a word more', `GET / HTTP/1.1 x\r\n${HOST}`],
  ['a space in the target', `GET /a b HTTP/1.1\r\n${HOST}`],
  ['two spaces before the target', `GET  / HTTP/1.1\r\n${HOST}`],
  ['two spaces before the version', `GET /  HTTP/1.1\r\n${HOST}`],
  ['a tab before the target', `GET\t/ HTTP/1.1\r\n${HOST}`],
  ['a tab before the version', `GET /\tHTTP/1.1\r\n${HOST}`],
  ['a vertical tab as separator', `GET\x0b/ HTTP/1.1\r\n${HOST}`],
  ['a form feed as separator', `GET /\x0cHTTP/1.1\r\n${HOST}`],
  ['CR as separator', `GET /\rHTTP/1.1\r\n${HOST}`],
  ['a space before the line', ` GET / HTTP/1.1\r\n${HOST}`],
  ['a space behind the line', `GET / HTTP/1.1 \r\n${HOST}`],
  ['a tab behind the line', `GET / HTTP/1.1\t\r\n${HOST}`],
])('refuses %s', (_what, bytes) => isRefused(bytes, 400));

it.each([
  'http/1.1',
  'Http/1.1',
  'HTTP/1.10',
  'HTTP/01.1',
  'HTTP/1.01',
  'HTTP/11.1',
  'HTTP/1',
  'HTTP/1.',
  'HTTP/.1',
  'HTTP/1,1',
  'HTTP/1.x',
  'HTTP/-1.1',
  'HTTPS/1.1',
  'HTTP 1.1',
  'HTTP/1.1\0',
])('refuses the version %j', (version) => isRefused(`GET / ${version}\r\n${HOST}`, 400));

it.each(['HTTP/2.0', 'HTTP/3.0', 'HTTP/0.9', 'HTTP/9.9', 'HTTP/0.0'])('does not speak %s', (version) =>
  isRefused(`GET / ${version}\r\n${HOST}`, 505),
);

it.each(['HTTP/1.2', 'HTTP/1.9'])('takes %s for 1.1', async (version) => {
  const { statuses, seen } = await askTwice(`GET / ${version}\r\n${HOST}`);
  expect(statuses).toEqual([200, 200]);
  expect(seen[0]?.request.httpVersion).toBe('1.1');
});

it.each([
  ['get', 'get'],
  ['an unknown token', 'BREW'],
  ['every kind of token character', "A!#$%&'*+-.^_`|~09z"],
])('hands a method on unchanged: %s', async (_what, method) => {
  const { statuses, asked } = await askTwice(`${method} / HTTP/1.1\r\n${HOST}`);
  expect(statuses).toEqual([200, 200]);
  expect(asked).toEqual([`${method} /`, 'GET /next']);
});

it('takes a method of 64 letters, and says 501 to longer ones', async () => {
  expect((await askTwice(`${'A'.repeat(64)} / HTTP/1.1\r\n${HOST}`)).statuses).toEqual([200, 200]);
  await isRefused(`${'A'.repeat(65)} / HTTP/1.1\r\n${HOST}`, 501);
  await isRefused(`${'A'.repeat(5000)} / HTTP/1.1\r\n${HOST}`, 501);
});

it.each([1, 2, 50])('skips %i empty lines before a request', async (count) => {
  const { statuses } = await askTwice(`${'\r\n'.repeat(count)}GET / HTTP/1.1\r\n${HOST}${'\r\n'.repeat(count)}`);
  expect(statuses).toEqual([200, 200]);
});

it('refuses more than 50 empty lines', () => isRefused(`${'\r\n'.repeat(51)}GET / HTTP/1.1\r\n${HOST}`, 400));

it.each([
  ['a control character', '/a\x01'],
  ['NUL', '/a\0b'],
  ['an escape character', '/\x1b[0m'],
  ['DEL', '/a\x7f'],
  ['raw UTF-8', '/caf\xc3\xa9'],
  ['a byte of Latin-1', '/caf\xe9'],
  ['no slash at the start', 'a'],
  ['a relative path', '../a'],
  ['a query alone', '?a=1'],
  ['an authority', 'a:80'],
  ['another scheme', 'ftp://a/'],
  ['file:', 'file:///etc/passwd'],
  ['an http URL with an empty host', 'http:///a'],
  ['an https URL with an empty host', 'https:///a'],
  ['an http URL with a port and no host', 'http://:80/a'],
  ['an http URL with nothing', 'http://'],
  ['an http URL with user information', 'http://me@a/'],
  ['an http URL with a bad host', 'http://a|b/'],
  ['GET *', '*'],
  ['two asterisks', '**'],
  ['a broken escape', '/%zz'],
  ['half an escape', '/%'],
  ['an escape that is not UTF-8', '/%ff'],
  ['an escaped NUL', '/%00'],
  ['a backslash in the path', '/a\\..\\b'],
])('refuses a target with %s', (_what, target) => isRefused(`GET ${target} HTTP/1.1\r\n${HOST}`, 400));

it.each(['"', '<>', '|', '{}', '^', '`', "'", '[]', '~', ';a=b', ':@', '$&+,='])('takes %s in a target as it came', async (odd) => {
  const { statuses, asked } = await askTwice(`GET /a${odd}?${odd} HTTP/1.1\r\n${HOST}`);
  expect(statuses).toEqual([200, 200]);
  expect(asked[0]).toBe(`GET /a${odd}?${odd}`);
});

it('never routes on a fragment', async () => {
  const { statuses, seen } = await askTwice(`GET /a?b#/admin HTTP/1.1\r\n${HOST}`);
  expect(statuses).toEqual([200, 200]);
  expect(seen[0]?.request).toMatchObject({ path: '/a', rawQuery: 'b', target: '/a?b#/admin' });
});

it('takes //evil/x for a path and hands it over unchanged', async () => {
  const { seen } = await askTwice(`GET //evil/x HTTP/1.1\r\n${HOST}`);
  expect(seen[0]?.request).toMatchObject({ target: '//evil/x', host: 'a', path: '/evil/x' });
});

it.each([
  ['http://b/x?y', 'b', '/x', 'y'],
  ['https://b:8443/x', 'b:8443', '/x', ''],
  ['HTTP://B/x', 'B', '/x', ''],
  ['http://b', 'b', '/', ''],
  ['http://b?y', 'b', '/', 'y'],
  ['http://[::1]:80/x', '[::1]:80', '/x', ''],
])('takes the absolute form %s, whose host wins over Host', async (target, host, path, rawQuery) => {
  const { statuses, seen } = await askTwice(`GET ${target} HTTP/1.1\r\n${HOST}`);
  expect(statuses).toEqual([200, 200]);
  expect(seen[0]?.request).toMatchObject({ target, host, path, rawQuery });
});

it('wants a Host beside the absolute form too', () => isRefused('GET http://b/ HTTP/1.1\r\n\r\n', 400));

it('answers OPTIONS * itself', async () => {
  const { statuses, asked, text } = await askTwice(`OPTIONS * HTTP/1.1\r\n${HOST}`);
  expect(statuses).toEqual([204, 200]);
  expect(asked).toEqual(['GET /next']);
  expect(text.slice(0, text.indexOf('\r\n\r\n'))).not.toMatch(/content-length|transfer-encoding/i);
});

it('reads the body of OPTIONS *', async () => {
  const { statuses, asked } = await askTwice('OPTIONS * HTTP/1.1\r\nHost: a\r\nContent-Length: 19\r\n\r\nGET /x HTTP/1.1\r\n\r\n');
  expect(statuses).toEqual([204, 200]);
  expect(asked).toEqual(['GET /next']);
});

it('does not make tunnels', () => isRefused('CONNECT b:443 HTTP/1.1\r\nHost: b:443\r\n\r\n', 501));

it('says 405 to TRACE, names what it serves, and echoes nothing', async () => {
  const { statuses, answers, text, asked } = await askTwice('TRACE /secret HTTP/1.1\r\nHost: a\r\nCookie: id=secret\r\n\r\n');
  expect(statuses).toEqual([405]);
  expect(answers[0]?.headers['allow']).toContain('GET');
  expect(text).not.toContain('secret');
  expect(asked).toEqual([]);
});

it('takes 8000 octets of request line, and says 414 above 8192', async () => {
  const line = (length: number): string => `GET /${'a'.repeat(length - 14)} HTTP/1.1\r\n${HOST}`;
  expect((await askTwice(line(8000))).statuses).toEqual([200, 200]);
  expect((await askTwice(line(8192))).statuses).toEqual([200, 200]);
  await isRefused(line(8193), 414);
});

it('says 414 while the line has no end yet', async () => {
  const { statuses } = await ask(`GET /${'a'.repeat(9000)}`);
  expect(statuses).toEqual([414]);
});

it('keeps to maxRequestLine', async () => {
  expect((await askTwice(`GET /${'a'.repeat(86)} HTTP/1.1\r\n${HOST}`, { maxRequestLine: 100 })).statuses).toEqual([200, 200]);
  expect((await askTwice(`GET /${'a'.repeat(87)} HTTP/1.1\r\n${HOST}`, { maxRequestLine: 100 })).statuses).toEqual([414]);
});

it.each([
  ['a TLS hello with a line end in it', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n\r\n', 400],
  ['an SSH banner', 'SSH-2.0-OpenSSH_9.2\r\n', 400],
  ['NULs', `${'\0'.repeat(100)}\r\n\r\n`, 400],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
  ['a PROXY preamble', `PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET / HTTP/1.1\r\n${HOST}`, 400],
])('refuses %s', (_what, bytes, status) => isRefused(bytes, status));
