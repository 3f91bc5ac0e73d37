import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { Response } from '../../src/index.ts';
import { deferred, parseAnswers, serve, talk } from '../support/serve.ts';

/** What a server says that has one response for all requests, and what its `onError` sees. */
async function answersOf(response: Response, bytes: string): Promise<{ statuses: number[]; bodies: string[]; errors: string[] }> {
  const errors: string[] = [];
  const { port } = await serve(() => response, { onError: (error) => void errors.push((error as Error).message) });
  const client = await talk(port);
  client.send(`${bytes}GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  const answers = parseAnswers(await client.closed(), true, (index) => index === 0 && bytes.startsWith('HEAD'));
  return { statuses: answers.map(({ status }) => status), bodies: answers.map(({ body }) => body), errors };
}

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const BEFORE = 'Cannot send response: its stream has been sent before; make a new Response for each request';

it('answers 500 to a stream that was sent before, and says so once', async () => {
  const { statuses, bodies, errors } = await answersOf(Response.stream('text/plain', ['once'].values()), GET);
  expect([statuses, bodies[0], errors]).toEqual([[200, 500], 'once', [BEFORE]]);
});

it('answers 500 to a stream that is being sent to somebody else', async () => {
  const rest = deferred<string>();
  const shared = Response.stream(
    'text/plain',
    (async function* () {
      yield 'first';
      yield rest.promise;
    })(),
  );
  const { port } = await serve(() => shared, { onError: () => {} });
  const [one, other] = [await talk(port), await talk(port)];
  one.send(GET);
  await one.until(/first/);
  other.send(GET);
  expect((await other.answers(1)).map(({ status }) => status)).toEqual([500]);
  rest.resolve('last');
  expect((await one.answers(1)).map(({ body }) => body)).toEqual(['firstlast']);
});

it('answers a bare 500 when `onError` gives the same stream again', async () => {
  const stale = Response.stream('text/plain', ['once'].values());
  const { port } = await serve(() => stale, { onError: () => stale });
  const client = await talk(port);
  client.send(GET + GET);
  expect((await client.answers(2)).map(({ status, body }) => [status, body])).toEqual([
    [200, 'once'],
    [500, 'Internal Server Error'],
  ]);
});

it('sends a constant again whose source starts again: an array', async () => {
  const { statuses, bodies } = await answersOf(Response.stream('text/plain', ['a', 'b']), GET);
  expect([statuses, bodies]).toEqual([
    [200, 200],
    ['ab', 'ab'],
  ]);
});

it('announces no body to HEAD, and lets go of the source', async () => {
  let wasDropped = false;
  const source = {
    [Symbol.iterator]: () => ['x'].values(),
    return: () => {
      wasDropped = true;
    },
  };
  const { statuses, bodies } = await answersOf(Response.stream('text/plain', source), 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n');
  expect([statuses[0], bodies[0], wasDropped]).toEqual([200, '', true]);
});

it('sends two cookies in two lines', async () => {
  const { port } = await serve(() => Response.text('').withCookie('a', '1').withCookie('b', '2', { maxAge: 60 }));
  const client = await talk(port);
  client.send(GET);
  const [answer] = await client.answers(1);
  expect(answer?.head.split('\r\n').filter((line) => line.startsWith('Set-Cookie'))).toEqual([
    'Set-Cookie: a=1; Path=/; HttpOnly; SameSite=Lax',
    'Set-Cookie: b=2; Max-Age=60; Path=/; HttpOnly; SameSite=Lax',
  ]);
});

it('serves on after a thousand handlers that threw, on the same connection (in Rouille a panic poisons what was locked)', async () => {
  const seen = new Set<string>();
  const { port } = await serve(
    (request) => {
      if (request.path === '/') throw new Error('a bug');
      return Response.text('well');
    },
    { onError: (error) => void seen.add((error as Error).message) },
  );
  const client = await talk(port);
  client.send(`${GET.repeat(1000)}GET /well HTTP/1.1\r\nHost: a\r\n\r\n`);
  const answers = await client.answers(1001);
  expect(new Set(answers.slice(0, 1000).map(({ status, body }) => `${status} ${body}`))).toEqual(new Set(['500 Internal Server Error']));
  expect([answers[1000]?.body, ...seen]).toEqual(['well', 'a bug']);
});

it('answers in step behind a chunked body that the handler never looks at', async () => {
  const paths: string[] = [];
  const { port } = await serve((request) => {
    paths.push(request.path);
    return Response.text('x');
  });
  const client = await talk(port);
  const hidden = 'GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n';
  client.send(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`);
  client.send('GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  await client.closed();
  expect(paths).toEqual(['/', '/next']);
});

it('sends a file that has changed since its constant Response was made whole and without the validators of what it was (RFC 9110 §8.8)', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'news.txt');
  writeFileSync(path, 'old');
  const constant = Response.file(path);
  const { port } = await serve(() => constant);
  const before = await fetch(`http://127.0.0.1:${port}/`);
  expect([await before.text(), before.headers.get('etag')]).toEqual(['old', constant.header('etag')]);
  writeFileSync(path, 'newer');
  const after = await fetch(`http://127.0.0.1:${port}/`);
  expect([await after.text(), after.headers.get('etag'), after.headers.get('last-modified')]).toEqual(['newer', null, null]);
});
