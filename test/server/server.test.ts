import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, linkSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, connect as netConnect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { Agent, request as undiciRequest } from 'undici';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Handler, HttpError, Response, type RunningServer, type ServerOptions, startServer } from '../../src/index.ts';
import { until } from '../support/until.ts';

async function start(handler: Handler, options: ServerOptions = {}): Promise<RunningServer> {
  const place = options.path === undefined ? { host: '127.0.0.1', port: 0 } : {};
  const server = await startServer(handler, { workers: 0, signals: false, ...place, ...options });
  onTestFinished(() => server.close({ timeout: 0 }));
  return server;
}

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
  const args = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '1',
    '-subj',
    '/CN=localhost',
  ];
  for (const name of ['a', 'b']) {
    execFileSync('openssl', [...args, '-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.pem`)], { stdio: 'ignore' });
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('a server in one process', () => {
  it('says where it listens, and refuses to be started without a handler', async () => {
    const server = await start(() => Response.text('hello'));
    expect(server.role).toBe('single');
    expect(server.address).toMatchObject({ host: '127.0.0.1' });
    expect(await (await fetch(server.url)).text()).toBe('hello');
    await expect(startServer(undefined as unknown as Handler)).rejects.toMatchObject({ code: 'bad-option' });
  });

  it('rejects at once when the port is in use', async () => {
    const occupant = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void occupant.close());
    await once(occupant, 'listening');
    const { port } = occupant.address() as { port: number };
    await expect(start(() => Response.text(''), { port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('tells its status', async () => {
    const server = await start(() => Response.text(''));
    await (await fetch(server.url)).text();
    const { workers } = await server.status();
    expect(workers).toMatchObject([{ pid: process.pid, requests: 1, inFlight: 0 }]);
    await expect(server.reload()).rejects.toThrow('has no workers');
  });

  it('listens on a unix socket, also where a crash has left the file of one', async () => {
    const path = join(folder, 'server.sock');
    spawnSync(process.execPath, [
      '-e',
      `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`,
    ]);
    expect(existsSync(path)).toBe(true);
    const server = await start((request) => Response.json([request.remoteAddress ?? 'nobody', request.path]), { path });
    expect(server.address).toEqual({ path });
    const agent = new Agent({ connect: { socketPath: path } });
    onTestFinished(() => agent.close());
    expect(await (await undiciRequest('http://localhost/a', { dispatcher: agent })).body.json()).toEqual(['nobody', '/a']);
    await expect(start(() => Response.text(''), { path })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it.each([0o600, 0o660, 0o666, 0o777])('gives its unix socket the rights of pathMode: %o', async (pathMode) => {
    const path = join(mkdtempSync(join(folder, 'rights-')), 'server.sock');
    const before = process.umask(0o022);
    await start(() => Response.text(''), { path, pathMode });
    const after = process.umask(before);
    expect([lstatSync(path).mode & 0o777, after]).toEqual([pathMode, 0o022]);
  });

  it.each(['a file', 'a folder', 'a link to a file', 'a link to nothing'])(
    'leaves %s in the place of its unix socket as it is',
    async (what) => {
      const place = mkdtempSync(join(folder, 'taken-'));
      const path = join(place, 'server.sock');
      const file = join(place, 'notes.txt');
      writeFileSync(file, 'precious');
      if (what === 'a file') linkSync(file, path);
      else if (what === 'a folder') mkdirSync(path);
      else symlinkSync(what === 'a link to a file' ? file : join(place, 'nothing'), path);
      const before = lstatSync(path).ino;
      await expect(start(() => Response.text(''), { path })).rejects.toMatchObject({ code: 'EADDRINUSE' });
      expect([lstatSync(path).ino, readFileSync(file, 'utf8')]).toEqual([before, 'precious']);
    },
  );
});

describe('what a handler gives', () => {
  const answer = async (handler: Handler, options: ServerOptions = {}): Promise<globalThis.Response> =>
    fetch((await start(handler, options)).url);

  it('may be a web-standard Response, with its cookies and a streamed body', async () => {
    const response = await answer(() => {
      const headers = new Headers({ 'X-A': '1' });
      headers.append('Set-Cookie', 'a=1');
      headers.append('Set-Cookie', 'b=2');
      return new globalThis.Response(new Blob(['streamed']).stream(), { status: 201, headers });
    });
    expect([response.status, response.headers.get('x-a'), response.headers.getSetCookie(), await response.text()]).toEqual([
      201,
      '1',
      ['a=1', 'b=2'],
      'streamed',
    ]);
  });

  it('is a bare 500 in production when it throws, rejects or returns nothing; onError sees each once, with the request', async () => {
    vi.stubEnv('NODE_ENV', 'production');
    onTestFinished(() => void vi.unstubAllEnvs());
    const seen: string[] = [];
    const onError = (error: unknown, { path }: { path: string }): void => void seen.push(`${path}: ${(error as Error).message}`);
    const server = await start(
      (request) => {
        if (request.path === '/throw') throw new Error('thrown');
        if (request.path === '/reject') return Promise.reject(new Error('rejected'));
        return undefined as unknown as Response;
      },
      { onError },
    );
    for (const path of ['/throw', '/reject', '/nothing']) {
      const response = await fetch(server.url + path);
      expect([response.status, await response.text(), response.headers.get('x-content-type-options')]).toEqual([
        500,
        'Internal Server Error',
        'nosniff',
      ]);
    }
    expect(seen).toEqual([
      '/throw: thrown',
      '/reject: rejected',
      '/nothing: Cannot answer GET /nothing: the handler returned nothing, not a Response: look for a branch without return',
    ]);
  });

  it('may be answered by onError instead, and survives an onError that throws', async () => {
    const polite = await answer(() => raise(new Error('x')), { onError: () => Response.text('sorry').withStatus(503) });
    expect([polite.status, await polite.text()]).toEqual([503, 'sorry']);
    const printed: unknown[] = [];
    const original = console.error;
    console.error = (...parts) => void printed.push(...parts);
    onTestFinished(() => {
      console.error = original;
    });
    const clumsy = await answer(() => raise(new Error('first')), { onError: () => raise(new Error('second')), log: 'off' });
    expect(clumsy.status).toBe(500);
    expect(printed.map((text) => String(text).split('\n')[0])).toEqual([
      'Cannot serve GET "/": Error: first',
      'Cannot call onError: Error: second',
    ]);
  });

  it('is an HttpError in the form that the client prefers, and no affair of onError', async () => {
    const seen: unknown[] = [];
    const server = await start(() => raise(new HttpError(409, 'Taken', { code: 'taken' })), { onError: (error) => void seen.push(error) });
    const text = await fetch(server.url);
    expect([text.status, await text.text()]).toEqual([409, 'Taken']);
    const json = await fetch(server.url, { headers: { Accept: 'application/json' } });
    expect(await json.json()).toEqual({ status: 409, code: 'taken', message: 'Taken' });
    expect(seen).toEqual([]);
  });

  it('has at most three frames of ours in the stack of an error', async () => {
    let stack = '';
    await answer(() => raise(new Error('x')), { onError: (error) => void (stack = (error as Error).stack ?? '') });
    const ours = stack.split('\n').filter((line) => line.includes('/src/'));
    expect(ours.length).toBeGreaterThan(0);
    expect(ours.length).toBeLessThanOrEqual(3);
  });

  it('is 503 when its promise takes longer than handlerTimeout; the signal aborts, and what comes later is dropped', async () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
    let signal: AbortSignal | undefined;
    let settle = (_response: Response): void => {};
    const server = await start(
      (request) => {
        signal = request.signal;
        return request.path === '/' ? new Promise<Response>((resolve) => (settle = resolve)) : Response.text('next');
      },
      { handlerTimeout: 100 },
    );
    const response = await fetch(server.url);
    const inFlight = async (): Promise<number | undefined> => (await server.status()).workers[0]?.inFlight;
    expect([response.status, signal?.aborted, await inFlight()]).toEqual([503, true, 0]); // answered, though the promise may never settle
    expect(printed).toHaveBeenCalledWith(
      expect.stringMatching(/^filrouge: GET "\/" has taken \d{3,} ms: its promise has not settled; answered 503$/),
    );
    settle(Response.text('too late'));
    expect(await (await fetch(`${server.url}/next`)).text()).toBe('next');
    expect(await inFlight()).toBe(0);
  });
});

describe('TLS', () => {
  const agent = new Agent({ connect: { rejectUnauthorized: false } });
  afterAll(() => agent.close());
  const files = (name: string): { cert: string; key: string } => ({ cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) });

  it('serves with key and certificate from files, and tells the handler', async () => {
    const server = await start((request) => Response.json([request.secure, request.body.text()]), { tls: files('a') });
    expect(server.url).toMatch(/^https:/);
    const response = await undiciRequest(server.url, { dispatcher: agent, method: 'POST', body: 'x'.repeat(100_000) });
    expect(await response.body.json()).toEqual([true, 'x'.repeat(100_000)]);
  });

  it.each([
    [true, 'h2'],
    [false, 'http/1.1'],
  ])('speaks HTTP/2 by ALPN: %s', async (http2, spoken) => {
    const server = await start(() => Response.text(''), { tls: files('a'), http2 });
    const socket = connect({
      port: (server.address as { port: number }).port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ALPNProtocols: ['h2', 'http/1.1'],
    });
    await once(socket, 'secureConnect');
    expect(socket.alpnProtocol).toBe(spoken);
    socket.destroy();
  });

  it('goes on beside clients that speak plain HTTP or nothing at all', async () => {
    const server = await start(() => Response.text('hello'), { tls: files('a'), headersTimeout: 200 });
    const { port } = server.address as { port: number };
    const silent = netConnect(port, '127.0.0.1');
    const plain = netConnect(port, '127.0.0.1')
      .on('error', () => {})
      .resume();
    plain.write('GET / HTTP/1.1\r\n\r\n');
    await Promise.all([once(silent, 'close'), once(plain, 'close')]);
    expect(await (await undiciRequest(server.url, { dispatcher: agent })).body.text()).toBe('hello');
    await until(
      async () => (await server.status()).workers[0]?.connections === 1 || undefined,
      () => 'one connection',
    );
  });

  it.each([
    ['at once', ''],
    ['inside its first message', '\x16\x03\x01\x00\xc8\x01'],
  ])('is rid of a client that ends its side %s, counts it and says so', async (_when, bytes) => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => printed.mockRestore());
    const server = await start(() => Response.text('hello'), { tls: files('a'), maxConnections: 1 });
    printed.mockClear();
    const { port } = server.address as { port: number };
    const client = netConnect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => client.end(bytes, 'latin1')).resume();
    await until(
      async () => (await server.status()).refused['tls'],
      () => 'the handshake to be given up',
    );
    expect(await (await undiciRequest(server.url, { dispatcher: agent })).body.text()).toBe('hello');
    expect(printed.mock.calls).toEqual([['filrouge: TLS handshake from 127.0.0.1 failed: ECONNRESET']]);
  });

  it('still answers a client that ends its side after its request', async () => {
    const server = await start(() => Response.text('hello'), { tls: files('a') });
    const { port } = server.address as { port: number };
    const options = { port, host: '127.0.0.1', rejectUnauthorized: false, allowHalfOpen: true };
    const client = connect(options);
    client.end('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    let answer = '';
    for await (const piece of client) answer += String(piece);
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*hello$/);
  });

  it('refuses a key that does not belong to the certificate, at start', async () => {
    await expect(start(() => Response.text(''), { tls: { cert: files('a').cert, key: files('b').key } })).rejects.toMatchObject({
      code: 'bad-option',
    });
  });
});

/** A server with a request that is never answered. */
async function startBusy(): Promise<{ server: RunningServer; slow: Promise<unknown> }> {
  const server = await start(() => new Promise<Response>(() => {}));
  const slow = fetch(server.url);
  slow.catch(() => {});
  await until(
    async () => (await server.status()).workers[0]?.inFlight === 1 || undefined,
    () => 'a request in flight',
  );
  return { server, slow };
}

describe('close', () => {
  it('answers what is in flight with Connection: close, and ends connections at rest', async () => {
    let settle = (_response: Response): void => {};
    const server = await start((request) =>
      request.path === '/slow' ? new Promise<Response>((resolve) => (settle = resolve)) : Response.text(''),
    );
    const slow = fetch(`${server.url}/slow`);
    await until(
      async () => (await server.status()).workers[0]?.inFlight === 1 || undefined,
      () => 'a request in flight',
    );
    const { port } = server.address as { port: number };
    const idle = netConnect(port, '127.0.0.1');
    idle.resume();
    await once(idle, 'connect');
    const closed = server.close();
    await once(idle, 'close');
    settle(Response.text('in time'));
    const response = await slow;
    expect([await response.text(), response.headers.get('connection')]).toEqual(['in time', 'close']);
    await closed;
    await server.closed;
    await expect(fetch(server.url)).rejects.toThrow('fetch failed');
  });

  it('ends under constant traffic, and no request of it fails', async () => {
    const server = await start(() => Response.text('ok'));
    const agent = new Agent({ connections: 4 });
    onTestFinished(() => agent.destroy());
    let isClosing = false;
    let served = 0;
    const failures: unknown[] = [];
    const loops = Array.from({ length: 4 }, async () => {
      for (;;) {
        try {
          const { body } = await undiciRequest(server.url, { dispatcher: agent });
          await body.text();
          served++;
        } catch (error) {
          const { code } = error as NodeJS.ErrnoException;
          if (!(isClosing && code === 'ECONNREFUSED')) failures.push(error);
          return;
        }
      }
    });
    await until(
      () => served > 200 || undefined,
      () => 'traffic',
    );
    isClosing = true;
    await server.close();
    await Promise.all(loops);
    expect(failures).toEqual([]);
  });

  it('cuts what takes longer than its time-out', async () => {
    const { server, slow } = await startBusy();
    await server.close({ timeout: 50 });
    await expect(slow).rejects.toThrow('fetch failed');
  });

  it('ends sooner when it is called again with less time', async () => {
    const { server, slow } = await startBusy();
    const closed = server.close({ timeout: 600_000 });
    await server.close({ timeout: 50 });
    await closed;
    await expect(slow).rejects.toThrow('fetch failed');
  });
});

function raise(error: Error): never {
  throw error;
}
