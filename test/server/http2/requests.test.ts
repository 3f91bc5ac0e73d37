import { describe, expect, it } from 'vitest';
import { Response } from '../../../src/index.ts';
import { ask, serveHttp2 } from '../../support/http2.ts';

describe('a request over HTTP/2', () => {
  it('is answered', async () => {
    const { client } = await serveHttp2((request) =>
      Response.text(`${request.method} ${request.path} ${request.httpVersion} ${request.host}`),
    );
    const answer = await ask(client, '/hello?x=1');
    expect(answer).toMatchObject({ status: 200, body: `GET /hello 2.0 127.0.0.1:${client.socket.remotePort}` });
    expect(answer.headers).toMatchObject({ 'content-type': 'text/plain; charset=utf-8', 'content-length': String(answer.body.length) });
    expect(answer.headers.date).toBeDefined();
  });

  it('has a body', async () => {
    const { client } = await serveHttp2((request) => Response.text(`${request.body.size}: ${request.body.text()}`));
    expect(await ask(client, { ':path': '/', ':method': 'POST' }, 'a body')).toMatchObject({ status: 200, body: '6: a body' });
  });

  it('may come with a hundred others, whose answers come as they are there', async () => {
    const order: number[] = [];
    const later: (() => void)[] = [];
    const { client } = await serveHttp2(async (request) => {
      const number = Number(request.path.slice(1));
      if (number % 2 === 0) await new Promise<void>((resolve) => later.push(resolve));
      if (number === 99) for (const resolve of later) resolve();
      return Response.text(String(number));
    });
    await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        expect(await ask(client, `/${i}`)).toMatchObject({ status: 200, body: String(i) });
        order.push(i);
      }),
    );
    expect(order.slice(0, 50).every((number) => number % 2 === 1)).toBe(true);
  });
});
