/**
 * What is left of mounted listeners when their exchanges are over: nothing, whether they have ended their responses or not.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect, it, onTestFinished, vi } from 'vitest';
import { Request } from '../../src/index.ts';
import { answerWithNode, type NodeListener } from '../../src/node.ts';
import { collectGarbage } from '../support/garbage.ts';
import { serve, talk } from '../support/serve.ts';
import { until } from '../support/until.ts';

const MANY = 200;

/** Counts the responses that a listener has been given and that are not closed, and those that are still in memory. */
class Visits {
  begun = 0;
  closed = 0;
  readonly #objects: WeakRef<object>[] = [];
  readonly #known: WeakSet<object> = new WeakSet();

  watch(req: IncomingMessage, res: ServerResponse): void {
    this.begun++;
    for (const object of [req.socket, res]) {
      if (!this.#known.has(object)) this.#objects.push(new WeakRef(object));
      this.#known.add(object);
    }
    res.on('close', () => this.closed++);
  }

  /** How many sockets and responses garbage collection leaves. */
  async left(): Promise<number> {
    await collectGarbage();
    return this.#objects.filter((object) => object.deref() !== undefined).length;
  }

  /** Waits until nearly nothing is left: the last exchange may be held by the engine. */
  async areCollected(): Promise<void> {
    await until(
      async () => (await this.left()) <= 4 || undefined,
      () => 'sockets and responses to be collected',
    );
  }
}

/** Ways in which a listener sends all it has announced without ending its response. */
const UNENDED: Readonly<Record<string, NodeListener>> = {
  'a body': (_req, res) => void res.writeHead(200, { 'Content-Length': 3 }).write('abc'),
  'a 204': (_req, res) => res.writeHead(204).flushHeaders(),
  'a 304': (_req, res) => res.writeHead(304).flushHeaders(),
};

it.each(Object.entries(UNENDED))('closes a response that is complete, %s, and never ended', async (_name, listener) => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const visits = new Visits();
  const watched: NodeListener = (req, res) => {
    visits.watch(req, res);
    listener(req, res);
  };
  const ends: (() => void)[] = [];
  for (let i = 0; i < MANY; i++) {
    const request = new Request();
    const response = await answerWithNode(request, watched);
    await response.collect();
    ends.push(() => request.release());
  }
  for (const end of ends) end();
  expect([visits.begun, visits.closed]).toEqual([MANY, 0]);
  vi.advanceTimersByTime(5000);
  vi.useRealTimers();
  await until(
    () => visits.closed === MANY || undefined,
    () => `every response to be closed: ${visits.closed}`,
  );
  ends.length = 0;
  await visits.areCollected();
});

it('closes a response that never comes when its client has left', async () => {
  const visits = new Visits();
  const { port } = await serve((request) => answerWithNode(request, (req, res) => visits.watch(req, res)), { onError: () => {} });
  const clients = await Promise.all(Array.from({ length: MANY }, () => talk(port)));
  for (const client of clients) client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await until(
    () => visits.begun === MANY || undefined,
    () => 'the requests',
  );
  for (const client of clients) client.socket.resetAndDestroy();
  await until(
    () => visits.closed === MANY || undefined,
    () => `every response to be closed: ${visits.closed}`,
  );
  await visits.areCollected();
});

it('keeps nothing of exchanges that have ended', async () => {
  const visits = new Visits();
  const { port } = await serve((request) =>
    answerWithNode(request, (req, res) => {
      visits.watch(req, res);
      req.pipe(res);
    }),
  );
  const client = await talk(port);
  for (let i = 0; i < MANY; i++) {
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello');
    await client.answers(i + 1);
  }
  await until(
    () => visits.closed === MANY || undefined,
    () => `every response to be closed: ${visits.closed}`,
  );
  await visits.areCollected();
});

it('keeps nothing of answers that came before the body', async () => {
  const visits = new Visits();
  const { port } = await serve(
    (request) =>
      answerWithNode(request, (req, res) => {
        visits.watch(req, res);
        res.writeHead(401).end('no');
      }),
    { streamBody: () => true },
  );
  const clients = await Promise.all(Array.from({ length: MANY }, () => talk(port)));
  await Promise.all(
    clients.map(async (client) => {
      client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel');
      await client.until(/401/);
      client.socket.destroy();
    }),
  );
  await until(
    () => visits.closed === MANY || undefined,
    () => `every response to be closed: ${visits.closed}`,
  );
  await visits.areCollected();
});
