/** RFC 9110 §7.8: Upgrade. */
import type { Duplex } from 'node:stream';
import { expect, it } from 'vitest';
import { Response } from '../../src/index.ts';
import { askTwice, deferred, NEXT, parseAnswers, serve, talk } from '../support/serve.ts';

const OFFER = 'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n';

/** Sends back what comes, in capitals, and ends when the client does. */
function shout(socket: Duplex, head: Uint8Array): void {
  const say = (bytes: Uint8Array): void => void socket.write(Buffer.from(bytes).toString('latin1').toUpperCase());
  if (head.length > 0) say(head);
  socket.on('data', say);
  socket.on('end', () => socket.end());
}

it.each([
  ['at once', () => Response.upgrade('echo', shout)],
  ['by a promise', async () => Response.upgrade('echo', shout)],
  ['later', () => new Promise<Response>((resolve) => setImmediate(() => setImmediate(resolve, Response.upgrade('echo', shout))))],
])('hands the connection over: answered %s', async (_what, handler) => {
  const { port } = await serve(handler);
  const client = await talk(port);
  client.send(OFFER);
  const head = await client.until(/\r\n\r\n/);
  expect(head).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
  expect(head).toMatch(/\r\nConnection: Upgrade\r\n/);
  expect(head).toMatch(/\r\nUpgrade: echo\r\n/);
  expect(head).not.toMatch(/content-length|transfer-encoding/i);
  client.send('hello');
  await client.until(/HELLO$/);
  client.send(' again');
  await client.until(/HELLO AGAIN$/);
  client.end();
  expect(await client.closed()).toBe(`${head}HELLO AGAIN`);
});

it.each([
  ['at once', () => Response.upgrade('echo', shout)],
  ['by a promise', async () => Response.upgrade('echo', shout)],
])('hands over the bytes behind the head, whatever they look like: answered %s', async (_what, handler) => {
  let count = 0;
  const { port } = await serve(() => {
    count++;
    return handler();
  });
  const client = await talk(port);
  client.send(`${OFFER}get / http/1.1\r\n\r\n`);
  await client.until(/\r\n\r\nGET \/ HTTP\/1\.1\r\n\r\n$/);
  client.send('more');
  await client.until(/MORE$/);
  expect(count).toBe(1);
});

it('hands over the connection of a request that lets go of something at its end', async () => {
  const ended = deferred<void>();
  const { port } = await serve((request) => {
    request.onEnd(ended.resolve);
    return Response.upgrade('echo', shout);
  });
  const client = await talk(port);
  client.send(OFFER);
  await client.until(/\r\n\r\n/);
  await ended.promise;
  client.send('hello');
  await client.until(/HELLO$/);
});

it('reads nothing behind an offer while the handler makes up its mind', async () => {
  const answer = deferred<Response>();
  const paths: string[] = [];
  const { port } = await serve((request) => {
    paths.push(request.path);
    return answer.promise;
  });
  const client = await talk(port);
  client.send(`${OFFER}raw bytes\n\n`);
  await expect.poll(() => paths).toEqual(['/chat']);
  client.send('and more');
  await new Promise<void>((resolve) => client.socket.write('', () => setImmediate(resolve)));
  expect(client.received).toBe('');
  answer.resolve(Response.upgrade('echo', shout));
  await client.until(/\r\n\r\nRAW BYTES\n\nAND MORE$/);
});

it('keeps a header that the handler gives the 101', async () => {
  const { port } = await serve(() => Response.upgrade('echo', shout, { 'Sec-Test': 'yes' }));
  const client = await talk(port);
  client.send(OFFER);
  expect(await client.until(/\r\n\r\n/)).toMatch(/\r\nSec-Test: yes\r\n/);
});

it('reads the body of the request first', async () => {
  const { port } = await serve((request) => Response.upgrade('echo', shout, { 'X-Body': request.body.text() }));
  const client = await talk(port);
  client.send('POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\nContent-Length: 5\r\n\r\nhellobytes');
  expect(await client.until(/BYTES$/)).toMatch(/\r\nX-Body: hello\r\n/);
});

it('switches behind the answers owed before', async () => {
  const first = deferred<Response>();
  const paths: string[] = [];
  const { port } = await serve((request) => {
    paths.push(request.path);
    return request.path === '/first' ? first.promise : Response.upgrade('echo', shout);
  });
  const client = await talk(port);
  client.send(`GET /first HTTP/1.1\r\nHost: a\r\n\r\n${OFFER}bytes\r\n\r\n`);
  await expect.poll(() => paths).toEqual(['/first', '/chat']);
  expect(client.received).toBe('');
  first.resolve(Response.text('1st'));
  expect(await client.until(/BYTES\r\n\r\n$/)).toMatch(/^HTTP\/1\.1 200 [\s\S]*1stHTTP\/1\.1 101 [\s\S]*\r\n\r\nBYTES\r\n\r\n$/);
});

it('serves a request whose offer is not taken up, and the next one', async () => {
  const { statuses, asked, answers } = await askTwice(OFFER);
  expect(statuses).toEqual([200, 200]);
  expect(asked).toEqual(['GET /chat', 'GET /next']);
  expect(answers[0]?.headers).not.toHaveProperty('upgrade');
});

it.each(['h2c', 'websocket', 'TLS/1.0', 'HTTP/2.0, echo'])(
  'ignores Upgrade: %s when the handler does, and reads the body',
  async (protocol) => {
    const { statuses, asked, seen } = await askTwice(
      `POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: \r\nUpgrade: ${protocol}\r\nContent-Length: 5\r\n\r\nhello`,
    );
    expect(statuses).toEqual([200, 200]);
    expect(asked).toEqual(['POST /', 'GET /next']);
    expect(seen[0]?.body).toBe('hello');
  },
);

it('serves the next request behind an ignored offer that is answered late', async () => {
  const answer = deferred<Response>();
  const paths: string[] = [];
  const { port } = await serve((request) => {
    paths.push(request.path);
    return request.path === '/chat' ? answer.promise : Response.text('next');
  });
  const client = await talk(port);
  client.send(OFFER + NEXT);
  await expect.poll(() => paths).toEqual(['/chat']);
  answer.resolve(Response.text('no'));
  expect(parseAnswers(await client.closed()).map(({ body }) => body)).toEqual(['no', 'next']);
});

it.each([
  ['without Connection: upgrade', 'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: echo\r\n\r\n'],
  ['with another connection option', 'GET / HTTP/1.1\r\nHost: a\r\nConnection: upgraded\r\nUpgrade: echo\r\n\r\n'],
  ['without Upgrade', 'GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n\r\n'],
  ['in HTTP/1.0', 'GET / HTTP/1.0\r\nHost: a\r\nConnection: upgrade, keep-alive\r\nUpgrade: echo\r\n\r\n'],
])('does not switch for an offer %s, says what it speaks, and goes on', async (_what, bytes) => {
  const { port } = await serve((request) => (request.path === '/next' ? Response.text('next') : Response.upgrade('echo', shout)));
  const client = await talk(port);
  client.send(bytes + NEXT);
  const answers = parseAnswers(await client.closed());
  expect(answers.map(({ status }) => status)).toEqual([426, 200]);
  expect(answers[0]?.head).toMatch(/\r\nUpgrade: echo(\r\n|$)/);
});

it('cuts the connection when the taker throws, and lives on', async () => {
  const errors: unknown[] = [];
  const { port } = await serve(
    (request) =>
      request.path === '/next'
        ? Response.text('next')
        : Response.upgrade('echo', () => {
            throw new Error('cannot take');
          }),
    { onError: (error) => void errors.push(error) },
  );
  const client = await talk(port);
  client.send(OFFER);
  await client.closed();
  expect(errors).toMatchObject([{ message: 'cannot take' }]);
  const other = await talk(port);
  other.send(NEXT);
  expect(await other.closed()).toMatch(/^HTTP\/1\.1 200 /);
});

it('aborts request.signal when the client of an upgraded connection goes', async () => {
  const { promise, resolve } = deferred<void>();
  const { port } = await serve((request) => {
    request.signal.addEventListener('abort', () => resolve());
    return Response.upgrade('echo', shout);
  });
  const client = await talk(port);
  client.send(OFFER);
  await client.until(/\r\n\r\n/);
  client.socket.destroy();
  await promise;
});

it('never takes the bytes behind an offer for a request, though its answer waits for its turn', async () => {
  const first = deferred<Response>();
  const paths: string[] = [];
  const { port } = await serve((request) => {
    paths.push(request.path);
    return request.path === '/first' ? first.promise : Response.upgrade('echo', shout);
  });
  const client = await talk(port);
  client.send(`GET /first HTTP/1.1\r\nHost: a\r\n\r\n${OFFER}get /smuggled HTTP/1.1\r\nhost: a\r\n\r\n`);
  await expect.poll(() => paths).toEqual(['/first', '/chat']);
  first.resolve(Response.text('1st'));
  await client.until(/\r\n\r\nGET \/SMUGGLED HTTP\/1\.1\r\nHOST: A\r\n\r\n$/);
  expect(paths).toEqual(['/first', '/chat']);
});

it('leaves a listener for errors on the socket it hands over: a client that resets must not end the process', async () => {
  const listeners: number[] = [];
  const { port } = await serve(() =>
    Response.upgrade('echo', (socket) => {
      listeners.push(socket.listenerCount('error'));
      socket.end();
    }),
  );
  const client = await talk(port);
  client.send(OFFER);
  await client.closed();
  expect(listeners[0]).toBeGreaterThanOrEqual(1);
});
