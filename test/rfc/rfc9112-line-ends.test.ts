/** RFC 9112 §2.2: CR LF and nothing else. */
import { expect, it } from 'vitest';
import { Response } from '../../src/index.ts';
import { ask, askTwice, NEXT, serve, talk } from '../support/serve.ts';

it.each([
  ['LF behind the request line', 'GET / HTTP/1.1\nHost: a\r\n\r\n'],
  ['CR behind the request line', 'GET / HTTP/1.1\rHost: a\r\n\r\n'],
  ['CR CR LF behind the request line', 'GET / HTTP/1.1\r\r\nHost: a\r\n\r\n'],
  ['LF CR behind the request line', 'GET / HTTP/1.1\n\rHost: a\r\n\r\n'],
  ['LF behind a field', 'GET / HTTP/1.1\r\nHost: a\n\r\n'],
  ['CR behind a field', 'GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n'],
  ['CR CR LF behind a field', 'GET / HTTP/1.1\r\nHost: a\r\r\n\r\n'],
  ['LF as the end of the head', 'GET / HTTP/1.1\r\nHost: a\r\n\n'],
  ['LF everywhere', 'GET / HTTP/1.1\nHost: a\n\n'],
  ['CR and another byte as the end of the head', 'GET / HTTP/1.1\r\nHost: a\r\n\rX: y\r\n\r\n'],
  ['CR CR LF as the end of the head', 'GET / HTTP/1.1\r\nHost: a\r\n\r\r\n'],
  ['LF before the request line', '\nGET / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['CR before the request line', '\rGET / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['LF behind an empty line before the request line', '\r\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a hidden request behind LF in a value', 'GET / HTTP/1.1\r\nHost: a\r\nX: y\n\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n'],
])('refuses %s', async (_what, bytes) => {
  const { statuses, asked, isReset } = await askTwice(bytes);
  expect(statuses).toEqual([400]);
  expect(asked).toEqual([]);
  expect(isReset).toBe(false);
});

it('refuses a bare LF as soon as it is there', async () => {
  expect((await ask('GET / HTTP/1.1\n')).statuses).toEqual([400]);
});

const TWO = `POST /first?q HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello\r\n${NEXT}`;

/** Hands each piece to the system before the next one is written. */
async function sendIn(pieces: readonly string[]): Promise<{ asked: string[]; text: string }> {
  const asked: string[] = [];
  const { port } = await serve((request) => {
    asked.push(`${request.method} ${request.target} ${request.body.text()}`);
    return Response.text('x');
  });
  const client = await talk(port);
  for (const piece of pieces) {
    await new Promise<void>((resolve) => client.socket.write(piece, 'latin1', () => setImmediate(resolve)));
  }
  return { asked, text: await client.closed() };
}

it('reads the same wherever the input is cut', async () => {
  const cuts = Array.from({ length: TWO.length - 1 }, (_, i) => i + 1);
  for (const cut of cuts) {
    const { asked, text } = await sendIn([TWO.slice(0, cut), TWO.slice(cut)]);
    expect(asked, `cut at ${cut}`).toEqual(['POST /first?q hello', 'GET /next ']);
    expect(text.match(/HTTP\/1\.1 200 /g), `cut at ${cut}`).toHaveLength(2);
  }
});

it('reads the same one byte at a time', async () => {
  const { asked } = await sendIn(TWO.split(''));
  expect(asked).toEqual(['POST /first?q hello', 'GET /next ']);
});
