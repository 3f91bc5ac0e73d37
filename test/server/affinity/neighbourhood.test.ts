/** Two workers of one server, both in this process: their primary is played. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { FieldLines } from '../../../src/http/field-lines.ts';
import { type Handler, Response } from '../../../src/index.ts';
import { slotOf } from '../../../src/process/place/slots.ts';
import { CollectedBody } from '../../../src/server/affinity/collected.ts';
import type { AffinityTable } from '../../../src/server/affinity/table.ts';
import { type FromNeighbour, readItems, SECRET_SIZE, sendItems, type ToNeighbour } from '../../../src/server/affinity/wire.ts';
import { localGate } from '../../../src/server/connection-gate.ts';
import type { LocalServer } from '../../../src/server/host.ts';
import { resolveOptions } from '../../../src/server/options.ts';
import { serveLocally } from '../../../src/server/serve.ts';
import { talk } from '../../support/serve.ts';
import { until } from '../../support/until.ts';

/** Each holds the slot before its number. */
const TABLE: AffinityTable = { version: 1, holders: [1, 2] };
const SECRET = Buffer.alloc(SECRET_SIZE, 7);

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Starts a worker that answers with its number. @returns Its port. */
async function startWorker(id: number, directory: string): Promise<number> {
  return ((await begin(id, directory)).address as { port: number }).port;
}

async function begin(id: number, directory: string, handler: Handler = () => Response.text(`worker ${id}`)): Promise<LocalServer> {
  const options = { host: '127.0.0.1', port: 0, workers: 2, signals: false, log: 'off' } as const;
  const resolved = resolveOptions({ ...options, affinity: (head) => head.path });
  const server = await serveLocally(handler, resolved, localGate(100), {
    affinity: {
      join: async (onTable) => {
        onTable(TABLE);
        return { id, slot: id - 1, directory, secret: SECRET };
      },
    },
    hasPrimary: false,
    onUnstoppable: () => {},
    onPoolSize: () => {},
    onClose: () => {},
    guard: (inner) => inner,
    status: () => Promise.reject(new Error('There is no status in these tests')),
    activity: () => Promise.reject(new Error('There is no activity in these tests')),
    stackOf: () => Promise.resolve(undefined),
  });
  onTestFinished(() => server.close({ timeout: 0 }));
  return server;
}

/** A target whose key belongs to a worker. */
function targetOf(id: number): string {
  for (let i = 0; ; i++) if (slotOf(`/${i}`, 2, () => true) === id - 1) return `/${i}`;
}

/** Takes connections where a worker would, and cuts them at once: as one without a descriptor left does. */
function cutting(directory: string, id: number): { readonly server: Server; readonly cut: Promise<void> } {
  const server = createServer();
  const cut = new Promise<void>((resolve) => {
    server.once('connection', (socket) => {
      socket.destroy();
      server.close();
      resolve();
    });
  });
  return { server: server.listen(join(directory, String(id))), cut };
}

it('answers a request when the other worker takes no connection for a moment, though no table comes', async () => {
  const directory = newDirectory();
  const { cut } = cutting(directory, 2);
  const client = await talk(await startWorker(1, directory));
  client.send(`GET ${targetOf(2)} HTTP/1.1\r\nHost: a\r\n\r\n`);
  await cut;
  await startWorker(2, directory);
  expect((await client.answers(1))[0]).toMatchObject({ status: 200, body: 'worker 2' });
});

it('answers 502 to what may have begun in another worker that has cut the connection, when it must not be sent again', async () => {
  const directory = newDirectory();
  const { cut } = cutting(directory, 2);
  const client = await talk(await startWorker(1, directory));
  client.send(`POST ${targetOf(2)} HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx`);
  await cut;
  expect((await client.answers(1))[0]).toMatchObject({ status: 502 });
});

describe('a body that is being passed on', () => {
  it('is given up, with its request, when the client leaves', async () => {
    const directory = newDirectory();
    const [accepting] = await Promise.all([begin(1, directory), begin(2, directory)]);
    const client = await talk((accepting.address as { port: number }).port);
    const added = vi.spyOn(CollectedBody.prototype, 'add').mockImplementation(() => {}); // the other worker takes no more of it
    onTestFinished(() => added.mockRestore());
    client.send(`POST ${targetOf(2)} HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n${'x'.repeat(300_000)}`);
    await until(
      () => added.mock.calls.length > 0 || undefined,
      () => 'a piece of it',
    );
    expect(accepting.status().inFlight).toBe(1);
    client.socket.destroy();
    await until(
      () => accepting.status().inFlight === 0 || undefined,
      () => 'a request that is given up',
    );
  });

  it.each<[string, ToNeighbour, FromNeighbour]>([
    ['its request is aborted', ['abort', 1, 'gone', 'AbortError'], ['moved', 1, 1]],
    ['it cannot be read', ['failed', 1, ['no more', undefined, undefined]], ['refused', 1, 500, 'body-incomplete', 'no more']],
    ['it is refused', ['failed', 1, ['too slow', 408, 'body-timeout']], ['refused', 1, 408, 'body-timeout', 'too slow']],
  ])('is answered to the worker that passes it on when %s', async (_what, item, answer) => {
    const directory = newDirectory();
    await begin(2, directory);
    const socket = connect(join(directory, '2'));
    onTestFinished(() => void socket.destroy());
    socket.write(SECRET);
    const received: unknown[] = [];
    readItems(socket, (items) => received.push(...(items as readonly FromNeighbour[]).filter(([kind]) => kind !== 'ready')));
    const { text, places } = FieldLines.of([['Host', 'a']]).alone;
    const peer = ['127.0.0.1', 1, false, 'a', 0, 80, undefined, undefined] as const;
    sendItems(socket, [['pass', 1, targetOf(2), 1, 'POST', targetOf(2), '1.1', [-1, text, places], peer, [false, 1000]]]);
    await until(
      () => received.length > 0 || undefined,
      () => 'an item',
    );
    sendItems(socket, [item]);
    await until(
      () => received.length > 1 || undefined,
      () => 'an answer',
    );
    expect(received).toEqual([['taken', 1, 0], answer]);
  });
});

it.each<[string, string]>([
  ['whose client leaves while its handler decides', 'Connection: Upgrade\r\nUpgrade: echo\r\n'],
  ['that its client has not asked for', ''],
])('does not wait, when it ends, for a connection to be taken over %s', async (_what, fields) => {
  const directory = newDirectory();
  let isAsked = false;
  let decide = (): void => {};
  const decided = new Promise<void>((resolve) => {
    decide = resolve;
  });
  const port = await startWorker(1, directory);
  const answering = await begin(2, directory, async () => {
    isAsked = true;
    await decided;
    return Response.upgrade('echo', (socket) => void socket.end());
  });
  const client = await talk(port);
  client.send(`GET ${targetOf(2)} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`);
  await until(
    () => isAsked || undefined,
    () => 'the request',
  );
  if (fields !== '') client.socket.destroy();
  decide();
  if (fields === '') expect((await client.answers(1))[0]?.status).toBe(426);
  await answering.close({ timeout: 600_000 });
});

/** Speaks to a worker's private socket. @returns Settles when the worker has closed the connection. */
function speak(directory: string, id: number, ...pieces: readonly Uint8Array[]): Promise<void> {
  const socket = connect(join(directory, String(id)));
  onTestFinished(() => void socket.destroy());
  for (const piece of pieces) socket.write(piece);
  socket.on('error', () => {}).resume();
  return new Promise((resolve) => socket.on('close', () => resolve()));
}

it.each<[string, readonly Uint8Array[]]>([
  ['does not know the secret', [Buffer.alloc(SECRET_SIZE, 8)]],
  ['says that gigabytes follow', [SECRET, Buffer.from([255, 255, 255, 255])]],
  ['sends what is no message', [SECRET, Buffer.from([4, 0, 0, 0, 1, 2, 3, 4])]],
  ['sends a message that is no list', [SECRET, messageOf(7)]],
])('closes the private connection of one who %s, and serves on', async (_what, pieces) => {
  const directory = newDirectory();
  const port = await startWorker(1, directory);
  await speak(directory, 1, ...pieces);
  const client = await talk(port);
  client.send(`GET ${targetOf(1)} HTTP/1.1\r\nHost: a\r\n\r\n`);
  expect((await client.answers(1))[0]).toMatchObject({ status: 200, body: 'worker 1' });
});

function messageOf(value: unknown): Buffer {
  const body = serialize(value);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(body.length);
  return Buffer.concat([length, body]);
}
