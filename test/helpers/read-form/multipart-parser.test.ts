import { Readable } from 'node:stream';
import busboy from 'busboy';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MultipartParser, type PartSink } from '../../../src/helpers/read-form/multipart-parser.ts';
import { parsePartHead } from '../../../src/helpers/read-form/part-head.ts';
import { HttpError } from '../../../src/index.ts';
import { cutsOf, randomOf } from '../../fuzz/corpus.mjs';
import { checkInvariant, piecesOf } from '../../fuzz/feed.mjs';
import { createFormFeed, formOf } from '../../fuzz/forms.mjs';
import { failure } from '../../support/forms.ts';

/** The seed of a day finds what the seed of another does not; a failure prints the input itself. */
const SEED = Number(process.env['FUZZ_SEED'] ?? Math.floor(Date.now() / 86_400_000));

interface Transcript {
  readonly parts: readonly { readonly name: string; readonly filename?: string; readonly type: string; readonly content: string }[];
  readonly error: string | undefined;
}

const feed = createFormFeed({ MultipartParser, parsePartHead, HttpError }) as (pieces: readonly string[]) => Transcript;

/** What a form holds: name, filename and content of each part; or the status of the error. */
function read(text: string): unknown {
  const { parts, error } = feed([text]);
  return error?.slice(0, 3) ?? parts.map(({ name, filename, content }) => [name, filename, content]);
}

const HEAD = 'Content-Disposition: form-data; name="a"\r\n';

describe('MultipartParser (RFC 2046 §5.1.1)', () => {
  it('reads a form in the same way wherever it is cut, and byte by byte', () => {
    const text = `before\r\n--b \t\r\n${HEAD}\r\n1\r\n--\r\n-\r\n--b\r\n${HEAD}X: y\r\n\r\n--b\r\n${HEAD}\r\n\r\n--b--\t\r\nafter\r\n--b\r\n`;
    const whole = feed([text]);
    expect(whole.parts.map(({ content }) => content)).toEqual(['1\r\n--\r\n-', '', '']);
    expect(whole.error).toBeUndefined();
    for (let cut = 1; cut < text.length; cut++) expect(feed(piecesOf(text, [cut]))).toEqual(whole);
    expect(feed(text.split(''))).toEqual(whole);
  });

  it.each([
    ['takes blanks and tabs behind a boundary', `--b \t \r\n${HEAD}\r\n1\r\n--b--  \r\n`, [['a', undefined, '1']]],
    [
      'ends a part without content at the line end of its head',
      `--b\r\n${HEAD}\r\n--b\r\n${HEAD}\r\n2\r\n--b--`,
      [
        ['a', undefined, ''],
        ['a', undefined, '2'],
      ],
    ],
    ['needs no line end behind the last boundary', `--b\r\n${HEAD}\r\n1\r\n--b--`, [['a', undefined, '1']]],
    ['does not take a boundary within a line for one', `--b\r\n${HEAD}\r\n1--b--\n--b\r\n--b--`, [['a', undefined, '1--b--\n--b']]],
    ['refuses text behind a boundary', `--bx\r\n${HEAD}\r\n1\r\n--b--`, '400'],
    ['refuses text behind blanks behind a boundary', `--b x\r\n${HEAD}\r\n1\r\n--b--`, '400'],
    ['refuses text behind a boundary that follows a part', `--b\r\n${HEAD}\r\n1\r\n--bx\r\n2\r\n--b--`, '400'],
    ['refuses text behind the last boundary', `--b\r\n${HEAD}\r\n1\r\n--b--x`, '400'],
    ['refuses a boundary that ends in a line feed alone', `--b\n${HEAD}\r\n1\r\n--b--`, '400'],
    ['refuses hyphens behind blanks', `--b\r\n${HEAD}\r\n1\r\n--b --\r\n`, '400'],
    ['refuses a head that the next boundary follows without an empty line', `--b\r\n${HEAD}--b\r\n${HEAD}\r\n2\r\n--b--`, '400'],
    ['refuses a form that ends behind a boundary', `--b\r\n${HEAD}\r\n1\r\n--b`, '400'],
    ['refuses a form that ends in the middle of the last line end', `--b\r\n${HEAD}\r\n1\r\n--b--\r`, '400'],
  ])('%s', (_, text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  it('bounds the head of a part at 16 KiB, in one piece or in many', () => {
    const head = (size: number): string => `--b\r\n${HEAD}X: ${'x'.repeat(size - HEAD.length - 5)}\r\n\r\n1\r\n--b--`;
    for (const text of [head(16 * 1024), head(16 * 1024 + 1)]) expect(feed(piecesOf(text, [16_390]))).toEqual(feed([text]));
    expect(read(head(16 * 1024))).toEqual([['a', undefined, '1']]);
    expect(read(head(16 * 1024 + 1))).toBe('413');
    expect(read(`--b\r\n${'x'.repeat(20_000)}`)).toBe('413');
  });

  it('passes content on as views, and holds back less than a boundary', () => {
    const piece = Buffer.from(`--b\r\n${HEAD}\r\n${'x'.repeat(1000)}`);
    const seen: Buffer[] = [];
    const sink: PartSink = { begin: () => {}, data: (bytes) => void seen.push(bytes), end: () => {} };
    new MultipartParser('b', sink).write(piece);
    expect(seen.map((bytes) => [bytes.buffer === piece.buffer, bytes.length])).toEqual([[true, 1000 - '\r\n--'.length]]);
  });

  it('says where in the form content lies, however it is cut', () => {
    const text = `--b\r\n${HEAD}\r\nfirst\r\n--\r\n--b\r\n${HEAD}\r\nsecond\r\n--b--`;
    for (let cut = 1; cut < text.length; cut++) {
      const sink: PartSink = {
        begin: () => {},
        data: (bytes, place) => expect(bytes.toString()).toBe(text.slice(place, place + bytes.length)),
        end: () => {},
      };
      const parser = new MultipartParser('b', sink);
      for (const piece of [text.slice(0, cut), text.slice(cut)]) parser.write(Buffer.from(piece));
      parser.end();
    }
  });

  it('stops at the first of 580,000 parts without a name', () => {
    let count = 0;
    const begin = (head: string): void => {
      count++;
      parsePartHead(head);
    };
    const sink: PartSink = { begin, data: () => {}, end: () => {} };
    const body = Buffer.from('--b\r\nX: y\r\n\r\n\r\n'.repeat(580_000));
    expect(failure(() => new MultipartParser('b', sink).write(body))).toMatchObject({ status: 400, code: 'bad-form' });
    expect(count).toBe(1);
  });

  it(`reads 30,000 random forms as parts or an HttpError, and the same however they are cut (seed ${SEED})`, { timeout: 60_000 }, () => {
    const random = randomOf(SEED);
    const verdicts = new Set<string>();
    for (let i = 0; i < 30_000; i++) {
      const text = formOf(random);
      const { error } = checkInvariant(feed, text, cutsOf(text.length, random)) as Transcript;
      verdicts.add(error?.slice(0, 3) ?? 'read');
    }
    expect(verdicts).toEqual(new Set(['read', '400', '413', '415']));
  });

  it('reads well-formed forms as busboy does', async () => {
    const letter = fc.constantFrom('a', 'é', '"', ' ', ';', '=', '%', '\\x', '[', '日');
    const quoted = fc.string({ unit: letter, minLength: 1, maxLength: 8 }).map((text) => text.replaceAll('"', '\\"'));
    const content = fc.oneof(
      fc.string({ unit: fc.constantFrom('\r', '\n', '-', '\r\n--', 'x') }),
      fc.string({ unit: 'binary' }).map((text) => text.toWellFormed()),
    );
    const part = fc.record({ name: quoted, filename: fc.option(quoted), blanks: fc.constantFrom('', ' ', '\t'), content });
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 6 }), async (parts) => {
        const boundary = 'x----boundary';
        const text = parts.map(({ name, filename, blanks, content }) => {
          const file = filename === null ? '' : `; filename="${filename}"`;
          return `--${boundary}\r\nContent-Disposition:${blanks}form-data; name="${name}"${file}\r\n\r\n${content}\r\n`;
        });
        const body = Buffer.from(`${text.join('')}--${boundary}--\r\n`);
        expect(await busboyReads(body, boundary)).toEqual(weRead(body, boundary));
      }),
      { numRuns: 500 },
    );
  });
});

function weRead(body: Buffer, boundary: string): unknown[] {
  const parts: unknown[] = [];
  let pieces: Buffer[] = [];
  let isFile = false;
  let name = '';
  const parser = new MultipartParser(boundary, {
    begin: (head) => void ({ isFile, name } = parsePartHead(head)),
    data: (bytes) => void pieces.push(bytes),
    end: () => {
      parts.push([isFile, name, Buffer.concat(pieces).toString()]);
      pieces = [];
    },
  });
  parser.write(body);
  parser.end();
  return parts;
}

async function busboyReads(body: Buffer, boundary: string): Promise<unknown[]> {
  const parts: [isFile: boolean, name: string, content: string][] = [];
  const parser = busboy({ headers: { 'content-type': `multipart/form-data; boundary=${boundary}` }, defParamCharset: 'utf8' });
  parser.on('field', (name, value) => parts.push([false, unescaped(name), value]));
  parser.on('file', (name, stream) => {
    const part: (typeof parts)[number] = [true, unescaped(name), ''];
    parts.push(part);
    const pieces: Buffer[] = [];
    stream.on('data', (bytes: Buffer) => void pieces.push(bytes)).on('end', () => void (part[2] = Buffer.concat(pieces).toString()));
  });
  await new Promise<void>((resolve, reject) => void Readable.from([body]).pipe(parser).on('close', resolve).on('error', reject));
  return parts;
}

/** As browsers escape (WHATWG HTML §4.10.22.7), of which busboy knows nothing. */
function unescaped(name: string): string {
  return name.replaceAll('%22', '"').replaceAll('%0D', '\r').replaceAll('%0A', '\n');
}
