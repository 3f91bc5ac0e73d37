/**
 * What has come while a handler held the loop has come in time, however late it is read.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Handler, Response, type RunningServer, type ServerOptions, startServer } from '../../../src/index.ts';
import { DRAIN_GRACE } from '../../../src/server/connection/patience.ts';
import { deferred, Talk } from '../../support/serve.ts';

const POST = 'POST /order HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n';

async function start(handler: Handler, options: ServerOptions): Promise<RunningServer> {
  const server = await startServer(handler, { workers: 0, signals: false, log: 'off', host: '127.0.0.1', port: 0, ...options });
  onTestFinished(() => server.close({ timeout: 0 }));
  return server;
}

async function talkTo({ address }: RunningServer): Promise<Talk> {
  const socket = connect((address as { port: number }).port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return new Talk(socket);
}

/** Holds the loop, as a handler does that computes. @param ms For how long. */
function hold(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

describe('a request that comes while the loop is held', () => {
  it('is answered when its connection would meanwhile have rested for too long', async () => {
    const keepAliveTimeout = 1000;
    const server = await start(
      (request) => {
        if (request.path === '/hold') {
          resting.send(`${POST}x`);
          hold(2 * keepAliveTimeout);
        }
        return Response.text(`answer to ${request.path}`);
      },
      { keepAliveTimeout },
    );
    const resting = await talkTo(server);
    const other = await talkTo(server);
    resting.send('GET /first HTTP/1.1\r\nHost: a\r\n\r\n');
    await resting.until(/answer to \/first$/);
    other.send('GET /hold HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await resting.until(/answer to \/order$/)).toContain('HTTP/1.1 200');
  });

  it('is answered while the server drains, as the last on its connection', async () => {
    const { promise: begun, resolve: begin } = deferred<void>();
    const server = await start(
      async (request) => {
        if (request.path === '/hold') {
          begin();
          await once(request.stopping, 'abort');
          resting.send(`${POST}x`);
          hold(2 * DRAIN_GRACE);
        }
        return Response.text(`answer to ${request.path}`);
      },
      { keepAliveTimeout: 60_000 },
    );
    const resting = await talkTo(server);
    const held = await talkTo(server);
    resting.send('GET /first HTTP/1.1\r\nHost: a\r\n\r\n');
    await resting.until(/answer to \/first$/);
    held.send('GET /hold HTTP/1.1\r\nHost: a\r\n\r\n');
    await begun;
    const closed = server.close();
    expect(await resting.until(/answer to \/order$/)).toMatch(/connection: close\r\n(?:[^\r]+\r\n)*\r\nanswer to \/order$/i);
    await closed;
  });
});
