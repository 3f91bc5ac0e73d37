/** Streams without an end of their own, in real processes that stop. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ServerOptions } from '../../src/index.ts';
import { Program } from '../support/program.ts';
import { parseAnswers, Talk } from '../support/serve.ts';
import { type Cluster, startCluster } from './support.ts';

function open(origin: string, path: string, fields = ''): Talk {
  const socket = connect({ port: Number(new URL(origin).port), host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  const client = new Talk(socket);
  client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`);
  return client;
}

/** Whether a stream came to its end, between two events. */
function isWhole(text: string): boolean {
  const [answer] = parseAnswers(text);
  return answer !== undefined && /^(?:data: \d+ x{200} end\n\n|:\n\n)+$/.test(answer.body);
}

async function forty(cluster: Cluster): Promise<Talk[]> {
  const clients = Array.from({ length: 40 }, (_, i) => open(cluster.origin, i % 2 === 0 ? '/events' : '/resting'));
  await Promise.all(clients.map((client) => client.until(/data: 0 /)));
  return clients;
}

async function allWhole(clients: readonly Talk[]): Promise<void> {
  const texts = await Promise.all(clients.map((client) => client.closed()));
  expect(texts.filter((text) => !isWhole(text))).toEqual([]);
}

describe.each<[string, ServerOptions]>([
  ['two workers', { workers: 2 }],
  ['one process', { workers: 0 }],
  ['handler threads', { workers: 0, threads: 2 }],
])('forty event streams of %s', (_what, how) => {
  const start = (): Promise<Cluster> => startCluster(how, { fixture: 'streams' });

  it('end between two events at SIGTERM, whole if compressed, beside handlers that hear of it and whose answers are sent; the server ends with them', async () => {
    const cluster = await start();
    const poll = open(cluster.origin, '/poll');
    const compressed = open(cluster.origin, '/compressed', 'Accept-Encoding: gzip\r\n');
    await compressed.until((text) => text.length > 600);
    const clients = await forty(cluster);
    await clients[0]?.until(/data: 1 /);
    process.kill(cluster.pid, 'SIGTERM');
    await allWhole(clients);
    expect(parseAnswers(await poll.closed())).toMatchObject([{ status: 200, body: 'AbortError', headers: { connection: 'close' } }]);
    const [answer] = parseAnswers(await compressed.closed());
    expect(answer?.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(Buffer.from(answer?.body ?? '', 'latin1')).toString()).toMatch(/^(?:data: \d+ x{200} end\n\n)+$/);
    expect(await cluster.ended).toBe(0);
  });

  it('end between two events at a reload, where there are workers, and at close()', async () => {
    const cluster = await start();
    if (how.workers) {
      const before = await forty(cluster);
      await Promise.all([cluster.ask('reload'), allWhole(before)]);
    }
    const clients = await forty(cluster);
    await Promise.all([cluster.ask('close'), allWhole(clients)]);
  });
});

it('let `node --watch` start again at once, as does any other request', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'filrouge-watch-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'server.mjs');
  copyFileSync('test/cluster/fixtures/streams.mjs', file);
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(resolve('.'), join(folder, 'node_modules', 'filrouge'), 'dir');
  const program = new Program(process.execPath, ['--watch', file], { OPTIONS: JSON.stringify({ workers: 1 }) });
  const [, origin = ''] = await program.prints(/listening on (http\S+)/);
  const events = open(origin, '/events');
  const resting = open(origin, '/resting');
  await Promise.all([events.until(/data: 0 /), resting.until(/data: 0 /)]);
  program.stdout = '';
  utimesSync(file, new Date(), new Date());
  await allWhole([events, resting]);
  await program.prints(/listening on (http\S+)/);
});
