import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import * as zlib from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { BATCH, Batches } from '../../../src/helpers/compress/batches.ts';
import { isCompressible } from '../../../src/helpers/compress/compressible.ts';
import { jobs } from '../../../src/helpers/compress/jobs.ts';
import { type CompressOptions, compress } from '../../../src/helpers/compress.ts';
import { conditional } from '../../../src/helpers/conditional.ts';
import { Request, Response, secureHeaders, serveDir } from '../../../src/index.ts';
import { folderWith } from '../serve-dir/folder.ts';

type Coding = 'br' | 'zstd' | 'gzip';
/** The types are those of Node 20. */
const { zstdDecompressSync } = zlib as unknown as { zstdDecompressSync?: (bytes: Uint8Array) => Buffer };
const HERE: readonly Coding[] = zstdDecompressSync ? ['br', 'zstd', 'gzip'] : ['br', 'gzip'];
const DECODE: Record<Coding, (bytes: Uint8Array) => Buffer> = {
  br: zlib.brotliDecompressSync,
  gzip: zlib.gunzipSync,
  zstd: (bytes) => (zstdDecompressSync as (bytes: Uint8Array) => Buffer)(bytes),
};

const TEXT = 'A page that says what it says. '.repeat(20);
const LARGE = 'A page that says what it says, at some length. '.repeat(2000);
const page = (): Response => Response.html(TEXT);

const asking = (codings: string | string[], method = 'GET'): Request => new Request({ method, headers: { 'Accept-Encoding': codings } });
const codingFor = (codings: string | string[], response = page(), options?: CompressOptions): string | undefined =>
  compress(asking(codings), response, options).header('content-encoding');
const decoded = async (response: Response): Promise<string> =>
  DECODE[response.header('content-encoding') as Coding](await response.collect()).toString();

describe('the coding', () => {
  it.each([
    ['gzip, deflate, br', 'br'],
    ['gzip', 'gzip'],
    ['x-gzip', 'gzip'],
    ['GZIP', 'gzip'],
    ['*', 'br'],
    ['br;q=0, *', HERE[1]],
    ['br;q=0.5, gzip', 'gzip'],
    ['br;q=0.5, gzip;q=0.5', 'br'],
    ['gzip;q=0.001', 'gzip'],
    ['gzip;q=0', undefined],
    ['gzip;q=0.5, identity', undefined],
    ['gzip;q=0.5, identity;q=0.5', 'gzip'],
    ['gzip;q=0.5, identity;q=0', 'gzip'],
    ['identity', undefined],
    ['deflate', undefined],
    ['compress', undefined],
    ['', undefined],
    [`${'x, '.repeat(2000)}gzip`, undefined],
  ])('for Accept-Encoding %j is %s (RFC 9110 §12.5.3)', (codings, expected) => {
    expect(codingFor(codings)).toBe(expected);
  });

  it('is there for SVG, which is text, unlike other images', () => {
    expect(codingFor('gzip, br', Response.svg(`<svg>${' '.repeat(300)}</svg>`))).toBe('br');
  });

  it('is none without Accept-Encoding', () => {
    expect(compress(new Request(), page()).header('content-encoding')).toBeUndefined();
  });

  it('is chosen by all lines of the field', () => {
    expect(codingFor(['br;q=0.1', 'gzip'])).toBe('gzip');
  });

  it('is zstd only where node:zlib has it', () => {
    expect(codingFor('zstd')).toBe(zstdDecompressSync ? 'zstd' : undefined);
    expect(codingFor('zstd, gzip;q=0.5')).toBe(zstdDecompressSync ? 'zstd' : 'gzip');
  });

  it('of events is gzip when all are equally welcome', () => {
    const events = (): Response => Response.events((async function* () {})());
    expect(codingFor('gzip, deflate, br, zstd', events())).toBe('gzip');
    expect(codingFor('gzip;q=0.9, br', events())).toBe('br');
    expect(codingFor('gzip, br', events(), { encodings: ['br', 'gzip'] })).toBe('br');
  });

  it('is one of `encodings`, in their order', () => {
    expect(codingFor('gzip, br', page(), { encodings: ['gzip', 'br'] })).toBe('gzip');
    expect(codingFor('gzip, br;q=0.9', page(), { encodings: ['br'] })).toBe('br');
    expect(codingFor('br', page(), { encodings: ['gzip'] })).toBeUndefined();
  });
});

describe('left alone, without Vary', () => {
  const bytes = Buffer.from(LARGE);
  it.each<[string, Response]>([
    ['no body', Response.empty()],
    ['a body below 256 bytes', Response.text('x'.repeat(255))],
    ['a stream that says that it is below', Response.stream('text/plain', ['x'], 1)],
    ['a stream whose Content-Length says so', Response.stream('text/plain', ['x']).withHeader('Content-Length', '1')],
    ['an image', Response.bytes('image/png', bytes)],
    ['a film', Response.bytes('video/mp4', bytes)],
    ['a song', Response.bytes('audio/mpeg', bytes)],
    ['an archive', Response.bytes('application/zip', bytes)],
    ['another archive', Response.bytes('application/gzip', bytes)],
    ['a type that says nothing', Response.bytes('application/octet-stream', bytes)],
    ['no type', new Response(bytes)],
    ['a malformed type', Response.bytes('text', bytes)],
    ['a coded body', page().withHeader('Content-Encoding', 'br')],
    ['a part by Content-Range', page().withHeader('Content-Range', 'bytes 0-9/100')],
    ['a digest of the bytes (RFC 9530)', page().withHeader('Content-Digest', 'sha-256=:AA==:')],
    ['no-transform (RFC 9111 §5.2.2.6)', page().withHeader('Cache-Control', 'public, No-Transform, max-age=1')],
    ['no-transform in a second line', page().withNoCache().withAddedHeader('Cache-Control', 'no-transform')],
    ['an upgrade', Response.upgrade('echo', () => {}, { 'Content-Type': 'text/plain' })],
  ])('%s', (_, response) => {
    expect(compress(asking('gzip, br'), response)).toBe(response);
  });

  it('as many bytes as minSize are enough, counted as UTF-8', () => {
    expect(codingFor('gzip', Response.text('x'.repeat(256)))).toBe('gzip');
    expect(codingFor('gzip', Response.text('é'.repeat(128)))).toBe('gzip');
    expect(codingFor('gzip', Response.text('x'.repeat(30)), { minSize: 30 })).toBe('gzip');
    expect(codingFor('gzip', Response.text('é'.repeat(6000)), { minSize: 10_000 })).toBe('gzip');
    expect(codingFor('gzip', Response.bytes('text/plain', Buffer.alloc(29)), { minSize: 30 })).toBeUndefined();
  });
});

describe('the head', () => {
  it('has Vary also when this client gets the body as it is (RFC 9110 §12.5.5)', () => {
    for (const codings of ['identity', 'gzip']) expect(compress(asking(codings), page()).header('vary')).toBe('Accept-Encoding');
  });

  it('keeps what Vary says already', () => {
    const vary = (value: string): string | undefined => compress(asking('gzip'), page().withHeader('Vary', value)).header('vary');
    expect(vary('Origin')).toBe('Origin, Accept-Encoding');
    expect(vary('accept-encoding')).toBe('accept-encoding');
    expect(vary('*')).toBe('*');
    const lines = page().withAddedHeader('Vary', 'Origin').withAddedHeader('Vary', 'Cookie');
    expect(compress(asking('gzip'), lines).header('vary')).toBe('Origin, Cookie, Accept-Encoding');
  });

  it('has a weak ETag when it had a strong one (RFC 9110 §8.8.1), but not where the body stays as it is', () => {
    const tag = (codings: string, etag: string): string | undefined =>
      compress(asking(codings), page().withHeader('ETag', etag)).header('etag');
    expect(tag('gzip', '"v1"')).toBe('W/"v1"');
    expect(tag('gzip', 'W/"v1"')).toBe('W/"v1"');
    expect(tag('identity', '"v1"')).toBe('"v1"');
  });

  it('of a 304 has the weak ETag for whom was given the weak one (RFC 9110 §15.4.5)', () => {
    const again = (tag: string): Response => {
      const request = new Request({ headers: { 'If-None-Match': tag, 'Accept-Encoding': 'gzip' } });
      return compress(request, conditional(request, page().withEtag('v1')));
    };
    expect([again('W/"v1"').status, again('W/"v1"').header('etag'), again('W/"v1"').header('vary')]).toEqual([
      304,
      'W/"v1"',
      'Accept-Encoding',
    ]);
    expect([again('"v1"').status, again('"v1"').header('etag')]).toEqual([304, '"v1"']);
  });

  it.each([
    ['text', page, 'Accept-Encoding'],
    ['a large text', () => Response.text(LARGE), 'Accept-Encoding'],
    ['a file', () => Response.file('package-lock.json'), 'Accept-Encoding'],
    ['a stream', () => Response.stream('text/plain', [TEXT]), 'Accept-Encoding'],
    ['text in a coding of its own', () => page().withHeader('Content-Encoding', 'br'), undefined],
    ['text that is not to be transformed', () => page().withHeader('Cache-Control', 'no-transform'), undefined],
    ['an image', () => Response.bytes('image/png', Buffer.from(TEXT)), undefined],
    ['a short text', () => Response.text('short'), undefined],
    ['nothing', () => Response.empty(200), undefined],
  ])('of a 304 has the Vary of the 200, also where other helpers come between: %s (RFC 9110 §15.4.5)', (_, make, vary) => {
    const answerTo = (headers: Record<string, string>): Response => {
      const request = new Request({ headers: { 'Accept-Encoding': 'gzip', ...headers } });
      return compress(request, secureHeaders(request, conditional(request, make().withEtag('v1'))));
    };
    expect([answerTo({}).status, answerTo({}).header('vary')]).toEqual([200, vary]);
    for (const tag of ['"v1"', '*']) {
      const again = answerTo({ 'If-None-Match': tag });
      expect([again.status, again.header('vary'), again.header('content-type')]).toEqual([304, vary, undefined]);
    }
  });

  it.each([
    ['package-lock.json', 'application/json', 'Accept-Encoding'],
    ['package-lock.json', 'image/png', undefined],
    ['.gitignore', 'text/plain', undefined], // fewer than 256 bytes
  ])('of a 206 has the Vary of the 200, for one range and for several: %s as %s (RFC 9110 §15.3.7)', (path, type, vary) => {
    const answerTo = (headers: Record<string, string>): Response => {
      const request = new Request({ headers: { 'Accept-Encoding': 'gzip', ...headers } });
      return compress(request, conditional(request, Response.file(path, type)));
    };
    expect(answerTo({}).header('vary')).toBe(vary);
    for (const Range of ['bytes=0-9', 'bytes=0-1,4-5']) {
      const part = answerTo({ Range });
      expect([part.status, part.header('vary'), part.header('content-encoding')]).toEqual([206, vary, undefined]);
    }
  });

  it('of a 206 or 304 has the Vary of the 200 also where the file is read here and now, as `serveDir` does', () => {
    const root = folderWith({ 'page.html': TEXT, 'image.png': TEXT });
    const varyOf = (target: string, headers: Record<string, string>): unknown => {
      const request = new Request({ target, headers });
      const response = compress(request, serveDir(request, root) as Response);
      return [response.status, response.header('vary')];
    };
    for (const [target, vary] of [
      ['/page.html', 'Accept-Encoding'],
      ['/image.png', undefined],
    ] as const) {
      expect(varyOf(target, {})).toEqual([200, vary]);
      expect(varyOf(target, { 'If-None-Match': '*' })).toEqual([304, vary]);
      expect(varyOf(target, { Range: 'bytes=0-9' })).toEqual([206, vary]);
    }
  });

  it('of a 206 or 304 that came from elsewhere has Vary unless its type says that it needs none', () => {
    const varyOf = (response: Response): string | undefined => compress(asking('gzip'), response).header('vary');
    expect(varyOf(Response.empty(304))).toBe('Accept-Encoding');
    expect(varyOf(page().withStatus(206).withHeader('Content-Range', 'bytes 0-9/1000'))).toBe('Accept-Encoding');
    expect(varyOf(page().withStatus(206).withHeader('Content-Encoding', 'br'))).toBeUndefined();
    expect(varyOf(page().withStatus(206).withType('image/png'))).toBeUndefined();
  });

  it('announces neither the old length nor ranges', () => {
    const file = conditional(asking('gzip'), Response.file('package-lock.json')).withHeader('Content-Length', '1');
    expect(file.header('accept-ranges')).toBe('bytes');
    const compressed = compress(asking('gzip'), file);
    expect([compressed.header('content-length'), compressed.header('accept-ranges')]).toEqual([undefined, undefined]);
  });

  it('keeps status, type, cookies and the rest', () => {
    const response = page().withStatus(404).withCookie('a', '1').withCookie('b', '2');
    const compressed = compress(asking('gzip'), response);
    expect(compressed.status).toBe(404);
    expect(compressed.headers.filter(([name]) => !/^(?:vary|content-encoding)$/i.test(name))).toEqual(response.headers);
  });
});

describe('the body', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 3000 }).map((one) => one.repeat(9));
  const noise = fc.uint8Array({ maxLength: 60_000 }).map((one) => Buffer.concat([one, one]));
  const pieces = fc.array(fc.oneof(text, noise), { maxLength: 12 });
  const kinds = fc.oneof(
    text.map((one) => ({ body: one, whole: Buffer.from(one) })),
    noise.map((one) => ({ body: one, whole: one })),
    pieces.map((all) => ({ body: all, whole: Buffer.concat(all.map((one) => Buffer.from(one as string))) })),
    pieces.map((all) => ({ body: slowly(all), whole: Buffer.concat(all.map((one) => Buffer.from(one as string))) })),
    pieces.map((all) => ({ body: piped(all), whole: Buffer.concat(all.map((one) => Buffer.from(one as string))) })),
  );

  it('is the same after decoding, whatever it is, its coding, level and pieces', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        kinds,
        fc.constantFrom(...HERE),
        fc.option(fc.integer({ min: 1, max: 9 })),
        async ({ body, whole }, coding, level) => {
          const response = Response.stream('text/plain', body);
          const compressed = compress(asking(coding), response, { minSize: 1, ...(level === null ? {} : { level }) });
          const isCoded = compressed.header('content-encoding') === coding;
          const bytes = await compressed.collect();
          expect((isCoded ? DECODE[coding](bytes) : bytes).equals(whole)).toBe(true);
          if (!isCoded) expect(typeof body === 'string' || body instanceof Uint8Array).toBe(true); // it would have become larger
        },
      ),
      { numRuns: 150 },
    );
  });

  it.each(HERE)('in %s is smaller than before', async (coding) => {
    for (const response of [Response.text(TEXT), Response.text(LARGE), Response.stream('text/plain', [LARGE])]) {
      const whole = response.text() ?? LARGE;
      const compressed = await compress(asking(coding), response).collect();
      expect(compressed.length).toBeLessThan(whole.length / 4);
      expect(DECODE[coding](compressed).toString()).toBe(whole);
    }
  });

  it('of up to 8 KiB is sent as it is when coding would make it larger', () => {
    const noise = randomBytes(300);
    const compressed = compress(asking('gzip'), Response.bytes('text/plain', noise));
    expect([compressed.header('content-encoding'), compressed.header('vary')]).toEqual([undefined, 'Accept-Encoding']);
    expect(compressed.bytes()).toEqual(noise);
  });

  it('can be a file, and many pieces in any of which characters are cut', async () => {
    const file = compress(asking('br'), Response.file('package-lock.json', 'application/json'));
    expect(await decoded(file)).toBe(Response.file('package-lock.json').text());
    const bytes = Buffer.from('é€😀'.repeat(200));
    expect(
      await decoded(
        compress(
          asking('gzip'),
          Response.stream(
            'text/plain',
            Array.from(bytes, (byte) => Uint8Array.of(byte)),
          ),
        ),
      ),
    ).toBe('é€😀'.repeat(200));
  });

  it('of a long text has its characters whole, wherever it is cut, and lone surrogates as U+FFFD', async () => {
    for (const text of ['😀'.repeat(40_000), `x${'😀'.repeat(40_000)}`, `${'\ud83d'.repeat(40_000)}x`]) {
      expect(await decoded(compress(asking('gzip'), Response.text(text)))).toBe(text.toWellFormed());
    }
  });

  it('tries harder at a higher level', async () => {
    const file = Response.file('package-lock.json', 'application/json');
    const size = async (level: number): Promise<number> => (await compress(asking('gzip'), file, { level }).collect()).length;
    expect(await size(9)).toBeLessThan(await size(1));
  });

  it('is not touched for HEAD: the source is never asked, and is let go of', async () => {
    let isAsked = false;
    const source = {
      isLetGo: false,
      [Symbol.asyncIterator]() {
        isAsked = true;
        return { next: () => Promise.resolve({ done: true as const, value: undefined }) };
      },
      destroy() {
        this.isLetGo = true;
      },
    };
    const compressed = compress(asking('gzip', 'HEAD'), Response.stream('text/plain', source));
    expect(compressed.header('content-encoding')).toBe('gzip');
    compressed.dispose();
    expect([isAsked, source.isLetGo]).toEqual([false, true]);
  });

  it('can be sent once when it is a stream, and again when it is not', async () => {
    const stream = Response.stream(
      'text/plain',
      (function* () {
        yield LARGE;
      })(),
    );
    await compress(asking('gzip'), stream).collect();
    await expect(compress(asking('gzip'), stream).collect()).rejects.toThrow('its stream has been sent before');
    const array = Response.stream('text/plain', [LARGE]);
    expect(await decoded(compress(asking('gzip'), array))).toBe(await decoded(compress(asking('br'), array)));
  });
});

describe('a source that fails', () => {
  it('has what it gave before arrive, then the failure', async () => {
    const source = (function* () {
      yield LARGE;
      yield 'the last words';
      throw new Error('The source has failed');
    })();
    const { pieces, error } = await piecesOf(compress(asking('gzip'), Response.stream('text/plain', source)));
    expect(error).toBe('The source has failed');
    const stream = zlib.createGunzip();
    const parts: Buffer[] = [];
    stream.on('data', (bytes: Buffer) => parts.push(bytes));
    await new Promise((resolve) => stream.write(pieces, resolve));
    await new Promise((resolve) => stream.flush(() => resolve(undefined)));
    expect(Buffer.concat(parts).toString()).toBe(`${LARGE}the last words`);
  });

  it.each([
    ['more', 999, 'gave more than the 999 bytes'],
    ['fewer', 1001, 'gave 1000 of the 1001 bytes'],
  ])('gives %s bytes than announced', async (_, size, message) => {
    const { error } = await piecesOf(compress(asking('gzip'), Response.stream('text/plain', ['x'.repeat(1000)], size)));
    expect(error).toContain(message);
  });

  it('gives something else than bytes and text', async () => {
    const { error } = await piecesOf(compress(asking('gzip'), Response.stream('text/plain', [TEXT, 5] as unknown as string[])));
    expect(error).toContain('its stream gave number, not bytes or text');
  });

  it('cannot be opened, since the file has gone', async () => {
    const path = join(tmpdir(), `filrouge-test-${process.pid}.txt`);
    writeFileSync(path, LARGE);
    const file = Response.file(path);
    rmSync(path);
    const { error } = await piecesOf(compress(asking('gzip'), file));
    expect(error).toContain('ENOENT');
  });

  it('leaves no turn taken', async () => {
    await piecesOf(compress(asking('gzip'), Response.stream('text/plain', ['x'.repeat(1000)], 999)));
    expect(jobs()).toEqual({ running: 0, waiting: 0 });
  });
});

describe('a source that never pauses', () => {
  it('has its pieces wait for each other for 20 ms at most, and 64 KiB', async () => {
    let now = 1000;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
    onTestFinished(() => clock.mockRestore());
    const letters = (step: number) =>
      (function* () {
        for (;;) {
          now += step;
          yield 'x'.repeat(1000);
        }
      })();
    const slow = new Batches(letters(5));
    expect((await slow.next())?.length).toBe(6000);
    expect((await slow.next())?.length).toBe(6000);
    const fast = new Batches(letters(0));
    expect((await fast.next())?.length).toBe(BATCH);
    expect((await fast.next())?.length).toBe(BATCH);
  });

  it('does not count the time that it took to the first piece', async () => {
    const batches = new Batches(slowly(['first', 'second']));
    const clock = vi.spyOn(performance, 'now');
    onTestFinished(() => clock.mockRestore());
    clock.mockReturnValueOnce(0).mockReturnValue(60_000);
    expect((await batches.next())?.toString()).toBe('firstsecond');
  });
});

describe('many at a time', () => {
  it('are compressed two pieces at a time, and all of them get done', async () => {
    let most = 0;
    const watched = async (response: Response): Promise<number> => {
      let count = 0;
      for await (const piece of iterate(response)) {
        count += piece.length;
        most = Math.max(most, jobs().running);
      }
      return count;
    };
    const sizes = await Promise.all(
      Array.from({ length: 20 }, (_, index) => watched(compress(asking('gzip'), Response.text(`${index}${LARGE}`)))),
    );
    expect(most).toBe(2);
    expect(Math.min(...sizes)).toBeGreaterThan(0);
    expect(jobs()).toEqual({ running: 0, waiting: 0 });
  });
});

describe('a Response that is used again and again', () => {
  it.each([
    ['a short text', TEXT],
    ['a long text', LARGE],
  ])('with %s is compressed once, and is then there whole', async (_, text) => {
    const constant = Response.html(text).withEtag('v1');
    for (let use = 0; use < 2; use++) await compress(asking('br'), constant).collect();
    const third = compress(asking('br'), constant);
    expect(compress(asking('br'), constant)).toBe(third);
    expect(third.bytes()?.length).toBeLessThan(text.length);
    expect(third.headers).toEqual(compress(asking('br'), Response.html(text).withEtag('v1')).headers);
    expect(await decoded(third)).toBe(text);
  });

  it('is kept apart by coding and level', async () => {
    const constant = Response.html(LARGE);
    for (let use = 0; use < 3; use++) {
      for (const coding of HERE) expect(await decoded(compress(asking(coding), constant))).toBe(LARGE);
      await compress(asking('gzip'), constant, { level: 1 }).collect();
    }
    expect(compress(asking('gzip'), constant, { level: 1 })).not.toBe(compress(asking('gzip'), constant));
    expect(compress(asking('identity'), constant).header('content-encoding')).toBeUndefined();
    expect(compress(asking('gzip'), constant, { minSize: LARGE.length + 1 })).toBe(constant);
  });

  it('is not kept when it is bytes, which may change', async () => {
    const bytes = Buffer.from(TEXT);
    const constant = Response.bytes('text/plain', bytes);
    for (let use = 0; use < 3; use++) compress(asking('gzip'), constant);
    bytes.fill(0x78);
    expect(await decoded(compress(asking('gzip'), constant))).toBe('x'.repeat(bytes.length));
  });
});

describe('options', () => {
  it.each<[string, unknown, string]>([
    ['something else', 5, 'options is number, not an object'],
    ['null', null, 'options is null, not an object'],
    ['an unknown name', { quality: 4 }, 'unknown option "quality"'],
    ['a negative minSize', { minSize: -1 }, 'minSize is -1, not a whole number of bytes from 0 on'],
    ['a minSize that is text', { minSize: '1kb' }, 'minSize is string, not a number'],
    ['no encodings', { encodings: [] }, 'encodings is empty or not a list'],
    ['encodings that are not a list', { encodings: 'gzip' }, 'encodings is empty or not a list'],
    ['an unknown encoding', { encodings: ['gzip', 'deflate'] }, 'encodings has "deflate", which is not "br", "zstd" or "gzip"'],
    ['level 0', { level: 0 }, 'level is 0, not a whole number from 1 to 9'],
    ['level 10', { level: 10 }, 'level is 10, not'],
    ['half a level', { level: 4.5 }, 'level is 4.5, not'],
  ])('that are wrong are refused with code bad-option, whatever the response: %s', (_, options, message) => {
    expect(() => compress(asking('gzip'), Response.empty(), options as CompressOptions)).toThrow(
      expect.objectContaining({ code: 'bad-option', message: expect.stringContaining(message) as string }),
    );
  });
});

describe('types that become smaller', () => {
  /** Said to be compressible by mime-db, not by us: images of disks, and what says nothing. */
  const LEFT_OUT = /^application\/(?:octet-stream|x-virtualbox-\w+)$/;
  const database = createRequire(import.meta.url)('mime-db') as Record<string, { compressible?: boolean }>;

  it('are all that mime-db says to be compressible, but images of disks and what says nothing', () => {
    const missing = Object.entries(database).filter(
      ([type, { compressible }]) => compressible && !isCompressible(type) && !LEFT_OUT.test(type),
    );
    expect(missing.map(([type]) => type)).toEqual([]);
  });

  it('are none that mime-db says not to be', () => {
    const wrong = Object.entries(database).filter(([type, { compressible }]) => compressible === false && isCompressible(type));
    expect(wrong.map(([type]) => type)).toEqual([]);
  });

  it('are known with parameters and in any case, and also by suffix', () => {
    for (const type of ['TEXT/html; charset=utf-8', 'application/vnd.api+json', 'image/svg+xml', 'text/event-stream']) {
      expect(isCompressible(type)).toBe(true);
    }
  });
});

/** A body in pieces that come one turn of the event loop after another, some of them empty. */
async function* slowly(pieces: readonly (string | Uint8Array)[]): AsyncGenerator<string | Uint8Array> {
  for (const [index, piece] of pieces.entries()) {
    if (index % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
    if (index % 5 === 0) yield '';
    yield piece;
  }
}

function piped(pieces: readonly (string | Uint8Array)[]): PassThrough {
  const stream = new PassThrough();
  for (const piece of pieces) stream.write(piece);
  stream.end();
  return stream;
}

function iterate(response: Response): AsyncIterable<Uint8Array> {
  return (response.content as unknown as { take(): AsyncIterable<Uint8Array> }).take();
}

/** What arrives of a body, and why it ended too early. */
async function piecesOf(response: Response): Promise<{ pieces: Buffer; error: string | undefined }> {
  const pieces: Uint8Array[] = [];
  try {
    for await (const piece of iterate(response)) pieces.push(piece);
  } catch (error) {
    return { pieces: Buffer.concat(pieces), error: (error as Error).message };
  }
  return { pieces: Buffer.concat(pieces), error: undefined };
}
