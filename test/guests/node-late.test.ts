/**
 * What mounted listeners still do when their responses are over: it is no business of the requests that come next over the same connection.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline, Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { answerWithNode } from '../../src/node.ts';
import { deferred, serve, type Talk, talk } from '../support/serve.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

type Exchange = readonly [req: IncomingMessage, res: ServerResponse];

/** A connection over which one response has come, and what its listener still has of it. */
async function afterOne(
  request: string,
  settled: Promise<void> = Promise.resolve(),
): Promise<{ client: Talk; first: Exchange; second: Promise<Exchange>; errors: readonly unknown[] }> {
  const errors: unknown[] = [];
  const second = deferred<Exchange>();
  const exchanges: Exchange[] = [];
  const listener = (req: IncomingMessage, res: ServerResponse): unknown => {
    exchanges.push([req, res]);
    if (exchanges.length > 1) return second.resolve([req, res]);
    res.end('first');
    return settled;
  };
  const { port } = await serve((received) => answerWithNode(received, listener), {
    streamBody: () => true,
    onError: (error) => void errors.push(error),
  });
  const client = await talk(port);
  client.send(request);
  expect((await client.answers(1))[0]?.body).toBe('first');
  return { client, first: exchanges[0] as Exchange, second: second.promise, errors };
}

it('is not ended by a response that is ended twice', async () => {
  const { client, first, second } = await afterOne(GET);
  client.send(GET);
  const [, res] = await second;
  res.write('sec');
  await client.until(/sec/);
  first[1].end();
  res.end('ond');
  expect((await client.answers(2))[1]?.body).toBe('second');
});

it('is not broken off by what a listener rejects with when its response is over: onError sees it', async () => {
  const settled = deferred<void>();
  const { client, second, errors } = await afterOne(GET, settled.promise);
  client.send(GET);
  const [, res] = await second;
  settled.reject(new Error('late'));
  await new Promise(setImmediate);
  res.end('second');
  expect((await client.answers(2))[1]).toMatchObject({ status: 200, body: 'second' });
  expect(errors).toMatchObject([{ message: 'late' }]);
});

it.each<[string, (exchange: Exchange) => unknown]>([
  ['its socket', ([req]) => req.socket.destroy()],
  ['its request, whose body it has not read', ([req]) => req.destroy()],
  ['its socket, by ending it', ([req]) => req.socket.end()],
])('is answered when a listener has destroyed %s in between', async (_what, destroy) => {
  const { client, first, second } = await afterOne(GET.replace('Host', 'Content-Length: 1\r\nHost').concat('x'));
  destroy(first);
  await new Promise(setImmediate);
  client.send(GET);
  const [, res] = await second;
  res.end('second');
  expect((await client.answers(2))[1]).toMatchObject({ status: 200, body: 'second' });
});

it('breaks off the body that a listener still reads when it has ended its response: it holds nothing open for a body that will not come', async () => {
  const ended = deferred<Error | null | undefined>();
  const { port } = await serve(
    (request) =>
      answerWithNode(request, (req, res) => {
        const sink = new Writable({ write: (_chunk, _encoding, done) => done() });
        pipeline(req, sink, (error) => ended.resolve(error));
        req.once('data', () => res.writeHead(413).end('no'));
      }),
    { streamBody: () => true },
  );
  const client = await talk(port);
  client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel');
  await client.until(/413/);
  client.send('lo');
  expect(await ended.promise).toMatchObject({ code: 'ECONNRESET' });
});
