/** The option `affinity`, in real processes. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import type { ServerOptions } from '../../src/index.ts';
import { Authority } from '../support/certificates.ts';
import { shared } from '../support/program.ts';
import { standsStill, until, untilTold } from '../support/until.ts';
import { Client, passed } from './affinity-client.ts';
import { type Cluster, startCluster } from './support.ts';

const start = (options: ServerOptions = {}, env: Readonly<Record<string, string>> = {}): Promise<Cluster> =>
  startCluster({ workers: 2, ...options }, { fixture: 'affinity', env });
const MiB = 1024 * 1024;

/** Which worker answers for each key, asked over as many connections. */
async function holders(cluster: Cluster, keys: readonly string[]): Promise<number[]> {
  return Promise.all(keys.map(async (key) => (await new Client(cluster.origin).ask('/', { headers: { key } })).json.pid));
}

const KEYS = Array.from({ length: 24 }, (_, i) => `key ${i}`);

/** Servers for all tests that leave them as they were. */
const ofThree = shared(() => start({ workers: 3, maxMemoryForBodies: 8 * MiB, trustProxy: ['127.0.0.1'], h2c: true }));
const threaded = shared(() => start({ threads: 2 }, { WATCHED: '1' }));

describe('requests with the same key', () => {
  it('are answered by one worker, wherever their connections were accepted', async () => {
    const cluster = ofThree();
    const keys = KEYS.map((key) => `counted ${key}`); // which nobody else asks with
    const clients: Client[] = [];
    const accepting = new Set<number>();
    while (clients.length < 12 || accepting.size < 2) {
      const client = new Client(cluster.origin);
      accepting.add((await client.ask('/here')).json.pid);
      clients.push(client);
    }
    const answers = await Promise.all(
      clients.flatMap((client) => keys.map(async (key) => ({ ...(await client.ask('/', { headers: { key } })).json, key }))),
    );
    for (const key of keys) {
      const ours = answers.filter((answer) => answer.key === key);
      expect(new Set(ours.map(({ pid }) => pid)).size).toBe(1);
      expect(ours.map(({ count }) => count).toSorted((a, b) => a - b)).toEqual(clients.map((_, i) => i + 1));
    }
    expect(new Set(answers.map(({ pid }) => pid)).size).toBe(3);
  });

  it('count where they are handled, once', async () => {
    const cluster = ofThree();
    const { client, headers, answering } = await passed(cluster);
    const before = await cluster.ask('status');
    for (let i = 0; i < 10; i++) await client.ask('/peer', { headers });
    const after = await cluster.ask('status');
    expect(after.requests - before.requests).toBe(10);
    const of = ({ workers }: typeof after): number => workers.find(({ pid }) => pid === answering)?.requests ?? 0;
    expect(of(after) - of(before)).toBe(10);
  });

  it.each([0, 2])('are told to whoever watches requests where they are handled, once, with %i handler threads', async (threads) => {
    const cluster = threads === 0 ? await start({}, { WATCHED: '1' }) : threaded();
    const { client, headers, answering, accepting } = await passed(cluster);
    expect((await client.ask('/watched/passed', { headers })).status).toBe(404);
    expect((await client.ask('/watched/own')).status).toBe(404);
    expect((await client.ask('/watched/end')).status).toBe(404);
    await cluster.prints(/told of \/watched\/end/);
    const told = [...cluster.stdout.matchAll(/told of \/watched\/(passed|own) in (\d+)/g)].map(([, path, pid]) => [path, Number(pid)]);
    expect(told, cluster.stdout + cluster.stderr).toEqual([
      ['passed', answering],
      ['own', accepting],
    ]);
  });

  it.each([2, 4])('are answered by one worker also where each has %i handler threads', async (threads) => {
    const cluster = threads === 2 ? threaded() : await start({ threads });
    const { client, headers, answering } = await passed(cluster);
    for (let i = 0; i < 10; i++) expect((await client.ask('/peer', { headers })).json.pid).toBe(answering);
    const body = randomBytes(3 * MiB);
    expect((await client.ask('/size', { method: 'POST', headers, body })).json).toMatchObject({ pid: answering, size: body.length });
  });
});

describe('a request that is passed on', () => {
  it('has the client, host and headers that it has where it is accepted', async () => {
    const cluster = ofThree();
    const { client, headers, answering, accepting } = await passed(cluster);
    const here = (await client.ask('/peer?a=1', { headers: { 'X-Forwarded-For': '203.0.113.9', 'X-Forwarded-Proto': 'https' } })).json;
    const there = (
      await client.ask('/peer?a=1', { headers: { 'X-Forwarded-For': '203.0.113.9', 'X-Forwarded-Proto': 'https', ...headers } })
    ).json;
    expect([here.pid, there.pid]).toEqual([accepting, answering]);
    expect(here).toMatchObject({ remoteAddress: '203.0.113.9', secure: true, httpVersion: '1.1', target: '/peer?a=1' });
    const withoutKey = there.headers.filter(([name]) => name !== 'key');
    expect({ ...there, headers: withoutKey, pid: 0 }).toEqual({ ...here, pid: 0 });
  });

  it('has the certificate of its client', async () => {
    const authority = new Authority();
    onTestFinished(() => authority.remove());
    const own = authority.issue('ada');
    const tls = { ...authority.issue('localhost'), ca: authority.pem, clientCertificates: 'require' as const };
    const cluster = await start({ tls });
    const files = {
      servername: 'localhost',
      checkServerIdentity: () => undefined,
      ca: authority.pem,
      cert: readFileSync(own.cert),
      key: readFileSync(own.key),
    };
    const { client, headers, answering } = await passed(cluster, files);
    expect((await client.ask('/peer', { headers })).json).toMatchObject({ pid: answering, certificate: 'CN=ada', secure: true });
  });

  it('may come over HTTP/2', async () => {
    const cluster = ofThree();
    const session = connectHttp2(cluster.origin);
    onTestFinished(() => session.destroy());
    const ask = async (path: string, key: string): Promise<Record<string, unknown>> => {
      const stream = session.request({ ':path': path, key });
      let body = '';
      stream.setEncoding('utf8').on('data', (piece: string) => {
        body += piece;
      });
      await once(stream, 'end');
      return JSON.parse(body) as Record<string, unknown>;
    };
    const answers = await Promise.all(KEYS.map((key) => ask('/peer', key)));
    expect(new Set(answers.map(({ pid }) => pid)).size).toBe(3);
    expect(answers.map(({ httpVersion }) => httpVersion)).toEqual(KEYS.map(() => '2.0'));
    expect(await holders(cluster, KEYS)).toEqual(answers.map(({ pid }) => pid));
  });

  it.each([0, 1000, 16 * 1024, 16 * 1024 + 1, 100_000, 5 * MiB, 9 * MiB])('has its body of %i bytes whole', async (size) => {
    const cluster = ofThree();
    const { client, headers, answering } = await passed(cluster);
    const body = randomBytes(size);
    expect((await client.ask('/size', { method: 'POST', headers, body })).json).toEqual({ pid: answering, size, announced: size });
    expect((await client.ask('/streamed', { method: 'POST', headers, body })).json).toMatchObject({ pid: answering, size });
    expect((await client.ask('/here')).status).toBe(200); // the connection goes on
  });

  it('is refused where there is no room for its body, and the server serves on', async () => {
    const cluster = await start({ workers: 3, maxMemoryForBodies: 0, maxDiskForBodies: MiB });
    const { client, headers, answering, accepting } = await passed(cluster);
    const body = Buffer.alloc(MiB);
    client.open('/waits', { method: 'POST', headers, body }).catch(() => {});
    await cluster.prints(new RegExp(`waiting in ${answering}`));
    const third = await passed(cluster, {}, answering, accepting);
    expect(await third.client.ask('/size', { method: 'POST', headers, body })).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
      text: 'Cannot read body: other bodies take the room that there is for them',
    });
    expect((await new Client(cluster.origin).ask('/peer', { headers })).status).toBe(200);
  });

  it('gets every kind of response: text, bytes, a file, a stream, an error, early hints', async () => {
    const cluster = ofThree();
    const { client, headers, answering } = await passed(cluster);
    const pid = String(answering);
    const text = await client.ask('/text', { headers });
    expect([text.headers['pid'], text.headers['content-length'], text.text.length]).toEqual([pid, '200000', 200_000]);
    expect(Buffer.from(text.text, 'latin1').toString()).toBe('é'.repeat(100_000));
    expect((await client.ask('/bytes', { headers })).text).toBe('x'.repeat(MiB));
    const file = await client.ask('/file', { headers });
    expect([file.status, file.headers['etag'], file.text]).toEqual([200, expect.any(String), readFileSync('package.json', 'utf8')]);
    expect((await client.ask('/large?size=3000001', { headers })).text.length).toBe(3_000_001);
    expect(await client.ask('/large?size=3000001', { headers, method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
    expect(await client.ask('/error', { headers })).toMatchObject({ status: 418, text: `from ${pid}` });
    expect(await client.ask('/nowhere', { headers })).toMatchObject({ status: 404 });
    const interims: number[] = [];
    const hinted = await client.open('/hints', { headers }, (status) => interims.push(status));
    expect([hinted.statusCode, interims]).toEqual([200, [103]]);
  });

  it('is answered 500 when its handler throws, which is reported in the worker that ran it', async () => {
    const cluster = ofThree();
    const { client, headers, answering } = await passed(cluster);
    expect((await client.ask('/crash', { headers })).status).toBe(500);
    await cluster.prints(new RegExp(`Error: broken in ${answering}`));
  });

  it.each([0, 1])('does not take a client that wants no content for one that has left, with %i handler threads', async (threads) => {
    const cluster = await start({ threads });
    const { client, headers, answering } = await passed(cluster);
    expect((await client.ask('/unread', { method: 'HEAD', headers })).status).toBe(200);
    await cluster.prints(new RegExp(`over in ${answering}`));
    expect(cluster.stdout).not.toContain('aborted in');
  });

  it('tells its handler that the client has left', async () => {
    const cluster = ofThree();
    const { client, headers, answering } = await passed(cluster);
    client.open('/waits', { headers }).catch(() => {});
    await cluster.prints(new RegExp(`waiting in ${answering}`));
    client.close();
    await cluster.prints(new RegExp(`left ${answering}: AbortError`));
  });

  it.each<[string, ServerOptions]>([
    ['a worker', {}],
    ['a handler thread of it', { threads: 1 }],
  ])('is counted under the route that has matched there when its time is up, in %s', async (_where, options) => {
    const cluster = await start({ handlerTimeout: 4000, ...options });
    const { client, headers } = await passed(cluster);
    expect((await client.ask('/waits', { headers })).status).toBe(503);
    const late = await untilTold(
      async () => (await cluster.ask('status')).answered.find(({ status }) => status === 503),
      () => 'the 503 to be counted',
    );
    expect(late).toMatchObject({ method: 'GET', route: '/waits', count: 1 });
  });

  it('may become a websocket', async () => {
    const cluster = ofThree();
    const { headers, answering } = await passed(cluster);
    for (let i = 0; i < 6; i++) {
      const socket = new WebSocket(`${cluster.origin}/socket`, { headers });
      const [first] = (await once(socket, 'message')) as [Buffer];
      expect(first.toString()).toBe(String(answering));
      const message = randomBytes(300_000);
      socket.send(message);
      const [echo] = (await once(socket, 'message')) as [Buffer];
      expect(echo.equals(message)).toBe(true);
      socket.close(1000);
      expect((await once(socket, 'close'))[0]).toBe(1000);
    }
  });
});

describe('a large request that is passed on', () => {
  const large = shared(() => start({ maxBodySize: 300 * MiB }));

  it('waits with its response for a client that does not read', async () => {
    const cluster = large();
    const { client, headers, answering } = await passed(cluster);
    const before = (await cluster.ask('status')).workers.find(({ pid }) => pid === answering)?.rss ?? 0;
    const response = await client.open(`/large?size=${200 * MiB}`, { headers });
    response.pause();
    await new Client(cluster.origin).ask('/here');
    const after = (await cluster.ask('status')).workers.map(({ rss }) => rss);
    expect(Math.max(...after) - before).toBeLessThan(60 * MiB);
  });

  it('takes no more memory for 200 MiB than for 100, either way', async () => {
    const cluster = large();
    const { client, headers } = await passed(cluster);
    const rss = async (): Promise<number> => (await cluster.ask('status')).workers.reduce((most, worker) => Math.max(most, worker.rss), 0);
    async function* upload(): AsyncGenerator<Buffer> {
      const piece = Buffer.alloc(MiB);
      for (let i = 0; i < 100; i++) yield piece;
    }
    const pass = async (): Promise<number> => {
      let received = 0;
      for await (const piece of await client.open(`/large?size=${100 * MiB}`, { headers })) received += (piece as Buffer).length;
      expect(received).toBe(100 * MiB);
      expect((await client.ask('/streamed', { method: 'POST', headers, body: upload() })).json.size).toBe(100 * MiB);
      return rss();
    };
    const first = await pass(); // what the garbage collector lets lie
    expect(first).toBeLessThan(200 * MiB);
    expect((await pass()) - first).toBeLessThan(50 * MiB);
  });

  it.each<[string, ServerOptions]>([
    ['another worker', { workers: 2 }],
    ['a handler thread', { workers: 0, threads: 1 }],
  ])('that is streamed waits with its body for a handler in %s that reads no more than the beginning', async (_where, options) => {
    const cluster = options.workers === 0 ? await start({ ...options, maxBodySize: 300 * MiB }) : large();
    const headers = options.workers === 0 ? {} : (await passed(cluster)).headers;
    let sent = 0;
    async function* upload(): AsyncGenerator<Buffer> {
      const piece = Buffer.alloc(64 * 1024);
      for (; sent < 200 * MiB; sent += piece.length) yield piece;
    }
    const clients = Array.from({ length: 3 }, () => new Client(cluster.origin)); // at least one of them was accepted elsewhere
    for (const client of clients) client.open('/unread', { method: 'POST', headers, body: upload() }).catch(() => {});
    await cluster.prints(/waiting in/);
    expect(await standsStill(() => sent)).toBeLessThan(60 * MiB); // what the system holds for three connections
    for (const client of clients) client.close();
  });
});

describe('affinity', () => {
  it('that throws, or gives no string, is a 500, which is reported; the server serves on', async () => {
    const cluster = ofThree();
    const client = new Client(cluster.origin);
    expect((await client.ask('/', { headers: { key: 'throws' } })).status).toBe(500);
    expect((await client.ask('/', { headers: { key: 'number' } })).status).toBe(500);
    expect((await client.ask('/', { headers: { key: 'a' } })).status).toBe(200);
    await cluster.prints(/Cannot serve GET "\/": Error: no key for you/);
    await cluster.prints(/affinity returned number, not a string or undefined/);
  });

  it('has no effect in one process', async () => {
    for (const workers of [0, 1]) {
      const cluster = await start({ workers });
      const client = new Client(cluster.origin);
      expect((await client.ask('/', { headers: { key: 'throws' } })).status).toBe(200);
      expect((await client.ask('/here')).json.key).toMatch(/^s-[\w-]{24}$/);
    }
  });

  it.each([0, 2])('leads keys that a worker has made back to it, with %i handler threads', async (threads) => {
    const cluster = threads === 0 ? ofThree() : threaded();
    const pids = new Set<number>();
    for (let i = 0; i < 12 || pids.size < 2; i++) {
      const { pid, key } = (await new Client(cluster.origin).ask('/here')).json;
      pids.add(pid);
      for (let j = 0; j < 4; j++) expect((await new Client(cluster.origin).ask('/', { headers: { key } })).json.pid).toBe(pid);
    }
  });
});

describe('a worker that is killed', () => {
  it('has its keys answered by others, and its successor answers for them in the end; no other key moves', async () => {
    const cluster = await start({ workers: 3 });
    const before = await holders(cluster, KEYS);
    const dead = before[0] as number;
    process.kill(dead, 'SIGKILL');
    const meanwhile = await holders(cluster, KEYS);
    expect(meanwhile).not.toContain(dead);
    for (const [i, pid] of before.entries()) if (pid !== dead) expect(meanwhile[i]).toBe(pid);
    await cluster.prints(/worker \d+ ended with signal SIGKILL/);
    const ofTheDead = before.map((pid) => pid === dead);
    await untilTold(
      async () => {
        const after = await holders(cluster, KEYS);
        const successors = new Set(after.filter((_, i) => ofTheDead[i]));
        expect(after.filter((_, i) => !ofTheDead[i])).toEqual(before.filter((pid) => pid !== dead));
        return (successors.size === 1 && !before.includes([...successors][0] as number)) || undefined;
      },
      () => 'a successor that answers for all that the dead one did',
    );
  });

  it('has what it had not answered repeated by another when it can do no harm, and else answered 502 at once', async () => {
    const cluster = await start({ workers: 3 });
    const { client, headers, answering } = await passed(cluster);
    const waiting = (): number[] => [...cluster.stdout.matchAll(/waiting in (\d+)/g)].map(([, pid]) => Number(pid));
    const reached = (count: number): Promise<true> =>
      until(
        () => waiting().length === count || undefined,
        () => `${count} handlers`,
      );
    const get = client.open('/waits', { headers }).catch(() => undefined);
    await reached(1);
    const post = (await passed(cluster, {}, answering)).client.ask('/waits', { headers, method: 'POST' });
    await reached(2);
    expect(waiting()).toEqual([answering, answering]);
    process.kill(answering, 'SIGKILL');
    expect(await post).toMatchObject({ status: 502 });
    await reached(3);
    expect(waiting()[2]).not.toBe(answering);
    client.close();
    await get;
  });

  it('cuts the responses that it had begun', async () => {
    const cluster = await start();
    const { client, headers, answering } = await passed(cluster);
    const response = await client.open('/events', { headers });
    await once(response, 'data');
    process.kill(answering, 'SIGKILL');
    const [error] = (await once(response, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNRESET');
  });
});

describe('a reload', () => {
  it('fails no request, and each key goes from one worker to its successor, once', async () => {
    const cluster = await start({ workers: 3 });
    let isOver = false;
    const statuses = new Map<number, number>();
    const seen = new Map<string, number[]>();
    const load = Array.from({ length: 3 }, async (_, i) => {
      const client = new Client(cluster.origin);
      let j = 0;
      await until(
        async () => {
          const key = KEYS[(i * 7 + j++) % KEYS.length] as string;
          const { status, json } = await client
            .ask('/', { headers: { key } })
            .catch(() => new Client(cluster.origin).ask('/', { headers: { key } }));
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
          const pids = seen.get(key) ?? [];
          if (pids.at(-1) !== json.pid) pids.push(json.pid);
          seen.set(key, pids);
          return isOver || undefined;
        },
        () => 'the reload',
        90_000,
      );
    });
    await until(
      () => seen.size === KEYS.length || undefined,
      () => 'all keys',
    );
    await cluster.ask('reload');
    const last = await holders(cluster, KEYS);
    isOver = true;
    await Promise.all(load);
    expect([...statuses.keys()]).toEqual([200]);
    for (const [i, key] of KEYS.entries()) expect(seen.get(key)?.slice(1) ?? []).toEqual(seen.get(key)?.length === 1 ? [] : [last[i]]);
  });

  it('ends passed streams between two events, and tells passed handlers and websockets', async () => {
    const cluster = await start();
    const { client, headers } = await passed(cluster);
    const poll = await passed(cluster);
    const events = await client.open('/events', { headers });
    const socket = new WebSocket(`${cluster.origin}/socket`, { headers });
    await once(socket, 'message');
    const stopping = poll.client.ask('/stopping', { headers: poll.headers });
    await cluster.prints(/waiting in/);
    const closed = once(socket, 'close');
    await cluster.ask('reload');
    let body = '';
    for await (const piece of events) body += String(piece);
    expect(body).toMatch(/^(?:data: \d+\n\n)+$/);
    expect((await stopping).text).toMatch(/^stopping \d+$/);
    expect((await closed)[0]).toBe(1001);
  });
});

describe('the private sockets', () => {
  /** A server with a place for temporary files of its own: others start servers too. */
  async function startApart(): Promise<{ readonly cluster: Cluster; readonly directories: () => string[] }> {
    const place = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
    onTestFinished(() => rmSync(place, { recursive: true }));
    const cluster = await start({}, { TMPDIR: place });
    return { cluster, directories: () => readdirSync(place).map((name) => join(place, name)) };
  }

  it('lie where only this user may enter, talk to nobody without the secret, and are gone with the server', async () => {
    const { cluster, directories } = await startApart();
    const [directory = ''] = directories();
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    const socket = connect(join(directory, readdirSync(directory)[0] ?? ''));
    socket.on('error', () => {});
    socket.write(randomBytes(32));
    await once(socket, 'close');
    expect(socket.bytesRead).toBe(0);
    process.kill(cluster.pid, 'SIGTERM');
    expect(await cluster.ended).toBe(0);
    expect(directories()).toEqual([]);
  });

  it('are gone also when the primary was killed', async () => {
    const { cluster, directories } = await startApart();
    expect(directories()).toHaveLength(1);
    process.kill(cluster.pid, 'SIGKILL');
    await until(
      () => directories().length === 0 || undefined,
      () => 'the end of the workers',
    );
  });
});
