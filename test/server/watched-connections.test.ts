/** What is told of connections, and of the streams of HTTP/2. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expect, it, onTestFinished, vi } from 'vitest';
import type { RequestMessage } from '../../src/exchange/channels.ts';
import { Response } from '../../src/index.ts';
import type { ConnectionMessage, StreamMessage } from '../../src/process/watching/connection-channels.ts';
import { ask, serveHttp2 } from '../support/http2.ts';
import { serve, talk } from '../support/serve.ts';
import { until } from '../support/until.ts';

vi.stubEnv('FILROUGE_PLAYED_THREADS', '1'); // read when the first thread starts

function watch<T>(name: string): T[] {
  const all: T[] = [];
  const note = (message: unknown): void => void all.push(message as T);
  subscribe(name, note);
  onTestFinished(() => void unsubscribe(name, note));
  return all;
}

it('a connection is told of when it is opened and when it is closed, and by the messages of its requests', async () => {
  const opened = watch<ConnectionMessage>('filrouge.connection:open');
  const closed = watch<ConnectionMessage>('filrouge.connection:close');
  const sent = watch<RequestMessage>('filrouge.request:sent');
  const { port } = await serve(() => Response.text('hello'), { threads: 0 });
  const client = await talk(port);
  for (let count = 1; count <= 2; count++) {
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.answers(count);
  }
  const [message] = opened;
  expect(message?.connection).toMatchObject({
    remoteAddress: '127.0.0.1',
    remotePort: client.socket.localPort,
    localPort: port,
    protocol: 'http/1.1',
    isSecure: false,
  });
  expect(sent.map(({ connection }) => connection)).toEqual([message?.connection, message?.connection]);
  expect(sent[0]?.connection).toBe(sent[1]?.connection);
  client.socket.destroy();
  await until(
    () => closed[0],
    () => 'the close',
  );
  expect([opened.length, closed.length]).toEqual([1, 1]);
  expect(closed[0]).toBe(message);
});

it('a connection is known in a handler thread', async () => {
  const opened = watch<ConnectionMessage>('filrouge.connection:open');
  const sent = watch<RequestMessage>('filrouge.request:sent');
  const { port } = await serve(() => Response.text('hello'), { threads: 1 });
  const client = await talk(port);
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await until(
    () => sent[0],
    () => 'the response',
  );
  expect(sent[0]?.connection).toEqual(opened[0]?.connection);
});

it('each stream of HTTP/2 is told of, with its connection', async () => {
  const connections = watch<ConnectionMessage>('filrouge.connection:open');
  const opened = watch<StreamMessage>('filrouge.stream:open');
  const closed = watch<StreamMessage>('filrouge.stream:close');
  const { client } = await serveHttp2(() => Response.text('hello'), { threads: 0 });
  await Promise.all([ask(client, '/1'), ask(client, '/2')]);
  expect(opened.map(({ id }) => id)).toEqual([1, 3]);
  expect(closed).toEqual(opened);
  expect(connections).toMatchObject([{ connection: { protocol: 'h2' } }]);
  expect(opened.map(({ connection }) => connection)).toEqual([connections[0]?.connection, connections[0]?.connection]);
});
