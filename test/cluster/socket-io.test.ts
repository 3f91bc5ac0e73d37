/** Socket.IO over workers and handler threads, in real processes, asked by the real socket.io-client. */
import { io as connect, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ServerOptions } from '../../src/index.ts';
import type { SocketIOOptions } from '../../src/socket.io.ts';
import { shared } from '../support/program.ts';
import { until } from '../support/until.ts';
import { type Cluster, startCluster } from './support.ts';

const WEBSOCKET = { transports: ['websocket'] };

function start(options: ServerOptions, io: SocketIOOptions = {}): Promise<Cluster> {
  return startCluster(options, { fixture: 'socket-io', env: { IO: JSON.stringify(io) } });
}

/** A client, which is disconnected when the test ends. */
async function connected(cluster: Cluster, options: Partial<ManagerOptions & SocketOptions> = {}, namespace = '/'): Promise<Socket> {
  const socket = connect(cluster.origin + namespace, { forceNew: true, reconnectionDelay: 50, ...options });
  onTestFinished(() => void socket.disconnect());
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  return socket;
}

/** Clients of different workers or threads. */
async function apart(cluster: Cluster, count: number, options: Partial<ManagerOptions & SocketOptions>): Promise<Socket[]> {
  const found = new Map<string, Socket>();
  for (let i = 0; i < 200 && found.size < count; i++) {
    const socket = await connected(cluster, options);
    const where = String(await socket.timeout(5000).emitWithAck('where'));
    if (found.has(where)) socket.disconnect();
    else found.set(where, socket);
  }
  expect(found.size).toBe(count);
  return [...found.values()];
}

/** What clients hear, by the number of the client. */
function heard(clients: readonly Socket[], event: string): unknown[][] {
  return clients.map((client) => {
    const values: unknown[] = [];
    client.on(event, (value: unknown) => values.push(value)); // with recovery, an offset comes behind it
    return values;
  });
}

async function all(lists: readonly unknown[][], count: number): Promise<void> {
  await until(
    () => lists.every((list) => list.length >= count) || undefined,
    () => `${count} in each of ${JSON.stringify(lists.map(({ length }) => length))}`,
  );
}

describe.each([
  ['two workers', { workers: 2 }, 2],
  ['three workers', { workers: 3 }, 3],
  ['two handler threads', { workers: 0, threads: 2 }, 2],
] as const)('over %s, websockets', (_name, server, places) => {
  const one = shared(() => start(server, { transports: ['websocket'] }));

  it('are asked together, found, gathered in rooms and thrown out wherever they are', async () => {
    const cluster = one();
    const clients = await apart(cluster, places, WEBSOCKET);
    const names = clients.map((_, i) => `client ${i}`);
    const [first] = clients as [Socket];
    for (const [i, client] of clients.entries()) client.on('what?', (done: (name: unknown) => void) => done(names[i]));
    expect(((await first.timeout(10_000).emitWithAck('ask all')) as unknown[]).toSorted()).toEqual(names);
    expect(await first.timeout(10_000).emitWithAck('who')).toHaveLength(places);
    const servers = (await first.timeout(10_000).emitWithAck('servers')) as string[];
    expect(new Set(servers).size).toBe(places);
    await first.timeout(10_000).emitWithAck('gather', 'hall');
    const said = heard(clients, 'said');
    await until(
      async () => {
        first.emit('say', 'hall', 1);
        return said.every((values) => values.length > 0) || undefined;
      },
      () => 'all in the hall',
    );
    const gone = clients.map((client) => new Promise((resolve) => client.once('disconnect', resolve)));
    first.emit('throw out', 'hall');
    expect(await Promise.all(gone)).toEqual(clients.map(() => 'io server disconnect'));
  });

  it('hear what is emitted in any of them: to all, to rooms, in order, with bytes of any size', async () => {
    const cluster = one();
    const clients = await apart(cluster, places, WEBSOCKET);
    for (const client of clients) await client.emitWithAck('join', 'tea');
    const said = heard(clients, 'said');
    for (let i = 0; i < 500; i++) clients[i % places]?.emit('say', i % 2 === 0 ? 'tea' : 'coffee', i);
    await all(said, 250);
    for (const values of said) {
      expect(values.toSorted((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 250 }, (_, i) => i * 2));
    }
    const shouted = heard(clients.slice(1), 'shouted');
    const bytes = Buffer.alloc(900_000, 'x');
    clients[0]?.emit('shout', { text: 'héllo', list: [bytes, bytes.subarray(0, 3)] });
    await all(shouted, 1);
    for (const [value] of shouted) {
      const { text, list } = value as { text: string; list: Buffer[] };
      expect([text, list[0]?.equals(bytes), list[1]]).toEqual(['héllo', true, bytes.subarray(0, 3)]);
    }
  });
});

describe.each([1, 3])('over %i workers, without any set-up', (workers) => {
  const server = shared(() => start({ workers }));

  it.each([
    ['by polling only', ['polling']],
    ['by websocket only', ['websocket']],
    ['by polling, upgraded to websocket', ['polling', 'websocket']],
  ])('clients %s are served: events, rooms, acknowledgements, a namespace, and what others emit', async (_way, transports) => {
    const cluster = server();
    const clients = await Promise.all(Array.from({ length: 8 }, () => connected(cluster, { transports })));
    const places = await Promise.all(clients.map((client) => client.timeout(10_000).emitWithAck('where') as Promise<string>));
    const said = heard(clients, 'said');
    await Promise.all(clients.map((client) => client.timeout(10_000).emitWithAck('join', 'tea')));
    for (const [i, client] of clients.entries()) client.emit('say', 'tea', i);
    await all(said, clients.length);
    for (const values of said) expect(values.map(Number).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    for (const client of clients) {
      expect(await client.timeout(10_000).emitWithAck('ping pong', { a: Buffer.from('b') })).toEqual({ a: Buffer.from('b') });
    }
    const admin = await connected(cluster, { transports, auth: { token: 'right' } }, '/admin');
    expect(await admin.timeout(10_000).emitWithAck('where')).toMatch(/^\d+\.0$/);
    await expect(connected(cluster, { transports, auth: { token: 'wrong' }, reconnection: false }, '/admin')).rejects.toThrow('not you');
    expect(await Promise.all(clients.map((client) => client.timeout(10_000).emitWithAck('where') as Promise<string>))).toEqual(places);
  });
});

describe('over workers', () => {
  const server = shared(() => start({ workers: 2 }, { transports: ['websocket'], connectionStateRecovery: {} }));

  it('a client that comes back to another worker gets its session, and what it has missed', async () => {
    const cluster = server();
    const [ada, bob] = (await apart(cluster, 2, { ...WEBSOCKET, reconnectionDelay: 200 })) as [Socket, Socket];
    await ada.emitWithAck('join', 'tea');
    const said = heard([ada], 'said');
    bob.emit('say', 'tea', 0);
    await all(said, 1);
    const { id } = ada;
    const where: unknown = await ada.emitWithAck('where');
    let missed = 0;
    for (let i = 0; i < 40; i++) {
      const gone = new Promise((resolve) => ada.once('disconnect', resolve));
      ada.io.engine.close();
      await gone;
      bob.emit('say', 'tea', ++missed);
      await new Promise((resolve) => ada.once('connect', resolve as () => void));
      expect([ada.recovered, ada.id]).toEqual([true, id]);
      await all(said, missed + 1);
      if ((await ada.emitWithAck('where')) !== where) break; // it has come to the other one
    }
    expect(await ada.emitWithAck('where')).not.toBe(where);
    expect(said[0]).toEqual(Array.from({ length: missed + 1 }, (_, i) => i));
  });

  it('clients are told of a reload, and come back to the new workers, also with their sessions', async () => {
    const cluster = server();
    const clients = await apart(cluster, 2, WEBSOCKET);
    const said = heard(clients, 'said');
    for (const client of clients) await client.emitWithAck('join', 'tea');
    clients[0]?.emit('say', 'tea', 0);
    await all(said, 1);
    const before = await Promise.all(clients.map((client) => client.emitWithAck('where') as Promise<string>));
    const back = clients.map((client) => new Promise((resolve) => client.once('connect', resolve as () => void)));
    await cluster.ask('reload');
    await Promise.all(back);
    const after = await Promise.all(clients.map((client) => client.emitWithAck('where') as Promise<string>));
    expect(after.filter((place) => before.includes(place))).toEqual([]);
    expect(clients.map(({ recovered }) => recovered)).toEqual([true, true]);
    clients[0]?.emit('say', 'tea', 1);
    await all(said, 2);
  });

  it('the process ends when it is told to, with clients connected', async () => {
    const cluster = server();
    await apart(cluster, 2, { ...WEBSOCKET, reconnection: false });
    process.kill(cluster.pid, 'SIGTERM');
    expect(await cluster.ended).toBe(0);
  });
});

it('long-polling in one handler thread of each worker works', async () => {
  const cluster = await start({ workers: 2, threads: 1 });
  const clients = await Promise.all(Array.from({ length: 4 }, () => connected(cluster, { transports: ['polling'] })));
  for (const client of clients) expect(await client.timeout(10_000).emitWithAck('ping pong', 1)).toBe(1);
});

it('long-polling over several handler threads is refused when the server starts, with what to do instead', async () => {
  const failed = await startCluster({ workers: 0, threads: 2 }, { fixture: 'socket-io', isExpectedToFail: true });
  expect(await failed.ended).toBe(1);
  expect(failed.stderr).toMatch(/Cannot start server: 2 handler threads serve, .*Socket\.IO's long-polling .*transports: \['websocket'\]/);
});
