/** Workers without threads whose handler does not return: seen from inside by a thread, replaced from outside by the primary. */
import { execFileSync } from 'node:child_process';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { until } from '../support/until.ts';
import { startCluster } from './support.ts';

function send(origin: string, path: string): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(Number(new URL(origin).port), '127.0.0.1');
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
    socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  });
}

describe('a worker that is stuck in a handler', () => {
  it('is logged with the request and the line, and killed when its successor listens', async () => {
    const cluster = await startCluster({ workers: 1, handlerTimeout: 500 });
    const [before] = (await cluster.ask('status')).workers;
    const stuck = send(cluster.origin, '/loop');
    await cluster.prints(
      /GET "\/loop" has taken \d{3,4} ms and stands at startServer\S* \(test\/cluster\/fixtures\/server\.mjs:\d+:\d+\); its worker \d+ is replaced/,
    );
    expect(await stuck).toBe(''); // nobody can answer it: the connection is cut
    const after = await until(
      async () => (await cluster.ask('status')).workers.find(({ pid }) => pid !== before?.pid),
      () => 'another worker',
    );
    expect(await send(cluster.origin, '/pid')).toContain(String(after.pid));
    expect((await cluster.ask('status')).restarts).toBe(1);
  });

  it('costs the other workers nothing', async () => {
    const cluster = await startCluster({ workers: 2, handlerTimeout: 800, slowRequest: 100 });
    const stuck = send(cluster.origin, '/loop');
    await cluster.prints(/is slow/); // from now on it accepts nothing
    let answers = 0;
    for (let isOver = false; !isOver; ) {
      expect(await send(cluster.origin, '/pid')).toContain('200 OK');
      answers++;
      isOver = cluster.stderr.includes('is replaced');
    }
    expect(answers).toBeGreaterThan(10);
    await stuck;
    await until(
      async () => ((await cluster.ask('status')).workers.length === 2 ? true : undefined),
      () => 'two workers',
    );
  });

  it('is only logged when slowRequest says so', async () => {
    const cluster = await startCluster({ workers: 1, slowRequest: 100 });
    const [before] = (await cluster.ask('status')).workers;
    const [answer] = await Promise.all([
      send(cluster.origin, '/busy/400'),
      cluster.prints(/GET "\/busy\/400" is slow: \d{3} ms, and stands at busyFor/),
    ]);
    expect(answer).toContain('200 OK');
    expect((await cluster.ask('status')).workers[0]?.pid).toBe(before?.pid);
  });

  it('does not hand its pipe to the primary down to programs that it starts', async () => {
    const cluster = await startCluster({ workers: 1 }, { env: { NODE_EXTRA_CA_CERTS: '' } }); // Node 22 lets programs inherit that file
    const [, list] = (await send(cluster.origin, '/descriptors')).split('\r\n\r\n');
    const ours = execFileSync('ls', ['/proc/self/fd'], { encoding: 'utf8' }).replaceAll('\n', ' ');
    expect(list).toBe(ours);
  });
});
