import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { conditional, Request, Response, serveDir } from '../../../src/index.ts';
import { type Answer, serve, talk } from '../../support/serve.ts';
import { allClosedBelow, folderWith, openBelow, WRITTEN, writeAt } from './folder.ts';

/** Bytes that tell their place. */
const CONTENT = Array.from({ length: 200_000 }, (_, i) => String.fromCharCode(97 + ((i * 7 + (i >> 8)) % 26))).join('');
const files = {
  'small.txt': CONTENT.slice(0, 1000),
  'large.bin': CONTENT,
  'empty.txt': '',
  'code.js': 'plain',
  'code.js.gz': '0123456789',
};

const get = (target: string, headers: Record<string, string | string[]> = {}, method = 'GET'): Request =>
  new Request({ method, target, headers });

/** The parts of a multipart/byteranges body: the head of each, and its content. */
function partsOf(type: string, body: string): { head: string; content: string }[] {
  const boundary = /^multipart\/byteranges; boundary=([\w-]+)$/.exec(type)?.[1] ?? 'none';
  const pieces = body.split(`\r\n--${boundary}`);
  expect([pieces[0], pieces.at(-1)]).toEqual(['', '--\r\n']);
  return pieces.slice(1, -1).map((piece) => {
    const end = piece.indexOf('\r\n\r\n');
    return { head: piece.slice(2, end), content: piece.slice(end + 4) };
  });
}

describe('serveDir with Range (RFC 9110 §14, §15.3.7)', () => {
  it.each([
    ['/small.txt', 'bytes=0-3', 'bytes 0-3/1000', CONTENT.slice(0, 4)],
    ['/small.txt', 'bytes=-5', 'bytes 995-999/1000', CONTENT.slice(995, 1000)],
    ['/small.txt', 'bytes=990-', 'bytes 990-999/1000', CONTENT.slice(990, 1000)],
    ['/large.bin', 'bytes=199999-', 'bytes 199999-199999/200000', CONTENT.slice(199_999)],
    ['/large.bin', 'bytes=1000-150999', 'bytes 1000-150999/200000', CONTENT.slice(1000, 151_000)],
  ])('answers %s, %s with 206 and these bytes', (target, range, contentRange, text) => {
    const response = serveDir(get(target, { Range: range }), folderWith(files));
    expect([response?.status, response?.header('content-range'), response?.text() === text]).toEqual([206, contentRange, true]);
    expect([response?.header('accept-ranges'), response?.header('last-modified')]).toEqual(['bytes', WRITTEN]);
    expect(response?.header('etag')).toMatch(/^"/);
  });

  it('answers several ranges with multipart/byteranges, in the order they were asked for (§14.6)', () => {
    for (const target of ['/small.txt', '/large.bin']) {
      const response = serveDir(get(target, { Range: 'bytes=500-599, 0-1, -2' }), folderWith(files));
      const whole = target === '/small.txt' ? CONTENT.slice(0, 1000) : CONTENT;
      const type = target === '/small.txt' ? 'text/plain; charset=utf-8' : 'application/octet-stream';
      expect([response?.status, response?.header('content-range')]).toEqual([206, undefined]);
      expect(partsOf(response?.header('content-type') ?? '', response?.text() ?? '')).toEqual([
        { head: `Content-Type: ${type}\r\nContent-Range: bytes 500-599/${whole.length}`, content: whole.slice(500, 600) },
        { head: `Content-Type: ${type}\r\nContent-Range: bytes 0-1/${whole.length}`, content: whole.slice(0, 2) },
        {
          head: `Content-Type: ${type}\r\nContent-Range: bytes ${whole.length - 2}-${whole.length - 1}/${whole.length}`,
          content: whole.slice(-2),
        },
      ]);
    }
  });

  it('answers one range when only one of several is left (§15.3.7.2)', () => {
    const response = serveDir(get('/small.txt', { Range: 'bytes=5000-, 1-2' }), folderWith(files));
    expect([response?.status, response?.header('content-range'), response?.text()]).toEqual([206, 'bytes 1-2/1000', CONTENT.slice(1, 3)]);
  });

  it('answers 416 with the size, and without what is said of the file, when all ranges lie beyond its end (§15.5.17)', () => {
    const response = serveDir(get('/small.txt', { Range: 'bytes=1000-' }), folderWith(files), { maxAge: 60 });
    expect([response?.status, Object.fromEntries(response?.headers ?? [])]).toEqual([
      416,
      { 'Content-Range': 'bytes */1000', 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' },
    ]);
  });

  it.each([
    'bytes=5-4',
    'bytes=x',
    'lines=1-2',
    `bytes=${'0-,'.repeat(1300)}`,
    'bytes=0-9,5-20',
    `bytes=${Array.from({ length: 9 }, (_, i) => `${i * 9}-${i * 9}`).join()}`,
  ])('sends the whole file for a Range that says nothing, or that no honest client sends: %#', (range) => {
    const response = serveDir(get('/small.txt', { Range: range }), folderWith(files));
    expect([response?.status, response?.text()?.length, response?.header('content-range')]).toEqual([200, 1000, undefined]);
  });

  it('answers 416 for a range of an empty file, but sends it for its last bytes (§14.1.2)', () => {
    const root = folderWith(files);
    for (const Range of ['bytes=0-0', 'bytes=0-']) {
      const response = serveDir(get('/empty.txt', { Range }), root);
      expect([response?.status, response?.header('content-range')]).toEqual([416, 'bytes */0']);
    }
    expect(serveDir(get('/empty.txt', { Range: 'bytes=-1' }), root)?.status).toBe(200);
  });

  it('sends the whole file for a Range given twice, and to HEAD', () => {
    const root = folderWith(files);
    expect(serveDir(get('/small.txt', { Range: ['bytes=0-1', 'bytes=0-1'] }), root)?.status).toBe(200);
    expect(serveDir(get('/small.txt', { Range: 'bytes=0-1' }, 'HEAD'), root)?.status).toBe(200);
  });

  it('asks the conditions first (§13.2.2)', () => {
    const root = folderWith(files);
    const etag = serveDir(get('/small.txt'), root)?.header('etag') ?? '';
    expect(serveDir(get('/small.txt', { Range: 'bytes=0-1', 'If-None-Match': etag }), root)?.status).toBe(304);
    expect(serveDir(get('/small.txt', { Range: 'bytes=0-1', 'If-Match': '"x"' }), root)?.status).toBe(412);
    expect(serveDir(get('/small.txt', { Range: 'bytes=0-1', 'If-Match': etag }), root)?.status).toBe(206);
  });

  it('cuts one range out of a precompressed file as it lies there, and does not send several (§8.4)', () => {
    const root = folderWith(files);
    const asked = (range: string): Response | undefined => serveDir(get('/code.js', { Range: range, 'Accept-Encoding': 'gzip' }), root);
    const one = asked('bytes=2-4');
    expect([one?.status, one?.text(), one?.header('content-encoding'), one?.header('content-range')]).toEqual([
      206,
      '234',
      'gzip',
      'bytes 2-4/10',
    ]);
    expect([asked('bytes=0-1,4-5')?.status, asked('bytes=0-1,4-5')?.text()]).toEqual([200, '0123456789']);
  });

  it('gives all of the file, byte for byte, in whatever ranges it is asked for', async () => {
    const root = folderWith(files);
    const { port } = await serve((request) => serveDir(request, root) ?? Response.empty(404));
    const client = await talk(port);
    const place = fc.integer({ min: 0, max: CONTENT.length - 1 });
    let asked = 0;
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(place, { minLength: 2, maxLength: 6 }), async (places) => {
        const sorted = places.toSorted((a, b) => a - b);
        const ranges = sorted.flatMap((from, i) =>
          i % 2 === 0 && sorted[i + 1] !== undefined ? [[from, sorted[i + 1] ?? 0] as const] : [],
        );
        client.send(`GET /large.bin HTTP/1.1\r\nHost: a\r\nRange: bytes=${ranges.map((range) => range.join('-')).join(',')}\r\n\r\n`);
        asked++;
        const answer = (await client.answers(asked)).at(-1) as Answer;
        const expected = ranges.map(([from, to]) => CONTENT.slice(from, to + 1));
        const bodies =
          ranges.length === 1 ? [answer.body] : partsOf(answer.headers['content-type'] ?? '', answer.body).map(({ content }) => content);
        expect(answer.status).toBe(206);
        expect(bodies).toEqual(expected);
      }),
      { numRuns: 25 },
    );
    client.end();
    await client.closed();
    await allClosedBelow(root);
  });
});

describe('If-Range (RFC 9110 §13.1.5)', () => {
  const status = (root: string, value: string | string[]): number | undefined =>
    serveDir(get('/small.txt', { Range: 'bytes=0-1', 'If-Range': value }), root)?.status;

  it('lets a part be sent of the version that the client has, by a strong tag or the very date', () => {
    const root = folderWith(files);
    const etag = serveDir(get('/small.txt'), root)?.header('etag') ?? '';
    expect([status(root, etag), status(root, WRITTEN)]).toEqual([206, 206]);
  });

  it.each(['"other"', '"a", "b"', 'Wed, 01 Jan 2020 00:00:01 GMT', 'Tue, 31 Dec 2019 23:59:59 GMT', 'yesterday', '', '*'])(
    'has the whole file sent for %j',
    (value) => {
      expect(status(folderWith(files), value)).toBe(200);
    },
  );

  it('has the whole file sent for a weak tag, for one that is given twice, and instead of a 416', () => {
    const root = folderWith(files);
    const etag = serveDir(get('/small.txt'), root)?.header('etag') ?? '';
    expect([status(root, `W/${etag}`), status(root, [etag, etag])]).toEqual([200, 200]);
    expect(serveDir(get('/small.txt', { Range: 'bytes=5000-', 'If-Range': '"x"' }), root)?.status).toBe(200);
  });

  it('has the whole file sent that was written a moment ago: neither its tag nor its date is strong yet (§8.8.2.2)', () => {
    const root = folderWith({});
    writeAt(join(root, 'small.txt'), 'fresh', new Date());
    const { headers } = serveDir(get('/small.txt'), root) as Response;
    const { ETag = '', 'Last-Modified': date = '' } = Object.fromEntries(headers);
    expect([status(root, ETag), status(root, ETag.replace('W/', '')), status(root, date)]).toEqual([200, 200, 200]);
  });
});

describe('conditional with Response.file', () => {
  it('answers Range, If-Range and conditions as serveDir does', () => {
    const root = folderWith(files);
    const file = (): Response => Response.file(join(root, 'large.bin'));
    const ask = (headers: Record<string, string>, method = 'GET'): Response => conditional(get('/', headers, method), file());
    const etag = file().header('etag') ?? '';
    expect([etag, file().header('last-modified')]).toEqual([serveDir(get('/large.bin'), root)?.header('etag'), WRITTEN]);
    expect([ask({}).status, ask({}).header('accept-ranges')]).toEqual([200, 'bytes']);
    expect([ask({ 'If-None-Match': etag }).status, ask({ 'If-Match': '"x"' }).status]).toEqual([304, 412]);
    const part = ask({ Range: 'bytes=10-19', 'If-Range': etag });
    expect([part.status, part.header('content-range'), part.text()]).toEqual([206, 'bytes 10-19/200000', CONTENT.slice(10, 20)]);
    expect(ask({ Range: 'bytes=200000-' }).header('content-range')).toBe('bytes */200000');
    const several = ask({ Range: 'bytes=0-0,-1' });
    const parts = partsOf(several.header('content-type') ?? '', several.text() ?? '');
    expect(parts.map(({ content }) => content)).toEqual([CONTENT.slice(0, 1), CONTENT.slice(-1)]);
  });

  it('leaves ranges alone where there is no file, the status is not 200, the method is none that reads, or Accept-Ranges says none (§14.2, §14.3)', () => {
    const file = (): Response => Response.file(join(folderWith(files), 'small.txt'));
    const range = { Range: 'bytes=0-1' };
    expect(conditional(get('/', range), Response.text('abc')).status).toBe(200);
    expect(conditional(get('/', range), file().withStatus(203)).status).toBe(203);
    expect(conditional(get('/', range, 'POST'), file()).header('accept-ranges')).toBeUndefined();
    expect(conditional(get('/', range), file().withHeader('Accept-Ranges', 'none')).status).toBe(200);
  });

  it('sends parts over a connection, and holds no descriptor before and after', async () => {
    const root = folderWith(files);
    const answer = (request: Request): Response => conditional(request, Response.file(join(root, 'large.bin')));
    const { port } = await serve(answer);
    answer(get('/', { Range: 'bytes=1-150000' }));
    expect(openBelow(root)).toBe(0);
    const client = await talk(port);
    client.send(
      'GET / HTTP/1.1\r\nHost: a\r\nRange: bytes=1-150000\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nRange: bytes=0-0,70000-70001\r\nConnection: close\r\n\r\n',
    );
    const [one, two] = await client.answers(2);
    expect([one?.status, one?.headers['content-length'], one?.body === CONTENT.slice(1, 150_001)]).toEqual([206, '150000', true]);
    const parts = partsOf(two?.headers['content-type'] ?? '', two?.body ?? '');
    expect(parts.map(({ content }) => content)).toEqual([CONTENT.slice(0, 1), CONTENT.slice(70_000, 70_002)]);
    await client.closed();
    await allClosedBelow(root);
  });

  it('does not send a part of a file that was replaced meanwhile: the client has parts of the other (code stale-file)', async () => {
    const root = folderWith(files);
    const errors: unknown[] = [];
    const { port } = await serve(
      (request) => {
        const response = conditional(request, Response.file(join(root, 'large.bin')));
        writeFileSync(join(root, 'new'), CONTENT.toUpperCase());
        renameSync(join(root, 'new'), join(root, 'large.bin'));
        expect(() => response.bytes()).toThrow('the file has changed');
        return response;
      },
      { onError: (error) => void errors.push(error) },
    );
    const client = await talk(port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\nRange: bytes=0-99999\r\n\r\n');
    expect((await client.answers(1)).map(({ status }) => status)).toEqual([500]);
    expect(errors).toEqual([expect.objectContaining({ code: 'stale-file' })]);
    await allClosedBelow(root);
  });

  it('is a 500 when the file is gone by the time it is sent', async () => {
    const root = folderWith(files);
    const { port } = await serve(
      () => {
        const response = Response.file(join(root, 'large.bin'));
        rmSync(join(root, 'large.bin'));
        return response;
      },
      { onError: () => {} },
    );
    const client = await talk(port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await client.answers(1)).map(({ status }) => status)).toEqual([500]);
  });
});
