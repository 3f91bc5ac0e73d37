import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { accepting, freePort, start } from '../support/program.ts';

async function service(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, 'localhost');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://localhost:${(server.address() as AddressInfo).port}/`;
}

describe('examples/aggregate', () => {
  it('asks three services at the same time, and shows the others when one fails', async () => {
    let asked = 0;
    let settle = (): void => {};
    const allAsked = new Promise<void>((resolve) => {
      settle = resolve;
    });
    const answering = (value: unknown): RequestListener => {
      return (_, response) => {
        if (++asked === 2) settle();
        void allAsked.then(() => response.setHeader('Content-Type', 'application/json').end(JSON.stringify(value))); // none before both are asked
      };
    };
    const env = {
      NEWS: await service(answering(['all is well'])),
      WEATHER: await service(answering({ sky: 'blue' })),
      QUOTES: 'http://localhost:1/',
    };
    const port = await freePort();
    start('.build/examples/aggregate.js', { ...env, PORT: String(port) });
    await accepting(port);
    const page = (await (await fetch(`http://localhost:${port}/`)).json()) as Record<string, unknown>;
    expect(page).toEqual({
      news: ['all is well'],
      weather: { sky: 'blue' },
      quotes: { missing: expect.stringContaining('ECONNREFUSED') as string },
    });
    const news = await fetch(`http://localhost:${port}/news`);
    expect([news.status, news.headers.get('content-type'), await news.text()]).toEqual([200, 'application/json', '["all is well"]']);
  });
});
