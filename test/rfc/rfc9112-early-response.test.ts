/** RFC 9112 §9.3, §9.6: answers that are there before the body, and closing so that they can be read. */
import { expect, it } from 'vitest';
import { Response } from '../../src/index.ts';
import { deferred, NEXT, parseAnswers, serve, type Talk, talk } from '../support/serve.ts';
import { until } from '../support/until.ts';

const KiB = 1024;

/** A client of a server that answers without reading the body. */
async function early(paths: string[] = []): Promise<Talk> {
  const { port } = await serve(
    (request) => {
      paths.push(request.path);
      return Response.text(request.path);
    },
    { streamBody: () => true },
  );
  return talk(port);
}

it.each([1, 100_000, 256 * KiB])('drops up to 256 KiB of a body nobody reads, and goes on: %i', async (length) => {
  const paths: string[] = [];
  const client = await early(paths);
  client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`);
  const [first] = await client.answers(1);
  expect(first?.status).toBe(200);
  expect(first?.headers).not.toHaveProperty('connection');
  client.send('x'.repeat(length) + NEXT);
  expect(parseAnswers(await client.closed()).map(({ body }) => body)).toEqual(['/', '/next']);
  expect(paths).toEqual(['/', '/next']);
});

it('goes on at the right byte when the body is full of requests', async () => {
  const paths: string[] = [];
  const client = await early(paths);
  const hidden = 'GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(100);
  client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden.slice(0, 50)}`);
  await client.answers(1);
  client.send(hidden.slice(50) + NEXT);
  await client.closed();
  expect(paths).toEqual(['/', '/next']);
});

it.each([
  ['more than 256 KiB', `Content-Length: ${256 * KiB + 1}`],
  ['chunks, whose end nobody knows', 'Transfer-Encoding: chunked'],
])('closes when too much is to come: %s', async (_what, line) => {
  const paths: string[] = [];
  const client = await early(paths);
  client.send(`POST / HTTP/1.1\r\nHost: a\r\n${line}\r\n\r\n`);
  await client.closed();
  client.send(NEXT);
  client.end();
  await new Promise((resolve) => client.socket.once('close', resolve));
  expect(parseAnswers(client.received)).toMatchObject([{ status: 200, headers: { connection: 'close' } }]);
  expect(paths).toEqual(['/']);
  expect(client.isReset).toBe(false);
});

it.each([
  ['a refusal by length', 'Content-Length: 20000000', 413],
  ['a refusal of the framing', 'Content-Length: 5, 6', 400],
  ['a refusal of the coding', 'Transfer-Encoding: gzip', 501],
])('lets a client send 20 MB and then read its answer: %s', async (_what, line, status) => {
  const { port } = await serve(() => Response.text('x'));
  const client = await talk(port);
  client.socket.pause();
  client.send(`POST / HTTP/1.1\r\nHost: a\r\n${line}\r\n\r\n`);
  const piece = Buffer.alloc(100_000, 'x');
  for (let i = 0; i < 200; i++) {
    await new Promise<void>((resolve, reject) => client.socket.write(piece, (error) => (error ? reject(error) : resolve())));
  }
  client.socket.resume();
  expect(parseAnswers(await client.closed())).toMatchObject([{ status, headers: { connection: 'close' } }]);
  expect(client.isReset).toBe(false);
});

it('shuts its side at once after a refusal', async () => {
  const { port, server } = await serve(() => Response.text('x'));
  const client = await talk(port);
  client.send('BAD\r\n\r\n');
  await client.closed(); // its end came, though we have not ended ours
  expect(server.status().connections).toBe(1);
  client.end();
  await expect.poll(() => server.status().connections).toBe(0);
});

it('goes on serving others when a client vanishes inside a body that nobody reads', async () => {
  const { port, server } = await serve((request) => Response.text(request.path), { streamBody: () => true });
  const client = await talk(port);
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhello');
  await client.answers(1);
  client.socket.resetAndDestroy();
  await expect.poll(() => server.status().connections).toBe(0);
  const other = await talk(port);
  other.send(NEXT);
  expect(parseAnswers(await other.closed())).toMatchObject([{ body: '/next' }]);
});

it('tells a handler that streams when the client ends inside the body', async () => {
  const errors: Error[] = [];
  const { port } = await serve(
    async (request) => {
      try {
        for await (const _piece of request.body.stream());
      } catch (error) {
        errors.push(error as Error);
        return Response.text('seen').withStatus(400);
      }
      return Response.text('whole');
    },
    { streamBody: () => true },
  );
  const client = await talk(port);
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhello');
  client.end();
  expect(parseAnswers(await client.closed())).toMatchObject([{ status: 400, body: 'seen', headers: { connection: 'close' } }]);
  expect(errors).toHaveLength(1);
});

it.each([
  ['a bad chunk', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nx', 400],
  ['too large a body', 'Transfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\n', 413],
])('tells a handler that streams of %s, and answers what it would', async (_what, rest, status) => {
  const { port } = await serve(
    async (request) => {
      for await (const _piece of request.body.stream());
      return Response.text('whole');
    },
    { streamBody: () => true, maxBodySize: 10 },
  );
  const client = await talk(port);
  client.send(`POST / HTTP/1.1\r\nHost: a\r\n${rest}${NEXT}`);
  expect(parseAnswers(await client.closed())).toMatchObject([{ status, headers: { connection: 'close' } }]);
});

it('gives a handler that streams each piece as it comes, and waits for slow ones', async () => {
  const pieces: string[] = [];
  const { port } = await serve(
    async (request) => {
      for await (const piece of request.body.stream()) pieces.push(String(piece));
      return Response.text('whole');
    },
    { streamBody: () => true },
  );
  const client = await talk(port);
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello');
  await expect.poll(() => pieces).toEqual(['hello']);
  client.send(`world${NEXT.replace('GET', 'PUT')}`);
  expect(parseAnswers(await client.closed())).toMatchObject([{ body: 'whole' }, { body: 'whole' }]);
  expect(pieces).toEqual(['hello', 'world']);
});

it('says nothing more when the client ends inside a body whose answer is out', async () => {
  const client = await early();
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhello');
  await client.answers(1);
  client.end();
  expect(parseAnswers(await client.closed())).toMatchObject([{ status: 200 }]);
  expect(client.isReset).toBe(false);
});

it('serves nothing behind an answer that said close, though the body has come meanwhile (RFC 9112 §9.6)', async () => {
  const paths: string[] = [];
  const answer = deferred<Response>();
  const { port } = await serve(
    (request) => {
      paths.push(request.path);
      return request.path === '/' ? answer.promise : Response.text('late');
    },
    { streamBody: () => true },
  );
  const client = await talk(port);
  client.send(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n${NEXT}`);
  await until(
    () => paths.at(0),
    () => 'the first request',
  );
  answer.resolve(Response.text('early')); // nobody has read the stream: where the body ends is not known yet
  expect(parseAnswers(await client.closed())).toMatchObject([{ body: 'early', headers: { connection: 'close' } }]);
  expect(paths).toEqual(['/']);
});

it('calls no handler for what comes while an answer that said close is being sent', async () => {
  const paths: string[] = [];
  const rest = deferred<string>();
  const { port } = await serve((request) => {
    if (request.path === '/other') return Response.empty();
    paths.push(request.path);
    return Response.stream('text/plain', slowly(rest.promise)).withHeader('Connection', 'close');
  });
  const client = await talk(port);
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.until(/first/);
  client.send(NEXT);
  const other = await talk(port); // once it has its answer, what was sent before it has come as well
  other.send('GET /other HTTP/1.1\r\nHost: a\r\n\r\n');
  await other.answers(1);
  rest.resolve('second');
  expect(await client.closed()).toContain('second');
  expect(paths).toEqual(['/']);
});

async function* slowly(rest: Promise<string>): AsyncGenerator<string> {
  yield 'first';
  yield await rest;
}
