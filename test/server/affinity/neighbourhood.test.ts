/** Two workers of one server, both in this process: their primary is played. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import { expect, it, onTestFinished } from 'vitest';
import { Response } from '../../../src/index.ts';
import { slotOf } from '../../../src/process/place/slots.ts';
import type { AffinityTable } from '../../../src/server/affinity/table.ts';
import { SECRET_SIZE } from '../../../src/server/affinity/wire.ts';
import { localGate } from '../../../src/server/connection-gate.ts';
import { resolveOptions } from '../../../src/server/options.ts';
import { serveLocally } from '../../../src/server/serve.ts';
import { talk } from '../../support/serve.ts';

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
  const options = { host: '127.0.0.1', port: 0, workers: 2, signals: false, log: 'off' } as const;
  const resolved = resolveOptions({ ...options, affinity: (head) => head.path });
  const server = await serveLocally(() => Response.text(`worker ${id}`), resolved, localGate(100), {
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
  return (server.address as { port: number }).port;
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
