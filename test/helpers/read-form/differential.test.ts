/** What other people's encoders send, our reader gives back. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { FormData, Request as WebRequest } from 'undici';
import { afterAll, describe, expect, it } from 'vitest';
import { type FormPart, readFormParts } from '../../../src/helpers/read-form.ts';
import { Response } from '../../../src/index.ts';
import { inMemory, onDisk } from '../../support/forms.ts';
import { serve } from '../../support/serve.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'filrouge-curl-'));
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

type Entry = readonly [name: string, value: string] | readonly [name: string, filename: string, type: string, content: Uint8Array];

/** Text as a form may hold it: a control character in a name, a backslash (busboy unescapes it, browsers do not escape it) and what looks like an escape are left out. */
const text = fc.string({ unit: 'binary' }).map((value) => value.toWellFormed());
const name = text.map((value) => value.replace(/[\x00-\x1f\x7f\\]|%(?:22|0[AD])/gi, '')).filter((value) => value !== '');
const filename = name.map((value) => value.replaceAll('/', '_')).filter((value) => value !== '.' && value !== '..');
const content = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc
    .constantFrom('\r\n--', '--', '\r\n', '------formdata-undici-0', '\r\n------formdata-undici-0')
    .map((value) => new TextEncoder().encode(value)),
  fc.integer({ min: 65_000, max: 66_000 }).map((size) => new Uint8Array(size).fill(13)),
);
const entry: fc.Arbitrary<Entry> = fc.oneof(
  fc.tuple(name, text),
  fc.tuple(name, filename, fc.constantFrom('', 'text/plain', 'image/png', 'application/octet-stream'), content),
);

/** As the encoder of WHATWG HTML §4.10.22.7 brings it on the way. */
function expected(sent: Entry): unknown[] {
  if (sent.length === 2) return [sent[0], sent[1].replace(/\r\n|\r|\n/g, '\r\n')];
  return [sent[0], sent[1], sent[2] || 'application/octet-stream', Buffer.from(sent[3]).toString('base64')];
}

function received(part: FormPart): unknown[] {
  if (!('file' in part)) return [part.name, part.value];
  return [part.name, part.file.filename, part.file.contentType, part.file.bytes().toString('base64')];
}

async function encoded(entries: readonly Entry[]): Promise<{ type: string; body: Buffer }> {
  const form = new FormData();
  for (const one of entries) {
    if (one.length === 2) form.append(one[0], one[1]);
    else form.append(one[0], new File([Buffer.from(one[3])], one[1], { type: one[2] }));
  }
  const request = new WebRequest('http://a/', { method: 'POST', body: form });
  return { type: request.headers.get('content-type') ?? '', body: Buffer.from(await request.arrayBuffer()) };
}

describe('readFormParts and the encoders of others', () => {
  it('gives back what the FormData of undici sends', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 8 }), async (entries) => {
        const { type, body } = await encoded(entries);
        expect(readFormParts(inMemory(body, type)).map(received)).toEqual(entries.map(expected));
      }),
      { numRuns: 300 },
    );
  });

  it('gives back the same from disk', async () => {
    const large: Entry = ['f', 'large.bin', 'image/png', Buffer.alloc(500_000, '\r\n------formdata')];
    const { type, body } = await encoded([['a', '1'], large, ['b', 'été'], large]);
    const request = onDisk(body, type);
    expect(readFormParts(request).map(received)).toEqual([['a', '1'], expected(large), ['b', 'été'], expected(large)]);
    request.release();
  });

  it('gives back what URLSearchParams sends (WHATWG URL §5.2)', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { maxLength: 10 }), (pairs) => {
        const body = new URLSearchParams(pairs).toString();
        expect(readFormParts(inMemory(body, 'application/x-www-form-urlencoded')).map(received)).toEqual(pairs);
      }),
    );
  });

  it('reads any text as URLSearchParams does, with escapes and without, but keeps a question mark in front (WHATWG URL §5.1)', () => {
    const piece = fc.oneof(fc.constantFrom('&', '=', '+', '&&', '==', '%', '%41', '%C3%A9', '%zz', ' ', 'é', '?', '#', ';'), text);
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const body = pieces.join('');
        const expected = [...new URLSearchParams(`?${body.toWellFormed()}`)];
        fc.pre(!expected.flat().join('').includes('\ufffd')); // pieces may make an escape that is not UTF-8, `%` and `a0`: a 400 here
        expect(readFormParts(inMemory(Buffer.from(body), 'application/x-www-form-urlencoded')).map(received)).toEqual(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it('never throws anything but an HttpError 400 or 413 at mutated forms', async () => {
    const { type, body } = await encoded([
      ['a', '1'],
      ['f', 'x.txt', 'text/plain', Buffer.from('content')],
      ['b', 'été'],
    ]);
    const mutation = fc.array(fc.tuple(fc.nat(body.length - 1), fc.constantFrom(0, 10, 13, 34, 45, 58, 59, 61, 92, 195, 255)), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(mutation, fc.nat(body.length), (changes, end) => {
        const mutated = Buffer.from(body);
        for (const [at, byte] of changes) mutated[at] = byte;
        try {
          readFormParts(inMemory(mutated.subarray(0, end), type));
        } catch (error) {
          expect([400, 413]).toContain((error as { status?: number }).status);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('reads what curl -F sends through the server: text files, quotes and semicolons, a large file', async () => {
    const large = Buffer.alloc(1_000_000, 'large');
    writeFileSync(join(FOLDER, 'été "x".txt'), 'plain');
    writeFileSync(join(FOLDER, 'large.bin'), large);
    const { port } = await serve((request) => {
      const parts = readFormParts(request).map((part) => {
        if (!('file' in part)) return [part.name, part.value];
        const { filename, contentType, size } = part.file;
        return [part.name, filename, contentType, size, createHash('sha1').update(part.file.bytes()).digest('hex')];
      });
      return Response.json(parts);
    });
    const sha1 = (data: string | Buffer): string => createHash('sha1').update(data).digest('hex');
    const fields = [
      'text=a b&c',
      'empty=',
      'file=@été "x".txt',
      'file=@large.bin;type=image/png',
      'quoted=@large.bin;filename="a;b=\\"c\\".bin"',
    ];
    const { stdout } = await promisify(execFile)(
      'curl',
      ['-sS', ...fields.flatMap((field) => ['-F', field]), `http://127.0.0.1:${port}/`],
      { cwd: FOLDER },
    );
    expect(JSON.parse(stdout)).toEqual([
      ['text', 'a b&c'],
      ['empty', ''],
      ['file', 'été "x".txt', 'text/plain', 5, sha1('plain')],
      ['file', 'large.bin', 'image/png', large.length, sha1(large)],
      ['quoted', 'a;b="c".bin', 'application/octet-stream', large.length, sha1(large)],
    ]);
  });
});
