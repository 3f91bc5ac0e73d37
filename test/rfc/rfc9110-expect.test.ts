/** RFC 9110 §10.1.1: Expect. */
import { expect, it } from 'vitest';
import { type Request, Response } from '../../src/index.ts';
import { ask, askTwice, deferred, NEXT, parseAnswers, serve, type Talk, talk } from '../support/serve.ts';

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n';

async function echo(options: Parameters<typeof serve>[1] = {}): Promise<{ client: Talk; bodies: string[] }> {
  const bodies: string[] = [];
  const { port } = await serve((request) => {
    bodies.push(request.body.text());
    return Response.text(request.body.text());
  }, options);
  return { client: await talk(port), bodies };
}

it.each([
  ['a length', 'Content-Length: 5\r\n\r\n', 'hello'],
  ['chunks', 'Transfer-Encoding: chunked\r\n\r\n', '5\r\nhello\r\n0\r\n\r\n'],
])('asks for a body with %s, once, and not before the head is complete', async (_what, lines, body) => {
  const { client, bodies } = await echo();
  client.send(POST);
  client.send(lines);
  expect(await client.until(/\r\n\r\n/)).toBe(CONTINUE);
  expect(bodies).toEqual([]);
  client.send(body + NEXT);
  const text = await client.closed();
  expect(text.match(/HTTP\/1\.1 \d{3}/g)).toEqual(['HTTP/1.1 100', 'HTTP/1.1 200', 'HTTP/1.1 200']);
  expect(bodies).toEqual(['hello', '']);
});

it.each(['100-continue', '100-Continue', '100-CONTINUE', '\t100-continue '])('knows Expect: %j', async (value) => {
  const { client } = await echo();
  client.send(`POST / HTTP/1.1\r\nHost: a\r\nExpect:${value}\r\nContent-Length: 5\r\n\r\n`);
  expect(await client.until(/\r\n\r\n/)).toBe(CONTINUE);
});

it.each([
  ['all of the body is here', 'Content-Length: 5\r\n\r\nhello', ''],
  ['its first byte is here', 'Content-Length: 5\r\n\r\nh', 'ello'],
  ['its first chunk is here', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n', '0\r\n\r\n'],
])('does not ask when %s', async (_what, first, second) => {
  const { client, bodies } = await echo();
  client.send(POST + first);
  if (second !== '') await new Promise<void>((resolve) => client.socket.write('', () => setImmediate(resolve)));
  client.send(second + NEXT);
  expect(await client.closed()).not.toContain('100 Continue');
  expect(bodies).toEqual(['hello', '']);
});

it.each(['', 'Content-Length: 0\r\n'])('does not ask when there is no body (%j)', async (lines) => {
  const { text, statuses } = await askTwice(`GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n${lines}\r\n`);
  expect(statuses).toEqual([200, 200]);
  expect(text).not.toContain('100 Continue');
});

it('ignores Expect in HTTP/1.0', async () => {
  const { client, bodies } = await echo();
  client.send('POST / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n');
  await new Promise<void>((resolve) => client.socket.write('', () => setImmediate(resolve)));
  client.send('hello');
  expect(await client.closed()).toMatch(/^HTTP\/1\.1 200 /);
  expect(bodies).toEqual(['hello']);
});

it('ignores any expectation in HTTP/1.0', async () => {
  expect((await ask('GET / HTTP/1.0\r\nExpect: the-impossible\r\n\r\n')).statuses).toEqual([200]);
});

it.each(['200-ok', '', '100-continue, x', 'x, 100-continue', '100-continue;q=1', '100 continue'])(
  'says 417 to Expect: %j',
  async (value) => {
    const { statuses, asked, text } = await askTwice(`POST / HTTP/1.1\r\nHost: a\r\nExpect: ${value}\r\nContent-Length: 5\r\n\r\nhello`);
    expect(statuses).toEqual([417]);
    expect(asked).toEqual([]);
    expect(text).not.toContain('100 Continue');
  },
);

it('says 417 to several expectations', async () => {
  const { statuses } = await askTwice(`${POST}Expect: x\r\nContent-Length: 5\r\n\r\nhello`);
  expect(statuses).toEqual([417]);
});

it.each([
  ['413', `${POST}Content-Length: 99\r\n\r\n`, 413],
  ['400 for its framing', `${POST}Content-Length: 5, 5\r\n\r\n`, 400],
  ['400 for its Host', `${POST}Host: a\r\nContent-Length: 5\r\n\r\n`, 400],
  ['400 for its target', `POST /%00 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`, 400],
  ['501', `${POST}Transfer-Encoding: gzip\r\n\r\n`, 501],
])('says %s at once instead of 100, and closes', async (_what, bytes, status) => {
  const { statuses, text, answers, asked } = await ask(bytes, { maxBodySize: 10 });
  expect(statuses).toEqual([status]);
  expect(answers[0]?.headers['connection']).toBe('close');
  expect(text).not.toContain('100 Continue');
  expect(asked).toEqual([]);
});

it('asks for the body only behind the answers owed before', async () => {
  const first = deferred<Response>();
  const paths: string[] = [];
  const { port } = await serve((request) => {
    paths.push(request.path);
    return request.path === '/first' ? first.promise : Response.text(request.body.text());
  });
  const client = await talk(port);
  client.send(`GET /first HTTP/1.1\r\nHost: a\r\n\r\n${POST}Content-Length: 5\r\n\r\n`);
  await expect.poll(() => paths).toEqual(['/first']);
  expect(client.received).toBe('');
  first.resolve(Response.text('1st'));
  const text = await client.until(/100 Continue\r\n\r\n/);
  expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n1stHTTP\/1\.1 100 Continue\r\n\r\n$/);
  client.send('hello');
  expect((await client.answers(2)).map(({ body }) => body)).toEqual(['1st', 'hello']);
});

it('does not ask when the body has begun while earlier answers were owed', async () => {
  const first = deferred<Response>();
  const { port, server } = await serve((request) => (request.path === '/first' ? first.promise : Response.text(request.body.text())));
  const [client, other] = [await talk(port), await talk(port)];
  client.send(`GET /first HTTP/1.1\r\nHost: a\r\n\r\n${POST}Content-Length: 5\r\n\r\n`);
  await expect.poll(() => server.status().inFlight).toBe(1);
  await new Promise<void>((resolve) => client.socket.write('he', () => setImmediate(resolve)));
  other.send(NEXT);
  await other.closed(); // what was sent before has been read by now
  first.resolve(Response.text('1st'));
  await client.until(/1st/);
  client.send('llo');
  expect((await client.answers(2)).map(({ body }) => body)).toEqual(['1st', 'hello']);
  expect(client.received).not.toContain('100 Continue');
});

it('asks when a body that is streamed is read, and not before', async () => {
  const start = deferred<void>();
  const requests: Request[] = [];
  const { port } = await serve(
    async (request) => {
      requests.push(request);
      await start.promise;
      return Response.text(await textOf(request));
    },
    { streamBody: () => true },
  );
  const client = await talk(port);
  client.send(`${POST}Content-Length: 5\r\n\r\n`);
  await expect.poll(() => requests.length).toBe(1);
  expect(client.received).toBe('');
  start.resolve();
  expect(await client.until(/\r\n\r\n/)).toBe(CONTINUE);
  client.send('hello');
  expect((await client.answers(1))[0]?.body).toBe('hello');
  client.send(NEXT);
  expect(parseAnswers(await client.closed()).map(({ status }) => status)).toEqual([200, 200]);
});

it('asks for a body that is streamed and waited for when the answers owed before are out', async () => {
  const first = deferred<Response>();
  const paths: string[] = [];
  const { port } = await serve(
    async (request) => {
      paths.push(request.path);
      return request.path === '/first' ? first.promise : Response.text(await textOf(request));
    },
    { streamBody: () => true },
  );
  const client = await talk(port);
  client.send(`GET /first HTTP/1.1\r\nHost: a\r\n\r\n${POST}Content-Length: 5\r\n\r\n`);
  await expect.poll(() => paths).toEqual(['/first', '/']);
  expect(client.received).toBe('');
  first.resolve(Response.text('1st'));
  await client.until(/1stHTTP\/1\.1 100 Continue\r\n\r\n$/);
  client.send('hello');
  expect((await client.answers(2)).map(({ body }) => body)).toEqual(['1st', 'hello']);
});

it('closes when the answer is there before the client was asked: nobody can tell whether the body will come', async () => {
  const paths: string[] = [];
  const { port } = await serve(
    (request) => {
      paths.push(request.path);
      return Response.text('no, thanks').withStatus(403);
    },
    { streamBody: () => true },
  );
  const client = await talk(port);
  client.send(`${POST}Content-Length: ${NEXT.length}\r\n\r\n`);
  await client.until(/no, thanks$/);
  client.send(NEXT);
  const answers = parseAnswers(await client.closed());
  expect(answers).toMatchObject([{ status: 403, headers: { connection: 'close' } }]);
  expect(paths).toEqual(['/']);
  expect(client.isReset).toBe(false);
});

async function textOf(request: Request): Promise<string> {
  let text = '';
  for await (const piece of request.body.stream()) text += (piece as Buffer).toString('latin1');
  return text;
}

it('does not ask when the body has begun to come while earlier answers were owed', async () => {
  const first = deferred<Response>();
  const { port, server } = await serve((request) => (request.path === '/first' ? first.promise : Response.text(request.body.text())));
  const client = await talk(port);
  client.send(`GET /first HTTP/1.1\r\nHost: a\r\n\r\n${POST}Content-Length: 5\r\n\r\n`);
  await expect.poll(() => server.status().inFlight).toBe(1);
  client.send('he');
  const other = await talk(port);
  other.send(`${POST}Content-Length: 0\r\n\r\n`);
  await other.answers(1); // whoever is served later shows that the two bytes have been read
  first.resolve(Response.text('1st'));
  await client.answers(1);
  client.send('llo');
  expect((await client.answers(2)).map(({ body }) => body)).toEqual(['1st', 'hello']);
  expect(client.received).not.toContain('100 Continue');
});
