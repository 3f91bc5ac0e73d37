/** Early hints of a handler that blocks behind them, in real processes. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { ServerOptions } from '../../src/index.ts';
import { talk } from '../support/serve.ts';
import { startCluster } from './support.ts';

const HINT = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload; as=style\r\n\r\n';

it.each([
  ['on the thread that does the input and output', { workers: 0, threads: 0 }],
  ['in a worker process', { workers: 1, threads: 0 }],
  ['in a handler thread', { workers: 0, threads: 1 }],
] satisfies [string, ServerOptions][])('leave before a handler that blocks has come back, %s', async (_where, options) => {
  const folder = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const fifo = join(folder, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const cluster = await startCluster(options, { fixture: 'early-hints', env: { FIFO: fifo } });
  const client = await talk(Number(new URL(cluster.origin).port));
  client.send('GET /ping HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.until((text) => text.endsWith(HINT)); // and what was answered before has left with it
  writeFileSync(fifo, 'done');
  expect((await client.answers(2)).map(({ body }) => body)).toEqual(['pong', 'done']);
});
