import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeadCollector, type ScriptHead, ScriptHeadError } from '../../../src/helpers/cgi/script-head.ts';

/** Feeds a collector with pieces. @returns The head and all that came behind it, or what was wrong, or undefined when there is no end. */
function collect(pieces: readonly Buffer[]): { head: ScriptHead; body: string } | string | undefined {
  const collector = new HeadCollector();
  for (const [index, piece] of pieces.entries()) {
    try {
      const found = collector.add(piece);
      if (found) return { head: found.head, body: Buffer.concat([found.rest, ...pieces.slice(index + 1)]).toString('latin1') };
    } catch (error) {
      if (!(error instanceof ScriptHeadError)) throw error;
      return error.message;
    }
  }
  return undefined;
}

/** A text cut at every place, at one place, or nowhere. */
function cuts(text: string): Buffer[][] {
  const bytes = Buffer.from(text, 'latin1');
  const halves = Array.from(bytes, (_, at) => [bytes.subarray(0, at), bytes.subarray(at)]);
  return [[bytes], Array.from(bytes, (byte) => Buffer.from([byte])), ...halves];
}

const PIECE = fc.constantFrom(
  'Content-Type: a/b',
  'Status: 200',
  'Location: /x',
  ':',
  'X',
  '\n',
  '\r\n',
  '\r',
  ' ',
  'é',
  'HTTP/1.1 200 OK',
  '\0',
);

describe('the head of a script', () => {
  it.each([
    ['LF', 'Content-Type: a/b\nX-A: b\n\nbody\n\n'],
    ['CR LF', 'Content-Type: a/b\r\nX-A: b\r\n\r\nbody\n\n'],
    ['both', 'Content-Type: a/b\r\nX-A: b\n\r\nbody\n\n'],
    ['both, the other way', 'Content-Type: a/b\nX-A: b\r\n\nbody\n\n'],
  ])('ends with an empty line, with %s, however it is cut', (_, text) => {
    const expected = {
      head: {
        status: undefined,
        location: undefined,
        size: undefined,
        fields: [
          ['Content-Type', 'a/b'],
          ['X-A', 'b'],
        ],
        isLocationOnly: false,
      },
      body: 'body\n\n',
    };
    expect(cuts(text).map(collect)).toEqual(cuts(text).map(() => expected));
  });

  it('is no longer than 64 KiB, however it is cut', () => {
    const line = 'Content-Type: ';
    const fits = `${line}${'a'.repeat(65_536 - line.length - 2)}\n\n`;
    const pieces = (text: string): Buffer[] => (text.match(/[\s\S]{1,1000}/g) ?? []).map((piece) => Buffer.from(piece));
    expect(collect(pieces(fits))).toMatchObject({ body: '' });
    expect(collect(pieces(`${line}a${fits.slice(line.length)}`))).toBe('its head has more than 65536 bytes');
    expect(collect(pieces('a'.repeat(65_537)))).toBe('its head has more than 65536 bytes');
    expect(collect([Buffer.from(`Status: 200\n\n${'a'.repeat(200_000)}`)])).toMatchObject({ head: { status: 200 } });
  });

  it('gives the same result or the same error for every cut of any text', () => {
    fc.assert(
      fc.property(fc.array(PIECE, { maxLength: 12 }), (parts) => {
        const text = parts.join('');
        const results = cuts(text).map(collect);
        expect(results).toEqual(results.map(() => results[0]));
      }),
      { numRuns: 300 },
    );
  });

  it('gives only fields that can be sent, of whatever bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(PIECE, fc.string({ unit: 'binary', maxLength: 5 })), { maxLength: 12 }), (parts) => {
        const result = collect([Buffer.from(`Status: 200\n${parts.join('')}\n\n`, 'latin1')]);
        if (typeof result !== 'object') return;
        for (const [name, value] of result.head.fields) {
          expect(name).toMatch(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/);
          expect(value).toMatch(/^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/);
        }
      }),
      { numRuns: 300 },
    );
  });
});
