import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { promisify } from 'node:util';
import { request as undiciRequest } from 'undici';
import { describe, expect, it, onTestFinished } from 'vitest';
import { randomOf } from '../fuzz/corpus.mjs';
import { descriptors } from '../support/program.ts';
import { until } from '../support/until.ts';
import { exchange, figure, open, repeat, residentMemory, startServer, times } from './support.ts';

const MiB = 1024 * 1024;
const GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const COUNT = times(1000, 100);
/** More than any socket buffer takes: a client that is still sending when it is refused. */
const MORE = Buffer.alloc(2 * MiB, 0x61);

describe('a refusal is read by a client that keeps sending', () => {
  it.each([
    ['413', ['POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000000\r\n\r\n', MORE, MORE]],
    ['413', ['POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n', `200000\r\n`, MORE, '\r\n200000\r\n', MORE]],
    ['400', ['GET / HTTP/1.1\r\nHost : a\r\n\r\n', MORE]],
    ['414', [`GET /${'a'.repeat(10_000)}`, MORE]],
    ['431', [`GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(20_000)}`, MORE]],
    ['501', ['POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n', MORE]],
  ])(
    `%s, each time, from a raw socket`,
    async (status, pieces) => {
      const { port } = await startServer({ maxBodySize: MiB });
      const answers = await repeat(COUNT, 20, () => exchange(port, ...pieces));
      expect(answers.filter((answer) => answer.startsWith(`HTTP/1.1 ${status} `))).toHaveLength(COUNT);
      expect(answers.every((answer) => answer.includes('Connection: close'))).toBe(true);
    },
    120_000,
  );

  it('408, each time, for a head and for a body that do not come', async () => {
    const { port } = await startServer({ headersTimeout: 300, requestTimeout: 300 });
    const heads = await repeat(COUNT, COUNT, () => exchange(port, 'GET / HTTP/1.1\r\nHost: a\r\nX:'));
    const bodies = await repeat(COUNT, COUNT, () => exchange(port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx'));
    expect([...heads, ...bodies].filter((answer) => answer.startsWith('HTTP/1.1 408 '))).toHaveLength(2 * COUNT);
  });

  it('503, each time, when the server has all the connections it can take', async () => {
    const { port } = await startServer({ maxConnections: 1 });
    const first = await open(port);
    onTestFinished(() => void first.destroy());
    const answers = await repeat(COUNT, 10, () => exchange(port, GET, MORE));
    expect(answers.filter((answer) => answer.startsWith('HTTP/1.1 503 '))).toHaveLength(COUNT);
  });

  it('413, each time, by undici and by curl', async () => {
    const { port } = await startServer({});
    const body = Buffer.alloc(15 * MiB);
    const byUndici = await repeat(times(1000, 20), 4, async () => {
      const response = await undiciRequest(`http://127.0.0.1:${port}/`, { method: 'POST', body });
      await response.body.text();
      return response.statusCode;
    });
    expect(byUndici.filter((status) => status === 413)).toHaveLength(times(1000, 20));
    const curl = promisify(execFile);
    const byCurl = await repeat(
      times(100, 10),
      4,
      async () =>
        (
          await curl('curl', [
            '-s',
            '-o',
            '/dev/null',
            '-w',
            '%{http_code}',
            '--data-binary',
            '@/usr/bin/node',
            '-H',
            'Expect:',
            `http://127.0.0.1:${port}/`,
          ])
        ).stdout,
    );
    expect(byCurl.filter((status) => status === '413')).toHaveLength(times(100, 10));
  }, 300_000);
});

describe('connections', () => {
  it('beyond maxConnections are told 503 or closed, over two workers, and all is well afterwards', async () => {
    const max = times(4096, 200);
    const attempts = times(5000, 300);
    const { program, port } = await startServer({ workers: 2, maxConnections: max });
    const sockets: Socket[] = [];
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
    });
    const outcomes = await repeat(attempts, 100, async () => {
      const socket = await open(port);
      sockets.push(socket);
      return new Promise<string>((resolve) => {
        socket.on('data', (bytes: Buffer) => resolve(bytes.toString('latin1', 9, 12)));
        socket.on('close', () => resolve('closed'));
        socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      });
    });
    const served = outcomes.filter((outcome) => outcome === '200').length;
    figure(
      `${attempts} connections against ${max} over two workers: ${served} served, ${outcomes.filter((outcome) => outcome === '503').length} told 503`,
    );
    expect(served).toBe(max);
    expect(outcomes.every((outcome) => ['200', '503', 'closed'].includes(outcome))).toBe(true);
    for (const socket of sockets) socket.destroy();
    const health = async (): Promise<number> =>
      (await repeat(10, 2, () => exchange(port, GET))).filter((answer) => answer.includes('200 OK')).length;
    await until(
      async () => (await health()) === 10 || undefined,
      () => '10 of 10 served',
    );
    expect(program.stderr.replaceAll(/^filrouge: (?:worker \d+ is ready|serving on |refused ).*\n/gm, '')).toBe(''); // nothing was replaced
  }, 120_000);

  it('without descriptors left cost nobody who is there, and are accepted again at once afterwards', async () => {
    const { program, port } = await startServer({});
    const friend = await open(port);
    const ask = (): Promise<string> =>
      new Promise((resolve) => {
        friend.once('data', (bytes: Buffer) => resolve(bytes.toString('latin1')));
        friend.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      });
    expect(await ask()).toContain('200 OK');
    const limit = descriptors(program.pid).length + 20;
    execFileSync('prlimit', ['--pid', String(program.pid), `--nofile=${limit}:${limit}`]);
    const crowd = await Promise.all(Array.from({ length: 200 }, () => open(port)));
    const ticks = (): number => execFileSync('ps', ['-o', 'cputimes=', '-p', String(program.pid)]).length;
    expect(ticks()).toBeGreaterThan(0);
    for (let i = 0; i < 20; i++) expect(await ask()).toContain('200 OK');
    for (const socket of crowd) socket.destroy();
    const began = performance.now();
    await until(
      async () => (await exchange(port, GET)).includes('200 OK') || undefined,
      () => 'a new connection that is served',
    );
    figure(`after running out of descriptors a new connection is served within ${(performance.now() - began).toFixed(0)} ms`);
    expect(performance.now() - began).toBeLessThan(1000);
    expect((program.stderr.match(/cannot accept/g) ?? []).length).toBeLessThanOrEqual(5);
    friend.destroy();
  });
});

describe('slow clients', () => {
  it('that send heads byte by byte, or do not read large answers, cost little memory and delay nobody', async () => {
    const heads = times(1000, 100);
    const readers = times(200, 20);
    const { program, port } = await startServer({ headersTimeout: 20_000, requestTimeout: 300 });
    await repeat(times(500, 50), 10, () => exchange(port, GET));
    const p99 = async (): Promise<number> => {
      const latencies = await repeat(times(2000, 200), 100, async () => {
        const began = performance.now();
        await exchange(port, GET);
        return performance.now() - began;
      });
      return latencies.toSorted((a, b) => a - b)[Math.floor(latencies.length * 0.99)] ?? 0;
    };
    const alone = await p99();
    const before = residentMemory(program.pid);
    const slow = await Promise.all(Array.from({ length: heads }, () => open(port)));
    for (const socket of slow) socket.write('GET / HT');
    const grownByHeads = residentMemory(program.pid) - before;
    const trickle = setInterval(() => {
      for (const socket of slow) socket.write('T');
    }, 500);
    const lazy = await Promise.all(Array.from({ length: readers }, () => open(port)));
    for (const socket of lazy) {
      socket.pause();
      socket.write('GET /large HTTP/1.1\r\nHost: a\r\n\r\n');
    }
    // The system's own buffers take their fill of each large answer first; that is a load of its own, and not the one meant here.
    await until(
      async () => {
        const spent = cpuTicks(program.pid);
        await exchange(port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n'); // refused by requestTimeout, some time later
        return cpuTicks(program.pid) - spent < 5 || undefined;
      },
      () => 'the end of what the readers take',
    );
    const beside = await p99();
    const grown = residentMemory(program.pid) - before;
    clearInterval(trickle);
    for (const socket of [...slow, ...lazy]) socket.destroy();
    figure(
      `${heads} slow heads and ${readers} slow readers of 10 MB: p99 of 100 clients ${alone.toFixed(1)} ms alone, ${beside.toFixed(1)} ms beside them`,
    );
    figure(`memory: ${(grownByHeads / heads / 1024).toFixed(1)} KiB for each slow head; ${(grown / MiB).toFixed(1)} MiB in all`);
    expect(grown).toBeLessThan(heads * 20 * 1024 + readers * 512 * 1024 + 32 * MiB);
    expect((await exchange(port, GET)).includes('200 OK')).toBe(true);
  }, 120_000);
});

/** Processor time of a process, in ticks of 10 ms. */
function cpuTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

describe('clients that vanish', () => {
  it('at any point leave no descriptor, no memory and no error', async () => {
    const aborts = times(10_000, 600);
    const { program, port } = await startServer({ maxBodySize: 100 * MiB });
    const random = randomOf(7);
    const steps = [
      'GET / HTTP/1.1\r\nHo',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc',
      `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n${'x'.repeat(100_000)}`,
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab',
      'GET /never HTTP/1.1\r\nHost: a\r\n\r\n',
      'GET /endless HTTP/1.1\r\nHost: a\r\n\r\n',
      'GET /large HTTP/1.1\r\nHost: a\r\n\r\n',
      `${'GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(20)}GET`,
    ];
    const abort = async (): Promise<void> => {
      const socket = await open(port);
      const text = steps[Math.floor(random() * steps.length)] ?? '';
      socket.write(text.slice(0, 1 + Math.floor(random() * text.length * 1.2)));
      if (random() < 0.5) {
        await new Promise((resolve) =>
          socket
            .once('data', resolve)
            .once('close', resolve)
            .setTimeout(5, () => resolve(undefined)),
        );
      }
      if (random() < 0.5) socket.resetAndDestroy();
      else socket.destroy();
    };
    const memory = async (): Promise<number> => {
      const answer = await exchange(port, 'GET /memory HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
      return (JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)) as { heapUsed: number }).heapUsed;
    };
    await repeat(200, 50, abort);
    const base = descriptors(program.pid).length;
    const heap = await memory();
    await repeat(aborts, 50, abort);
    await until(
      () => descriptors(program.pid).length <= base || undefined,
      () => `${base} descriptors`,
    );
    const left = await until(
      async () => {
        const now = await memory();
        return now - heap < 5 * MiB ? now : undefined;
      },
      () => 'the heap of before',
    );
    figure(
      `${aborts} aborts: heap ${(heap / MiB).toFixed(1)} MiB before, ${(left / MiB).toFixed(1)} MiB after; ${base} descriptors before, ${descriptors(program.pid).length} after`,
    );
    expect(program.stderr.replaceAll(/^filrouge: (?:refused|serving on) .*\n/gm, '')).toBe('');
  }, 300_000);
});
