import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Handler } from '../../../src/exchange/respond.ts';
import { HttpError, type Request, Response, readForm, readJson, requestId } from '../../../src/index.ts';
import type { ServerOptions } from '../../../src/server/options.ts';
import { requestFromFile } from '../../../src/testing.ts';
import { multipart } from '../../support/forms.ts';
import { ask as askHttp2, serveHttp2 } from '../../support/http2.ts';
import { firstRecord, newFolder, records, recordsIn } from '../../support/records.ts';
import { type Answer, deferred, serve, type Talk, talk } from '../../support/serve.ts';
import { until } from '../../support/until.ts';

const MiB = 1024 * 1024;
const SILENT: ServerOptions = { onError: () => {} };

/** A server that records what fails, what is slow, and what is refused, each in a folder of its own. */
async function recording(
  handler: Handler,
  options: ServerOptions = {},
): Promise<{ client: Talk; onError: string; slow: string; refused: string; port: number }> {
  const [onError, slow, refused] = [newFolder(), newFolder(), newFolder()];
  const record = { onError, slow, refused, mask: ['password'] };
  const { port } = await serve(handler, { slowRequest: 60_000, record, ...SILENT, ...options });
  return { client: await talk(port), onError, slow, refused, port };
}

/** Sends a file as it is, but for its comments. */
async function sendAgain(path: string, port: number): Promise<Answer> {
  const client = await talk(port);
  const file = readFileSync(path);
  let at = 0;
  for (let line = 0; line < 6; line++) at = file.indexOf('\n', at) + 1;
  client.send(file.subarray(at));
  const [answer] = await client.answers(1);
  return answer as Answer;
}

/** The second line of the first record. */
async function whyIn(folder: string): Promise<string | undefined> {
  return /^# why: (.*)\r$/m.exec((await firstRecord(folder)).text)?.[1];
}

describe('a request that fails', () => {
  const failures: readonly [what: string, handler: Handler, why: RegExp][] = [
    [
      'throws',
      () => {
        throw new TypeError('x');
      },
      /^TypeError at .*recorder\.test\.ts/,
    ],
    ['rejects', () => Promise.reject(new RangeError('x')), /^RangeError at .*recorder\.test\.ts/],
    ['returns nothing', () => undefined as unknown as Response, /^TypeError nothing-returned$/],
    ['returns a 500', () => Response.empty(500), /^answered 500$/],
    ['returns a promise of a 502', async () => Response.empty(502), /^answered 502$/],
    ['returns a web-standard 500', () => new globalThis.Response(null, { status: 500 }), /^answered 500$/],
    ['throws an HttpError of 500 and more', () => Promise.reject(new HttpError(501)), /^HttpError .*at .*recorder\.test\.ts/],
    [
      'throws a Response of 500',
      () => {
        throw Response.empty(500); // oxlint-disable-line typescript/only-throw-error -- as guards do
      },
      /^answered 500$/,
    ],
    ['throws an error with a status of its own', () => Promise.reject(Object.assign(new URIError('x'), { status: 500 })), /^URIError at/],
  ];

  it.each(failures)('is recorded when its handler %s', async (_what, handler, why) => {
    const { client, onError } = await recording(handler);
    client.send('GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await client.closed();
    expect(await whyIn(onError)).toMatch(why);
    const [path = ''] = recordsIn(onError);
    expect(path).toMatch(/Z-error-[0-9a-f-]{36}\.http$/);
    expect(requestFromFile(path).target).toBe('/a');
  });

  it('is recorded when onError answers it with something else, under the id that onError sees', async () => {
    let id = '';
    const onErrorOption = (_error: unknown, request: Request): Response => {
      id = requestId(request);
      return Response.text('sorry');
    };
    const { client, onError } = await recording(() => Promise.reject(new Error('x')), { onError: onErrorOption });
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await client.answers(1))[0]?.status).toBe(200);
    expect((await firstRecord(onError)).text).toContain(`# why: Error at`);
    expect((await firstRecord(onError)).path).toContain(`-error-${id}.http`);
  });

  it('is recorded when its response breaks off', async () => {
    const { client, onError } = await recording(() =>
      Response.stream(
        'text/plain',
        (async function* () {
          yield 'begin';
          await pause(1);
          throw new SyntaxError('x');
        })(),
      ),
    );
    client.send('POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab');
    await client.closed();
    expect(await whyIn(onError)).toMatch(/^SyntaxError at/);
    expect(requestFromFile(recordsIn(onError)[0] ?? '').body.text()).toBe('ab');
  });

  it('is recorded when its promise does not settle within handlerTimeout', async () => {
    const { client, onError } = await recording(() => new Promise(() => {}), { handlerTimeout: 50 });
    client.send('POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab');
    expect((await client.answers(1))[0]?.status).toBe(503);
    expect(await whyIn(onError)).toBe('503, no answer within handlerTimeout');
    expect(requestFromFile(recordsIn(onError)[0] ?? '').body.text()).toBe('ab');
  });

  it('is recorded once, however often it fails', async () => {
    const { client, onError } = await recording(
      (request) => {
        request.signal.addEventListener('abort', () => {});
        return new Promise((_resolve, reject) => setTimeout(reject, 150, new Error('later')));
      },
      { handlerTimeout: 50 },
    );
    client.send('GET /a HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.answers(1);
    await pause(200);
    client.send('GET /b HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.answers(2);
    expect((await records(onError, 2)).map((path) => requestFromFile(path).target)).toEqual(['/a', '/b']);
  });

  it('is not recorded when the fault is the client’s, or the server is busy', async () => {
    const { client, onError } = await recording((request) => {
      if (request.path === '/json') return Response.json(readJson(request));
      if (request.path === '/busy') throw new HttpError(503);
      if (request.path === '/last') throw new Error('x');
      return Response.empty(404);
    });
    for (const path of ['/json', '/busy', '/none', '/last']) client.send(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n{`);
    await client.answers(4);
    await records(onError);
    expect(recordsIn(onError).map((path) => requestFromFile(path).target)).toEqual(['/last']);
  });
});

describe('an upload that throws', () => {
  const body = multipart([
    ['name="password"', 'hidden'],
    ['name="file"; filename="a.bin"', Buffer.from(Array.from({ length: 5 * MiB }, (_, i) => (i * 7 + (i >> 8)) & 0xff))],
  ]);
  const handler = (request: Request): Response => {
    const { file } = readForm(request, { password: 'string', file: 'file' });
    throw new RangeError(`${file.size} bytes, the last is ${file.bytes().at(-1)}`);
  };

  it.each([
    ['in memory', {}],
    ['on disk', { maxMemoryForBodies: 0 }],
  ] as const)('is recorded byte by byte, but for what is masked, and throws the same in a test: %s', async (_where, options) => {
    const { client, onError } = await recording(handler, options);
    client.send(
      `POST /upload HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    client.send(body);
    expect((await client.answers(1))[0]?.status).toBe(500);
    const { path, text } = await firstRecord(onError);
    expect(text).not.toContain('hidden');
    const last = (5 * MiB - 1) * 7 + ((5 * MiB - 1) >> 8);
    expect(() => handler(requestFromFile(path))).toThrow(`${5 * MiB} bytes, the last is ${last & 0xff}`);
    expect(requestFromFile(path).body.bytes().toString('latin1')).toBe(body.toString('latin1').replace('hidden', '***'));
  });

  it('throws the same when the file is sent again as it is', async () => {
    const { client, onError, port } = await recording(handler);
    client.send(
      `POST /upload HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    client.send(body);
    await client.answers(1);
    const { path } = await firstRecord(onError);
    expect((await sendAgain(path, port)).status).toBe(500);
    expect((await records(onError, 2)).map((one) => requestFromFile(one).body.size)).toEqual([body.length - 3, body.length - 3]);
  });

  it('is recorded as far as it has come when its handler streams it', async () => {
    const { client, onError } = await recording(
      async (request) => {
        for await (const piece of request.body.stream()) throw new RangeError(String((piece as Buffer).length));
        return Response.empty();
      },
      { streamBody: () => true, bodyMemory: 1000 },
    );
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n${'x'.repeat(1500)}`);
    await until(
      () => (recordsIn(onError).length > 0 ? true : undefined),
      () => 'a record',
    );
    const { path, text } = await firstRecord(onError);
    expect(text).toContain('# body: the first 1000 of 5000 bytes\r\n');
    expect(text).toContain('Content-Length: 5000\r\n');
    expect(requestFromFile(path, { partial: true }).body.text()).toBe('x'.repeat(1000));
  });
});

describe('a slow request', () => {
  it('is recorded while its promise is open', async () => {
    const { promise, resolve } = deferred<Response>();
    const { client, slow } = await recording(() => promise, { slowRequest: 20 });
    client.send('POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab');
    expect(await whyIn(slow)).toMatch(/^slow, \d+ ms/);
    resolve(Response.text('late'));
    expect((await client.answers(1))[0]?.body).toBe('late');
    expect(recordsIn(slow)).toHaveLength(1);
    expect(requestFromFile(recordsIn(slow)[0] ?? '').body.text()).toBe('ab');
  });

  it('is recorded when it has blocked', async () => {
    const { client, slow } = await recording(
      () => {
        const end = performance.now() + 100;
        while (performance.now() < end);
        return Response.text('late');
      },
      { slowRequest: 20, threads: 0 },
    );
    client.send('GET /a HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.answers(1);
    expect(await whyIn(slow)).toMatch(/^slow, \d+ ms; it has been answered since$/);
  });

  it('is not recorded when it is quick', async () => {
    const { client, slow, onError } = await recording(() => Promise.resolve(Response.text('quick')));
    client.send('GET /a HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(5));
    await client.answers(5);
    expect([...recordsIn(slow), ...recordsIn(onError)]).toEqual([]);
  });
});

describe('a body that is refused', () => {
  const answer: Handler = () => Response.text('ok');
  const refusals: readonly [what: string, bytes: string, status: number, why: string, told: string][] = [
    [
      'is announced as too large',
      'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n',
      413,
      'refused with 413 body-too-large',
      'the first 0 of 20000 bytes',
    ],
    [
      'turns out to be too large',
      `POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n320\r\n${'x'.repeat(800)}\r\n320\r\n${'x'.repeat(800)}\r\n0\r\n\r\n`,
      413,
      'refused with 413 body-too-large',
      'the first (?:0|800) of 1600 bytes', // as the chunks came
    ],
    [
      'is chunked in a way that cannot be read',
      'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n',
      400,
      'refused with 400 bad-chunk',
      '3 bytes',
    ],
  ];

  it.each(refusals)('is recorded as far as it has come when it %s', async (_what, bytes, status, why, told) => {
    const { client, refused } = await recording(answer, { maxBodySize: 1000 });
    client.send(bytes);
    expect((await client.answers(1))[0]?.status).toBe(status);
    const { text } = await firstRecord(refused);
    expect(text).toContain(`# why: ${why}\r\n`);
    expect(text).toMatch(new RegExp(`^# body: ${told}\r$`, 'm'));
    expect(text).toContain('POST http://localhost:');
  });

  it.each(refusals.slice(0, 2))('is refused again when the file is sent as it is: it %s', async (_what, bytes, status) => {
    const { client, refused, port } = await recording(answer, { maxBodySize: 1000 });
    client.send(bytes);
    await client.answers(1);
    expect((await sendAgain((await firstRecord(refused)).path, port)).status).toBe(status);
  });

  it('is recorded from the disk as well, and from a large buffer', async () => {
    for (const maxMemoryForBodies of [0, 64 * MiB]) {
      const { client, refused } = await recording(answer, { maxBodySize: 3 * MiB, maxMemoryForBodies });
      const piece = Buffer.alloc(MiB, 'y');
      client.send('POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
      for (let i = 0; i < 4; i++) {
        client.send('100000\r\n');
        client.send(piece);
        client.send('\r\n');
      }
      expect((await client.answers(1))[0]?.status).toBe(413);
      const { path } = await firstRecord(refused);
      const { body } = requestFromFile(path, { partial: true });
      expect(body.size).toBeGreaterThan(2 * MiB);
      expect(body.bytes().every((byte) => byte === 0x79)).toBe(true);
    }
  });

  it('is not recorded without a body, or when the head cannot be read', async () => {
    const { port, refused } = await recording(answer, { maxHeaderSize: 200 });
    for (const bytes of [
      'GET / HTTP/1.1\r\n\r\n',
      'NONSENSE\r\n\r\n',
      `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nX: ${'y'.repeat(300)}\r\n\r\nab`,
    ]) {
      const client = await talk(port);
      client.send(bytes);
      await client.closed();
    }
    expect(recordsIn(refused)).toEqual([]);
  });
});

describe('over HTTP/2', () => {
  it('a request that fails is recorded in the form of HTTP/1.1, with Host', async () => {
    const onError = newFolder();
    const { client } = await serveHttp2(() => Promise.reject(new Error('x')), { record: { onError }, ...SILENT });
    const stream = await askHttp2(client, { ':method': 'POST', ':path': '/a?b', ':authority': 'notes.example', cookie: 'a=1' }, 'body');
    expect(stream.status).toBe(500);
    const { text, path } = await firstRecord(onError);
    expect(text).toMatch(/\nPOST http:\/\/localhost:\d+\/a\?b HTTP\/1\.1\r\n/);
    expect(text).toMatch(/# client: 127\.0\.0\.1, HTTP\/2\.0\r\n/);
    const request = requestFromFile(path);
    expect([request.header('host'), request.header('cookie'), request.body.text()]).toEqual(['notes.example', 'a=***', 'body']);
  });

  it('a body that is too large is recorded', async () => {
    const refused = newFolder();
    const { client } = await serveHttp2(() => Response.empty(), { record: { refused }, maxBodySize: 10 });
    const stream = await askHttp2(client, { ':method': 'POST', ':path': '/a', 'content-length': '20' }, 'x'.repeat(20));
    expect(stream.status).toBe(413);
    expect((await firstRecord(refused)).text).toContain('# body: the first 0 of 20 bytes\r\n');
  });
});

describe('trouble with the folder', () => {
  /** The events of the server that say so. */
  function events(): string[] {
    const lines: string[] = [];
    const spy = vi.spyOn(console, 'error').mockImplementation((line: string) => void lines.push(line));
    onTestFinished(() => spy.mockRestore());
    return lines;
  }

  it('is logged once, and fails no request', async () => {
    const lines = events();
    const file = join(newFolder(), 'file');
    writeFileSync(file, '');
    const { client } = await recording(() => Response.empty(500), { record: { onError: file }, log: 'json' });
    for (let i = 0; i < 3; i++) client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await client.answers(3)).map(({ status }) => status)).toEqual([500, 500, 500]);
    await until(
      () => (lines.length > 0 ? true : undefined),
      () => 'an event',
    );
    const told = lines.map((line) => JSON.parse(line) as { event: string; code: string; message: string });
    expect(told).toEqual([expect.objectContaining({ event: 'not-recorded', code: 'ENOTDIR' })]);
  });

  it('is bounded under a flood: few wait, the folder stays small, and everybody is answered', async () => {
    const lines = events();
    const { client, onError, port } = await recording(() => Promise.reject(new Error('x')), {
      record: { onError: newFolder() },
      maxMemoryForBodies: 0,
      log: 'text',
    });
    expect(recordsIn(onError)).toEqual([]);
    const clients = [client, ...(await Promise.all(Array.from({ length: 15 }, () => talk(port))))];
    for (const one of clients) one.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n${'z'.repeat(200_000)}`.repeat(8));
    const answers = await Promise.all(clients.map((one) => one.answers(8)));
    expect(answers.flat().map(({ status }) => status)).toEqual(Array.from({ length: 128 }, () => 500));
    expect(lines.length).toBeLessThanOrEqual(1);
  });

  it('keeps the number of files, of all who write to it', async () => {
    const onError = newFolder();
    const record = { onError, maxFiles: 5 };
    const servers = await Promise.all([1, 2, 3].map(() => serve(() => Response.empty(500), { record })));
    await Promise.all(
      servers.map(async ({ port, server }) => {
        const client = await talk(port);
        client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(10));
        await client.answers(10);
        await server.close({ timeout: 0 });
      }),
    );
    expect(recordsIn(onError)).toHaveLength(5);
    expect(readdirSync(onError)).toHaveLength(5);
  });
});

describe('the option record', () => {
  const wrong: readonly [record: unknown, message: string][] = [
    [true, 'Cannot start server: record is boolean, not an object'],
    [{}, 'Cannot start server: record names no folder: write onError, slow or refused'],
    [{ onError: 1 }, 'Cannot start server: record.onError is number, not a string'],
    [{ onErrors: 'x' }, 'Cannot start server: unknown option "onErrors": did you mean "onError"?'],
    [{ slow: 'x' }, 'Cannot start server: record.slow has no effect without slowRequest'],
    [{ onError: 'x', mask: [1] }, 'Cannot start server: record: mask holds 1, which is not a name'],
    [{ onError: 'x', maxFiles: 0.5 }, 'Cannot start server: record: maxFiles is 0.5, not a whole number from 1 to 10000'],
  ];

  it.each(wrong)('refuses %j', async (record, message) => {
    await expect(serve(() => Response.empty(), { record } as ServerOptions)).rejects.toThrow(
      expect.objectContaining({ message, code: 'bad-option' }),
    );
  });
});
