/** Handler threads in real processes. */
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request as undiciRequest } from 'undici';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ServerOptions } from '../../src/index.ts';
import { descriptors, isAlive, shared } from '../support/program.ts';
import { talk } from '../support/serve.ts';
import { until, untilTold } from '../support/until.ts';
import { type Cluster, startCluster } from './support.ts';

const MiB = 1024 * 1024;

function start(options: ServerOptions, env: Readonly<Record<string, string>> = {}): Promise<Cluster> {
  return startCluster({ workers: 0, threads: 2, handlerTimeout: 20_000, ...options }, { fixture: 'threads', env });
}

async function get(cluster: Cluster, path: string): Promise<{ status: number; text: string }> {
  const response = await fetch(cluster.origin + path);
  return { status: response.status, text: await response.text() };
}

async function post(cluster: Cluster, path: string, body: Buffer | string): Promise<string> {
  const { statusCode, body: answer } = await undiciRequest(cluster.origin + path, { method: 'POST', body });
  expect(statusCode).toBe(200);
  return answer.text();
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A server of one thread, whose handlers may take as long as they like. */
const ofOne = shared(() => start({ threads: 1, handlerTimeout: 0 }));

describe('a handler in a thread', () => {
  const server = shared(() => start({ maxBodySize: 64 * MiB }));
  const ofWorkers = shared(() => start({ workers: 2 }));

  it('counts what is limited together with all other threads of all workers', async () => {
    const cluster = ofWorkers();
    const statuses = await Promise.all(Array.from({ length: 150 }, async () => (await get(cluster, '/limited')).status));
    expect([statuses.filter((status) => status === 200).length, statuses.filter((status) => status === 429).length]).toEqual([100, 50]);
  });

  it('cannot keep sessions in the memory of its thread when there are several', async () => {
    const setup = { fixture: 'threads', isExpectedToFail: true, env: { MEMORY_STORE: '1' } };
    const failed = await startCluster({ workers: 0, threads: 2 }, setup);
    expect(await failed.ended).toBe(1);
    expect(failed.stderr).toMatch(/Cannot start server: .*2 handler threads serve, each with a memory of its own, and .*store/);
    expect(
      (await (await startCluster({ workers: 0, threads: 1 }, { ...setup, isExpectedToFail: false })).ask('status')).workers[0],
    ).toMatchObject({ threads: 1 });
  });

  it('runs in a thread of the same process, where startServer has resolved with the address', async () => {
    const cluster = server();
    expect(JSON.parse((await get(cluster, '/thread')).text)).toMatchObject({ pid: cluster.pid, role: 'thread', url: cluster.origin });
    const { threadId } = JSON.parse((await get(cluster, '/thread')).text) as { threadId: number };
    expect(threadId).toBeGreaterThan(0);
    expect((await cluster.ask('status')).workers[0]).toMatchObject({ threads: 2 });
  });

  it('answers with a constant, a file, a stream, and a promise', async () => {
    const cluster = server();
    for (let i = 0; i < 5; i++) {
      const shared = await fetch(`${cluster.origin}/shared`);
      expect([shared.headers.get('x-constant'), await shared.text()]).toEqual(['yes', 'shared']);
    }
    expect((await get(cluster, '/file')).text).toBe(readFileSync('test/cluster/fixtures/threads.mjs', 'utf8'));
    const lines = Array.from({ length: 1000 }, (_, i) => `line ${i} ${'x'.repeat(1000)}\n`).join('');
    expect((await get(cluster, '/stream')).text === lines).toBe(true);
    expect((await get(cluster, '/later/20')).text).toBe('later');
  });

  it('reads bodies from memory, from disk, and as they come', async () => {
    const cluster = server();
    const small = randomBytes(2000);
    const middling = randomBytes(3 * MiB);
    const large = randomBytes(20 * MiB); // more than one may take in memory
    const both = await Promise.all(Array.from({ length: 8 }, (_, i) => post(cluster, '/hash', i % 4 === 0 ? large : middling)));
    expect(both).toEqual(Array.from({ length: 8 }, (_, i) => sha256(i % 4 === 0 ? large : middling)));
    expect(await post(cluster, '/echo', 'héllo')).toBe('héllo');
    expect(await post(cluster, '/hash', small)).toBe(sha256(small));
    expect(await post(cluster, '/hash', large)).toBe(sha256(large));
    const all = await Promise.all(Array.from({ length: 4 }, () => post(cluster, '/hash', large)));
    expect(new Set(all)).toEqual(new Set([sha256(large)]));
  });

  it('serves files that it has opened, whole and in parts, and leaves none open', async () => {
    const root = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
    onTestFinished(() => rmSync(root, { recursive: true }));
    const large = randomBytes(3 * MiB);
    writeFileSync(join(root, 'large.bin'), large);
    const cluster = await start({}, { ROOT: root });
    await get(cluster, '/ping');
    const before = descriptors(cluster.pid).length;
    const fetched = async (range?: string): Promise<Buffer> => {
      const response = await fetch(`${cluster.origin}/files/large.bin`, range === undefined ? {} : { headers: { Range: range } });
      return Buffer.from(await response.arrayBuffer());
    };
    for (let i = 0; i < 10; i++) expect(sha256(await fetched())).toBe(sha256(large));
    expect(sha256(await fetched('bytes=1000000-1999999'))).toBe(sha256(large.subarray(1_000_000, 2_000_000)));
    const parts = await fetched('bytes=0-99,200000-200099');
    expect(parts.includes(large.subarray(0, 100)) && parts.includes(large.subarray(200_000, 200_100))).toBe(true);
    expect((await fetch(`${cluster.origin}/files/large.bin`, { method: 'HEAD' })).headers.get('content-length')).toBe(String(large.length));
    await until(
      () => (descriptors(cluster.pid).length <= before ? true : undefined),
      () => 'files that are closed',
    );
  });

  it('ends without what it has handed over, whose numbers are the connections of others by then, and with what it held', async () => {
    const root = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
    onTestFinished(() => rmSync(root, { recursive: true }));
    writeFileSync(join(root, 'large.bin'), '');
    truncateSync(join(root, 'large.bin'), 64 * MiB); // more than the system takes for a client that does not read
    const cluster = await start({ handlerTimeout: 1000 }, { ROOT: root });
    const port = Number(new URL(cluster.origin).port);
    const filesOpen = (): number => descriptors(cluster.pid).filter((path) => path === join(root, 'large.bin')).length;
    const readers = await Promise.all(Array.from({ length: 12 }, () => talk(port)));
    for (const reader of readers) {
      reader.socket.pause();
      reader.send('GET /files/large.bin HTTP/1.1\r\nHost: a\r\n\r\n');
    }
    await until(
      () => filesOpen() === 12 || undefined,
      () => `12 files that are open, not ${filesOpen()}`,
    );
    for (const reader of readers) reader.socket.destroy();
    await until(
      () => filesOpen() === 0 || undefined,
      () => 'files that are closed',
    );
    const visitors = await Promise.all(Array.from({ length: 20 }, () => talk(port)));
    const PING = 'GET /ping HTTP/1.1\r\nHost: a\r\n\r\n';
    for (const visitor of visitors) visitor.send(PING);
    for (const visitor of visitors) await visitor.answers(1);
    expect((await get(cluster, '/held/large.bin')).status).toBe(503);
    await cluster.prints(/its thread is replaced/);
    await until(
      () => filesOpen() === 0 || undefined,
      () => 'the file that is closed which the thread held',
    );
    for (const visitor of visitors) visitor.send(PING);
    for (const visitor of visitors) expect((await visitor.answers(2))[1]?.body).toBe('pong');
    expect(cluster.stderr).not.toContain('unmanaged');
  });

  it('cuts the connection of a stream that fails, and prints the error once', async () => {
    const cluster = server();
    await expect(get(cluster, '/broken-stream')).rejects.toThrow();
    await cluster.prints(/the source failed/);
    expect((await get(cluster, '/ping')).text).toBe('pong');
    expect(cluster.stderr.match(/Error: the source failed/g)).toHaveLength(1);
  });

  it('is answered 500 when it throws, and when its thread dies, which is replaced', async () => {
    const cluster = ofOne();
    expect(await get(cluster, '/throw')).toMatchObject({
      status: 500,
      text: expect.stringMatching(/^Error: thrown in a thread\n/) as string, // this machine is told why
    });
    expect((await get(cluster, '/crash')).status).toBe(500);
    expect((await get(cluster, '/ping')).text).toBe('pong');
    await cluster.prints(/thrown in a thread/);
    await cluster.prints(/a handler thread has died and is replaced: Error: thrown outside of a handler/);
  });

  it('is told when its client goes away', async () => {
    const cluster = ofOne();
    const socket = connect(Number(new URL(cluster.origin).port), '127.0.0.1');
    socket.write('GET /aborted HTTP/1.1\r\nHost: a\r\n\r\n');
    await untilTold(
      async () => ((await cluster.ask('status')).workers[0]?.inFlight === 1 ? true : undefined),
      () => 'the request',
    );
    socket.destroy();
    await untilTold(
      async () => ((await get(cluster, '/events')).text.includes('aborted') ? true : undefined),
      () => 'the abort',
    );
  });

  it('does not take a client that wants no content for one that has left', async () => {
    const cluster = await start({ threads: 1 });
    const client = await talk(Number(new URL(cluster.origin).port));
    const seen = async (last: RegExp): Promise<string> =>
      until(
        async () => {
          const { text } = await get(cluster, '/events');
          return last.test(text) ? text : undefined;
        },
        () => `${last} in the events`,
      );
    client.send('HEAD /endless/200 HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await seen(/over/)).toBe('["thread","let go","over"]');
    client.send('GET /endless/204 HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await seen(/over.*over/)).toBe('["thread","let go","over","let go","over"]');
    client.send('GET /endless/200 HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until(/a piece/);
    client.socket.destroy(); // this one has
    expect(await seen(/aborted.*over/)).toContain('let go');
    expect((await fetch(`${cluster.origin}/cgi-work`, { method: 'HEAD' })).status).toBe(200);
    await cluster.prints(/worked/);
  });

  it.each(['/echo-socket', '/node-socket'])('takes connections over, byte for byte both ways, by %s', async (path) => {
    const cluster = server();
    const socket = connect(Number(new URL(cluster.origin).port), '127.0.0.1');
    let received = Buffer.alloc(0);
    socket.on('data', (bytes) => {
      received = Buffer.concat([received, bytes]);
    });
    const data = randomBytes(3 * MiB);
    socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nfirst`);
    await until(
      () => (received.includes('\r\n\r\nfirst') ? true : undefined),
      () => 'the bytes behind the head',
    );
    const head = received.length;
    socket.end(data);
    await new Promise((resolve) => socket.once('close', resolve));
    expect(sha256(received.subarray(head))).toBe(sha256(data));
  });

  it('can close the server', async () => {
    const cluster = ofWorkers();
    expect((await get(cluster, '/close')).status).toBe(404);
    await until(
      () => (cluster.stderr.includes('successor') ? true : undefined),
      () => 'a successor of the worker that was closed',
    );
  });
});

describe('a handler that does not return', () => {
  /** Longer than others take on a machine that is busy, ms. */
  const handlerTimeout = 2000;
  const ofTwo = shared(() => start({ handlerTimeout }));
  const alone = shared(() => start({ threads: 1, handlerTimeout }));

  it.each([
    ['an endless loop', '/loop', /GET "\/loop" has taken \d+ ms and stands at forEver \(test\/cluster\/fixtures\/threads\.mjs:\d+:\d+\)/],
    [
      'a runaway regular expression',
      '/regex',
      /GET "\/regex" has taken \d+ ms and stands at answer \(test\/cluster\/fixtures\/threads\.mjs:\d+:\d+\)/,
    ],
    ['Atomics.wait', '/wait', /GET "\/wait" has taken \d+ ms and stands at answer \(test\/cluster\/fixtures\/threads\.mjs:\d+:\d+\)/],
    ['a loop of JSON.parse', '/json', /GET "\/json" has taken \d+ ms and stands at parseForEver/],
  ])('is answered 503, stopped, and its line logged: %s', async (_what, path, line) => {
    const cluster = ofTwo();
    const stuck = get(cluster, path);
    const others: number[] = [];
    for (let i = 0; i < 20; i++) {
      const { status } = await get(cluster, '/ping');
      others.push(status);
    }
    expect(others).toEqual(Array(20).fill(200));
    expect((await stuck).status).toBe(503);
    await cluster.prints(line);
    const whole = await untilTold(
      async () => (await cluster.ask('status')).workers.find(({ threads }) => threads === 2),
      () => 'two threads',
    );
    expect(whole.pid).toBe(cluster.pid);
    expect(cluster.stderr).not.toContain('cannot be stopped');
  });

  it('gives its place up and has the process replaced when nothing can stop it: a program, a FIFO', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    execFileSync('mkfifo', [join(folder, 'fifo')]);
    const cluster = await start({ workers: 1, shutdownTimeout: 500, handlerTimeout }, { FIFO: join(folder, 'fifo') });
    const [before] = (await cluster.ask('status')).workers;
    const answers = await Promise.all([get(cluster, '/exec'), get(cluster, '/fifo')]);
    expect(answers.map(({ status }) => status)).toEqual([503, 503]);
    expect((await get(cluster, '/ping')).text).toBe('pong');
    await cluster.prints(/cannot be stopped/);
    await untilTold(
      async () => {
        const { workers } = await cluster.ask('status');
        return workers.length === 1 && workers[0]?.pid !== before?.pid && workers[0]?.threads === 2 ? true : undefined;
      },
      () => `another process in the place of ${before?.pid}:\n${cluster.stderr}`,
    );
    expect((await get(cluster, '/ping')).text).toBe('pong');
  });

  it('is answered 503 when its promise does not settle, and the others of its thread go on', async () => {
    const cluster = alone();
    const [never, later] = await Promise.all([get(cluster, '/never'), get(cluster, '/later/100')]);
    expect(never.status).toBe(503);
    expect(later.text).toBe('later');
    await cluster.prints(/its promise has not settled/);
    expect(cluster.stderr).not.toContain('replaced');
  });

  it('is answered 503, stopped, and its line logged when it blocks behind an await, in every thread at the same time too', async () => {
    const cluster = await start({ handlerTimeout });
    const answers = await Promise.all([get(cluster, '/await-loop'), get(cluster, '/await-loop')]);
    expect(answers.map(({ status }) => status)).toEqual([503, 503]);
    await cluster.prints(/GET "\/await-loop" has taken \d+ ms and stands at forEver \(test\/cluster\/fixtures\/threads\.mjs:\d+:\d+\)/);
    expect((await get(cluster, '/ping')).text).toBe('pong'); // two threads are on their way
    await cluster.prints(/its thread is replaced.*its thread is replaced/s); // a line is written when the inspector has told the place
    expect(cluster.stderr.match(/its thread is replaced/g)).toHaveLength(2);
  });

  it('keeps its thread when its promise does not settle while others of the thread take their time', async () => {
    const cluster = alone();
    const never = get(cluster, '/never');
    for (let i = 0; i < 6; i++) expect((await get(cluster, '/block/400')).text).toBe('blocked');
    expect((await never).status).toBe(503);
    expect(cluster.stderr).not.toContain('replaced');
  });

  it('takes the programs along that CGI has started for others in its thread', async () => {
    const cluster = alone();
    const program = connect(Number(new URL(cluster.origin).port), '127.0.0.1').setEncoding('latin1');
    onTestFinished(() => void program.destroy());
    program.write('GET /cgi HTTP/1.1\r\nHost: a\r\n\r\n');
    let text = '';
    program.on('data', (more: string) => {
      text += more;
    });
    const pid = await until(
      () => /pid (\d+)/.exec(text)?.[1],
      () => 'the program to tell its process id',
    );
    expect(isAlive(Number(pid))).toBe(true);
    expect((await get(cluster, '/wait')).status).toBe(503);
    await until(
      () => (isAlive(Number(pid)) ? undefined : true),
      () => 'the program to end',
    );
  });

  it('is logged with its line while it goes on, when it is only slow', async () => {
    const cluster = await start({ slowRequest: 500, handlerTimeout: 0 });
    expect((await get(cluster, '/later/1000')).text).toBe('later');
    await cluster.prints(/GET "\/later\/1000" is slow: \d+ ms, its promise has not settled/);
    expect(cluster.stderr).not.toMatch(/later.*stands/);
    get(cluster, '/json').catch(() => {}); // it ends with the process
    await cluster.prints(/GET "\/json" is slow: \d+ ms, and stands at parseForEver \(test\/cluster\/fixtures\/threads\.mjs:\d+:\d+\)/);
    expect((await get(cluster, '/ping')).text).toBe('pong');
    get(cluster, '/await-loop').catch(() => {}); // as slow
    await cluster.prints(/GET "\/await-loop" is slow: \d+ ms, its promise has not settled, and its thread stands at forEver/);
  });
});

describe('a call into the system', () => {
  it('is logged as slow without a line, and goes on as if nobody had looked', async () => {
    const cluster = await start({ threads: 1, slowRequest: 1000, handlerTimeout: 0 });
    expect((await get(cluster, '/nap')).text).toBe('awake\n');
    await cluster.prints(/GET "\/nap" is slow: \d+ ms\n/);
    expect((await get(cluster, '/ping')).text).toBe('pong');
  });

  it('gives its thread up and lets it end as soon as it returns', async () => {
    const cluster = await start({ handlerTimeout: 1000 });
    expect((await get(cluster, '/nap')).status).toBe(503);
    await cluster.prints(/"\/nap" has taken .* its thread is replaced/);
    cluster.child.kill('SIGTERM'); // an exit waits for all threads
    expect(await cluster.ended).toBe(0);
  });
});

describe('the pool', () => {
  it('lets nobody wait behind a handler that blocks', async () => {
    const cluster = await start({ threads: 2, handlerTimeout: 0 });
    const agent = new Agent({ pipelining: 4, connections: 16 });
    let isOver = false;
    const blocked = get(cluster, '/block/3000').then(() => {
      isOver = true;
    });
    const pings = await Promise.all(
      Array.from({ length: 200 }, () => undiciRequest(`${cluster.origin}/ping`, { dispatcher: agent }).then(({ body }) => body.text())),
    );
    expect(isOver).toBe(false); // all were served while it was still there
    expect(new Set(pings)).toEqual(new Set(['pong']));
    await blocked;
    await agent.close();
  });

  it('runs as many handlers at once as there are threads, and more up to the most', async () => {
    const cluster = await start({ threads: { min: 1, max: 4 }, handlerTimeout: 0 });
    expect((await cluster.ask('status')).workers[0]).toMatchObject({ threads: 1 });
    for (let i = 0; i < 4; i++) get(cluster, '/block/60000').catch(() => {}); // they end with the process
    await untilTold(
      async () => ((await cluster.ask('status')).workers[0]?.threadStates.running === 4 ? true : undefined),
      () => 'four threads that run a handler each',
    );
  });

  it('answers 503 with Retry-After when more wait than it holds, and serves again', async () => {
    const cluster = ofOne();
    const blocked = get(cluster, '/block/4000');
    const agent = new Agent({ connections: 400 });
    const answers = await Promise.all(
      Array.from({ length: 400 }, async () => {
        const { statusCode, headers, body } = await undiciRequest(`${cluster.origin}/ping`, { dispatcher: agent });
        await body.text();
        return { statusCode, retry: headers['retry-after'] };
      }),
    );
    const refused = answers.filter(({ statusCode }) => statusCode === 503);
    expect(refused.length).toBeGreaterThan(50);
    expect(refused.every(({ retry }) => retry === '1')).toBe(true);
    expect(answers.filter(({ statusCode }) => statusCode === 200).length).toBeGreaterThan(200);
    expect((await blocked).text).toBe('blocked');
    expect((await get(cluster, '/ping')).text).toBe('pong');
    await agent.close();
  });

  it('has its whole time once it is begun, however long it has waited; one that waits too long is told that the server is busy', async () => {
    const cluster = await start({ threads: 1, handlerTimeout: 1500 });
    const answers = await Promise.all(
      Array.from({ length: 40 }, async () => {
        const response = await fetch(`${cluster.origin}/block/150`);
        return { text: await response.text(), retry: response.headers.get('retry-after') };
      }),
    );
    const [served, refused] = [answers.filter(({ text }) => text === 'blocked'), answers.filter(({ text }) => text !== 'blocked')];
    expect([served.length > 0, refused.length > 0]).toEqual([true, true]);
    expect(refused).toEqual(refused.map(() => ({ text: 'The server is busy', retry: '1' })));
    expect(cluster.stderr).not.toContain('replaced');
    expect((await get(cluster, '/ping')).text).toBe('pong');
  });

  it('are shared by turns: a client that pipelines slow requests waits behind its own, not others behind it', async () => {
    const cluster = ofOne();
    let answered = 0;
    for (let i = 0; i < 7; i++) {
      const socket = connect(Number(new URL(cluster.origin).port), '127.0.0.1');
      onTestFinished(() => void socket.destroy());
      socket.on('data', (bytes: Buffer) => {
        answered += bytes.toString().split('blocked').length - 1;
      });
      socket.write('GET /block/200 HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(8));
    }
    await until(
      () => (answered > 0 ? true : undefined),
      () => 'the first answer',
    );
    const before = answered;
    expect((await get(cluster, '/ping')).text).toBe('pong');
    expect(answered - before).toBeLessThan(20); // of 56: one each, and what was on its way
  });

  it('is refused when the script does not come to startServer in a thread', async () => {
    const cluster = await startCluster(
      { workers: 0, threads: 1 },
      {
        fixture: 'threads',
        isExpectedToFail: true,
        env: { FAILS_IN_THREADS: '1' },
      },
    );
    expect(await cluster.ended).toBe(1);
    expect(cluster.stderr).toContain('Cannot start server: a handler thread could not start: Error: not here');
    expect(cluster.stderr).not.toContain('is replaced');
  });
});
