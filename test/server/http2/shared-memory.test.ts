import { connect } from 'node:http2';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Request, Response, sendEarlyHints } from '../../../src/index.ts';
import { Authority } from '../../support/certificates.ts';
import { answerOf, ask, connectTo, serveHttp2 } from '../../support/http2.ts';
import { deferred, serve } from '../../support/serve.ts';

describe('connections over HTTP/2 that share the memory in which their frames are gathered', () => {
  it('send nothing of each other when a handler of one has the other write', async () => {
    const first = deferred<Request>();
    const mayEnd = deferred<void>();
    const { client, port } = await serveHttp2(async (request) => {
      if (request.path === '/first') {
        first.resolve(request);
        await mayEnd.promise;
        return Response.text('first');
      }
      if (request.path === '/second') sendEarlyHints(await first.promise, ['</a.css>; rel=preload']);
      return Response.text(request.path);
    });
    const other = connectTo(port);
    const stream = client.request({ ':path': '/first' });
    const hints: unknown[] = [];
    stream.on('headers', (head) => hints.push(head['link']));
    await first.promise;
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => ask(other, i % 2 === 0 ? '/second' : '/third')));
    expect(answers.map(({ body }) => body)).toEqual(Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? '/second' : '/third')));
    mayEnd.resolve();
    expect(await answerOf(stream)).toMatchObject({ status: 200, body: 'first' });
    expect(hints).toHaveLength(10);
  });

  it('do so when nothing is awaited in between, too', async () => {
    let waiting: Request | undefined;
    const mayEnd = deferred<void>();
    const { client, port } = await serveHttp2(
      (request) => {
        if (request.path === '/first') {
          waiting = request;
          return mayEnd.promise.then(() => Response.text('first'));
        }
        if (waiting) sendEarlyHints(waiting, ['</a.css>; rel=preload']);
        return Response.text(request.path.repeat(100));
      },
      { threads: 0 },
    );
    const other = connectTo(port);
    const stream = client.request({ ':path': '/first' });
    const hints: unknown[] = [];
    stream.on('headers', (head) => hints.push(head['link']));
    await ask(client, '/warm');
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => ask(other, `/${i}`)));
    expect(answers.map(({ body }) => body)).toEqual(Array.from({ length: 50 }, (_, i) => `/${i}`.repeat(100)));
    mayEnd.resolve();
    expect(await answerOf(stream)).toMatchObject({ body: 'first' });
    expect(hints).toHaveLength(51);
  });

  it.each(['plain TCP', 'TLS'])('send no body of another when the system takes them in parts, over %s', async (over) => {
    const authority = new Authority();
    onTestFinished(() => authority.remove());
    const how = over === 'TLS' ? { tls: authority.issue('main') } : { h2c: true };
    const bodyOf = (path: string): string => path.padEnd(10, '.').repeat(50_000);
    const { port } = await serve((request) => Response.bytes('text/plain', Buffer.from(bodyOf(request.path))), how);
    const origin = `${over === 'TLS' ? 'https' : 'http'}://127.0.0.1:${port}`;
    const paths = Array.from({ length: 10 }, (_, i) => `/${i}`);
    const answers = await Promise.all(
      Array.from({ length: 6 }, async () => {
        const client = connect(origin, { rejectUnauthorized: false });
        onTestFinished(() => client.destroy());
        return Promise.all(paths.map((path) => ask(client, path)));
      }),
    );
    for (const bodies of answers) expect(bodies.map(({ body }, i) => body === bodyOf(paths[i] as string))).toEqual(paths.map(() => true));
  });
});
