import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request as undiciRequest } from 'undici';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { childrenOf, isAlive, shared } from '../support/program.ts';
import { until, untilTold } from '../support/until.ts';
import { type Cluster, interruptAgain, startCluster } from './support.ts';

async function text(cluster: Cluster, path: string): Promise<string> {
  const response = await fetch(cluster.origin + path, { headers: { Connection: 'close' } });
  return response.text();
}

async function pids(cluster: Cluster): Promise<number[]> {
  return (await cluster.ask('status')).workers.map(({ pid }) => pid);
}

describe('startServer with workers', () => {
  const server = shared(() => startCluster({ workers: 2 }));

  it('resolves in the primary when every worker listens, on one port', async () => {
    const cluster = server();
    const status = await cluster.ask('status');
    expect(status.workers.map(({ pid }) => pid).toSorted()).toEqual(childrenOf(cluster.pid).toSorted());
    expect(status.workers).toHaveLength(2);
    expect(status).toMatchObject({ generation: 1, restarts: 0 });
    expect(await pids(cluster)).toContain(Number(await text(cluster, '/pid')));
  });

  it('does not let programs that a handler starts take themselves for workers', async () => {
    const cluster = server();
    expect(await text(cluster, '/env')).toBe('[]');
  });

  it('refuses a second start in the same process', async () => {
    const cluster = server();
    await expect(cluster.ask('again')).rejects.toThrow('serves with workers or threads already');
  });

  it('rejects at once when the port is in use, and leaves nothing running', async () => {
    const occupant = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void occupant.close());
    await once(occupant, 'listening');
    const { port } = occupant.address() as { port: number };
    const cluster = await startCluster({ workers: 2, port }, { isExpectedToFail: true });
    expect(await cluster.ended).toBe(1);
    expect(cluster.stderr).toContain('EADDRINUSE');
    expect(cluster.stderr).not.toContain('successor');
  });

  it('ends with the first error when a worker cannot start', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'broken'), '');
    const cluster = await startCluster({ workers: 2 }, { isExpectedToFail: true, workerEnv: { BROKEN_WHEN: join(folder, 'broken') } });
    expect(await cluster.ended).toBe(1);
    expect(cluster.stderr).toContain('this code is broken');
    expect(cluster.stderr).toContain('before it listened');
  });
});

describe('a worker that dies', () => {
  const ofOne = shared(() => startCluster({ workers: 1 })); // each test leaves it one that is new

  it('is replaced, and only the request it was at is lost', async () => {
    const cluster = await startCluster({ workers: 2 });
    await expect(text(cluster, '/exit')).rejects.toThrow('fetch failed');
    await cluster.prints(/ended with code 3; its successor starts now/);
    const status = await untilTold(
      async () => {
        const now = await cluster.ask('status');
        return now.workers.length === 2 ? now : undefined;
      },
      () => 'two workers',
    );
    expect(status.restarts).toBe(1);
    expect(await text(cluster, '/pid')).toMatch(/^\d+$/);
  });

  it('costs no other request under load, when it is killed', async () => {
    const cluster = await startCluster({ workers: 2 });
    const agent = new Agent({ connections: 8, pipelining: 1 });
    onTestFinished(() => agent.destroy());
    let isOver = false;
    let served = 0;
    const failures: string[] = [];
    const client = (): Promise<true> =>
      until(
        async () => {
          try {
            const { body } = await undiciRequest(`${cluster.origin}/pid`, { dispatcher: agent, headersTimeout: 15_000 });
            await body.text();
            served++;
          } catch (error) {
            failures.push((error as NodeJS.ErrnoException).code ?? String(error));
          }
          return isOver || undefined;
        },
        () => 'the last kill',
        90_000,
      );
    const clients = Array.from({ length: 8 }, client);
    for (let kills = 0; kills < 2; kills++) {
      const [victim = 0] = await pids(cluster);
      process.kill(victim, 'SIGKILL');
      await untilTold(
        async () => {
          const now = await pids(cluster);
          return (now.length === 2 && !now.includes(victim)) || undefined;
        },
        () => 'full strength',
      );
    }
    await until(
      () => served > 500 || undefined,
      () => `five hundred answers, not ${served}`,
    );
    isOver = true;
    await Promise.all(clients);
    expect(failures.length).toBeLessThanOrEqual(2 * 8); // at most what was in flight in each killed worker
    expect(failures).not.toContain('UND_ERR_HEADERS_TIMEOUT'); // none hangs
  });

  it('by an error outside of a handler answers what it has first', async () => {
    const cluster = ofOne();
    const slow = text(cluster, '/slow/1000');
    await untilTold(
      async () => (await cluster.ask('status')).workers[0]?.inFlight === 1 || undefined,
      () => 'a request in flight',
    );
    expect(await text(cluster, '/late-throw')).toBe('answered before');
    expect(await slow).toMatch(/^\d+$/);
    await cluster.prints(/thrown outside of a handler/);
    await cluster.prints(/worker \d+ is ready/); // the successor: the first one is not told of
    expect((await cluster.ask('status')).restarts).toBe(1);
    expect(await text(cluster, '/pid')).not.toBe(await slow);
  });

  it('by an unhandled rejection is replaced too', async () => {
    const cluster = ofOne();
    const before = await text(cluster, '/pid');
    expect(await text(cluster, '/rejection')).toBe('answered before');
    await cluster.prints(/rejected outside of a handler/);
    await untilTold(
      async () => (await text(cluster, '/pid').catch(() => before)) !== before || undefined,
      () => 'a successor',
    );
  });

  it('waits longer for each successor when workers die young, and serves again', async () => {
    const cluster = await startCluster({ workers: 1 });
    for (const delay of ['now', 'in 100 ms', 'in 200 ms']) {
      await text(cluster, '/exit').catch(() => {});
      await cluster.prints(new RegExp(`its successor starts ${delay}`));
      await untilTold(
        async () => (await text(cluster, '/pid').catch(() => '')) !== '' || undefined,
        () => 'a successor that serves',
      );
    }
  });

  it('from SIGTERM finishes what it has and has a successor', async () => {
    const cluster = ofOne();
    const pid = Number(await text(cluster, '/pid'));
    const slow = text(cluster, '/slow/1000');
    await untilTold(
      async () => (await cluster.ask('status')).workers[0]?.inFlight === 1 || undefined,
      () => 'a request in flight',
    );
    process.kill(pid, 'SIGTERM');
    expect(await slow).toBe(String(pid));
    await untilTold(
      async () => ((await pids(cluster)).every((other) => other !== pid) && (await pids(cluster)).length === 1) || undefined,
      () => 'a successor',
    );
  });
});

describe('reload', () => {
  it('replaces every worker without a failed request, on SIGHUP', async () => {
    const cluster = await startCluster({ workers: 2 });
    const before = await pids(cluster);
    let isOver = false;
    const failures: unknown[] = [];
    let served = 0;
    const client = (): Promise<true> =>
      until(
        async () => {
          await text(cluster, '/pid').then(
            () => served++,
            (error: unknown) => failures.push(error),
          );
          return isOver || undefined;
        },
        () => 'the reload',
        90_000,
      );
    const clients = Array.from({ length: 2 }, client);
    cluster.child.kill('SIGHUP');
    await cluster.prints(/reloaded: generation 2 serves/);
    await untilTold(
      async () => (await pids(cluster)).every((pid) => !before.includes(pid)) || undefined,
      () => 'only new workers',
    );
    await until(
      () => served > 20 || undefined,
      () => `answers, more than ${served}`,
    );
    isOver = true;
    await Promise.all(clients);
    expect(failures).toEqual([]);
  });

  it('leaves the old workers serving when the new code does not start', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const cluster = await startCluster({ workers: 2 }, { workerEnv: { BROKEN_WHEN: join(folder, 'broken') } });
    const before = await pids(cluster);
    writeFileSync(join(folder, 'broken'), '');
    await expect(cluster.ask('reload')).rejects.toThrow('Cannot start server');
    expect(await pids(cluster)).toEqual(before);
    expect(before).toContain(Number(await text(cluster, '/pid')));
  });
});

describe('recycling', () => {
  const folder = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
  const options = { workers: 1, maxMemoryPerWorker: 160 * 1024 * 1024 };
  const server = shared(() => startCluster(options, { workerEnv: { BROKEN_WHEN: join(folder, 'broken') } }));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('replaces a worker that has had its number of requests, without a failed one', async () => {
    const cluster = await startCluster({ workers: 1, maxRequestsPerWorker: 50 });
    const first = await text(cluster, '/pid');
    await until(
      async () => (await text(cluster, '/pid')) !== first || undefined,
      () => 'another worker',
    );
    await cluster.prints(/recycled after \d+ requests/);
  });

  it('replaces a worker that has grown too large', async () => {
    const cluster = server();
    const first = await text(cluster, '/pid');
    await until(
      async () => (await text(cluster, '/hoard')) !== first || undefined,
      () => 'another worker',
    );
    await cluster.prints(/recycled after \d+ requests, \d+ MiB of memory/);
  });

  it('keeps a handler that leaks a MiB each time below its limit and a tenth, and fails nobody', async () => {
    const limit = 256 * 1024 * 1024;
    const cluster = await startCluster({ workers: 2, maxMemoryPerWorker: limit });
    const agent = new Agent({ connections: 8 });
    const answers: { status: number; rss: number }[] = [];
    const client = async (): Promise<void> => {
      for (let i = 0; i < 65; i++) {
        const { statusCode, body } = await undiciRequest(`${cluster.origin}/leak`, { dispatcher: agent });
        answers.push({ status: statusCode, rss: Number(await body.text()) });
      }
    };
    await Promise.all(Array.from({ length: 8 }, client));
    await agent.close();
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(Math.max(...answers.map(({ rss }) => rss))).toBeLessThan(1.1 * limit);
    await cluster.prints(/recycled after.*recycled after/s);
  });

  it('serves on with the old worker when no successor can start, also those who had to wait', async () => {
    const cluster = server();
    const pid = await text(cluster, '/pid');
    writeFileSync(join(folder, 'broken'), '');
    for (let i = 0; i < 20; i++) expect(await text(cluster, '/hoard')).toBe(pid);
    await cluster.prints(/recycling failed, the old worker keeps serving/);
    expect(await text(cluster, '/pid')).toBe(pid);
  });
});

describe('the end', () => {
  it('lets what is in flight finish, on SIGTERM, and exits with 0', async () => {
    const cluster = await startCluster({ workers: 2 });
    const slow = text(cluster, '/slow/1000');
    await untilTold(
      async () => (await cluster.ask('status')).workers.some(({ inFlight }) => inFlight === 1) || undefined,
      () => 'a request in flight',
    );
    const workers = await pids(cluster);
    cluster.child.kill('SIGTERM');
    expect(await slow).toMatch(/^\d+$/);
    expect(await cluster.ended).toBe(0);
    expect(workers.filter(isAlive)).toEqual([]);
    await expect(text(cluster, '/pid')).rejects.toThrow('fetch failed');
  });

  it('cuts what takes longer than shutdownTimeout', async () => {
    const cluster = await startCluster({ workers: 1, shutdownTimeout: 100 });
    const slow = text(cluster, '/slow/60000');
    await untilTold(
      async () => (await cluster.ask('status')).workers[0]?.inFlight === 1 || undefined,
      () => 'a request in flight',
    );
    cluster.child.kill('SIGTERM');
    await expect(slow).rejects.toThrow('fetch failed');
    expect(await cluster.ended).toBe(0);
  });

  it('comes at once with the second SIGINT', async () => {
    const cluster = await startCluster({ workers: 1 });
    text(cluster, '/slow/60000').catch(() => {});
    await untilTold(
      async () => (await cluster.ask('status')).workers[0]?.inFlight === 1 || undefined,
      () => 'a request in flight',
    );
    const workers = await pids(cluster);
    cluster.child.kill('SIGINT');
    await until(
      () => cluster.isRefusing(),
      () => 'a server that accepts no more',
    );
    await interruptAgain(cluster);
    expect(await cluster.ended).toBe(1);
    await until(
      () => workers.every((pid) => !isAlive(pid)) || undefined,
      () => 'no worker left',
    );
  });

  it('of the primary is the end of its workers, also of one that never returns', async () => {
    const cluster = await startCluster({ workers: 2, shutdownTimeout: 200 });
    const workers = await pids(cluster);
    const { port } = new URL(cluster.origin);
    const stuck: Socket = connect(Number(port), '127.0.0.1');
    stuck.on('error', () => {});
    onTestFinished(() => void stuck.destroy());
    stuck.write('GET /wait HTTP/1.1\r\nHost: a\r\n\r\n');
    await untilTold(
      async () => (await cluster.ask('status')).workers.some(({ rss }) => rss === 0) || undefined,
      () => 'a worker that does not answer',
    );
    cluster.child.kill('SIGKILL');
    await until(
      () => workers.every((pid) => !isAlive(pid)) || undefined,
      () => 'no worker left',
    );
  });

  it('by close() ends the workers and lets the primary go on', async () => {
    const cluster = await startCluster({ workers: 2 });
    const workers = await pids(cluster);
    await cluster.ask('close');
    expect(workers.filter(isAlive)).toEqual([]);
    await expect(text(cluster, '/pid')).rejects.toThrow('fetch failed');
    expect(await cluster.ended).toBe(0);
  });
});

describe('the end of a worker that leaves already', () => {
  /** A cluster whose old worker is at work on a request. */
  async function reloaded(path: string): Promise<{ cluster: Cluster; answer: Promise<string> }> {
    const cluster = await startCluster({ workers: 1 });
    const answer = text(cluster, path);
    answer.catch(() => {});
    await untilTold(
      async () => (await cluster.ask('status')).workers[0]?.inFlight === 1 || undefined,
      () => 'a request in flight',
    );
    await cluster.ask('reload');
    return { cluster, answer };
  }

  it('comes sooner by a close() that allows less', async () => {
    const { cluster, answer } = await reloaded('/never');
    const closed = cluster.ask('close', 50);
    await cluster.prints(/nobody waits for \/never/);
    await closed;
    await expect(answer).rejects.toThrow('fetch failed');
    expect(await cluster.ended).toBe(0);
  });

  it('leaves it time for what it has when the primary is gone', async () => {
    const { cluster, answer } = await reloaded('/slow/2000');
    cluster.child.kill('SIGKILL');
    expect(await answer).toMatch(/^\d+$/);
  });
});

describe('maxConnections', () => {
  it('is one number for all workers: the next one is told 503, and a place that is left is taken again', async () => {
    const cluster = await startCluster({ workers: 2, maxConnections: 20 });
    const port = Number(new URL(cluster.origin).port);
    const sockets: Socket[] = [];
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
    });
    const open = async (): Promise<string> => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      sockets.push(socket);
      socket.write('GET /pid HTTP/1.1\r\nHost: a\r\n\r\n');
      const [answer] = (await once(socket, 'data')) as [Buffer];
      return answer.toString().slice(9, 12);
    };
    const answers = [];
    for (let i = 0; i < 30; i++) answers.push(await open());
    expect(answers.filter((status) => status === '200')).toHaveLength(20);
    expect(answers.slice(20)).toEqual(Array.from({ length: 10 }, () => '503'));
    for (const socket of sockets.splice(0, 5)) socket.destroy();
    expect(
      await untilTold(
        async () => ((await open()) === '200' ? 'served again' : undefined),
        () => 'a free place',
      ),
    ).toBe('served again');
  });
});
