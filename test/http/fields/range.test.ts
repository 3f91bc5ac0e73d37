import fc from 'fast-check';
import rangeParser from 'range-parser';
import { describe, expect, it } from 'vitest';
import { type ByteRange, parseRange, serializeContentRange } from '../../../src/http/fields/range.ts';
import { cpuTime } from '../../support/cpu-time.ts';

/** Ranges as `first-last`, both included, as the field has them. */
function shown(value: string | undefined, size = 1000): string | undefined {
  const ranges = parseRange(value, size);
  return typeof ranges === 'object' ? ranges.map(({ start, end }) => `${start}-${end - 1}`).join(',') : ranges;
}

describe('parseRange (RFC 9110 §14.1.2)', () => {
  it.each([
    ['bytes=0-499', '0-499'],
    ['bytes=500-999', '500-999'],
    ['bytes=0-0,-1', '0-0,999-999'],
    ['bytes=9-', '9-999'],
    ['bytes=-1', '999-999'],
    ['bytes=-500', '500-999'],
    ['bytes=-1000', '0-999'],
    ['bytes=-5000', '0-999'],
    ['bytes=990-5000', '990-999'],
    ['BYTES=1-2', '1-2'],
    ['bytes= 1-2 ,\t4-5', '1-2,4-5'],
    ['bytes=,1-2,,4-5,', '1-2,4-5'],
    ['bytes=900-999, 0-99', '900-999,0-99'],
    ['bytes=5-6, 2000-', '5-6'],
    ['bytes=007-008', '7-8'],
    ['bytes=0-99999999999999999999999', '0-999'],
    [`bytes=0-${'9'.repeat(400)}`, '0-999'],
  ])('reads %j', (value, expected) => {
    expect(shown(value)).toBe(expected);
  });

  it.each(['bytes=1000-', 'bytes=1000-1001', 'bytes=-0', 'bytes=5000-,-0', 'bytes=99999999999999999999-'])(
    'finds %j unsatisfiable for 1000 bytes (§15.5.17)',
    (value) => {
      expect(shown(value)).toBe('unsatisfiable');
    },
  );

  it.each([
    undefined,
    '',
    'bytes',
    'bytes=',
    'bytes=,',
    'bytes=-',
    'bytes=a-b',
    'bytes=1',
    'bytes=2-1',
    'bytes=0-1,2-1',
    'bytes=0-1,x',
    'bytes=1 - 2',
    'bytes=--1',
    'bytes=1--2',
    'bytes=+1-2',
    'bytes=0x0-1',
    'bytes=1.0-2',
    'bytes =0-1',
    ' bytes=0-1',
    'bytes:0-1',
    'lines=0-1',
    'bytes=0-1;2-3',
  ])('ignores %j: malformed, or not in bytes (§14.2)', (value) => {
    expect(shown(value)).toBeUndefined();
  });

  it('ignores more than 8 ranges, however many commas there are, and ranges that overlap (§17.15)', () => {
    const apart = (count: number): string => `bytes=${Array.from({ length: count }, (_, i) => `${i * 2}-${i * 2}`).join(',')}`;
    expect(shown(apart(8))).toBe('0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14');
    expect(shown(apart(9))).toBeUndefined();
    expect(shown(`bytes=0-0${','.repeat(400)}`)).toBeUndefined();
    expect(shown('bytes=0-5,5-6')).toBeUndefined();
    expect(shown('bytes=5-6,0-5')).toBeUndefined();
    expect(shown('bytes=0-,0-,0-')).toBeUndefined();
    expect(shown('bytes=0-4,5-6')).toBe('0-4,5-6');
  });

  it('finds every range of nothing unsatisfiable that begins somewhere (§15.5.17)', () => {
    for (const value of ['bytes=0-0', 'bytes=0-', 'bytes=5-9', 'bytes=-0', 'bytes=0-,1-1']) {
      expect([value, shown(value, 0)]).toEqual([value, 'unsatisfiable']);
    }
  });

  it('has nothing sent whole for its last bytes, which are satisfiable but have no Content-Range', () => {
    for (const value of ['bytes=-1', 'bytes=0-0, -1', `bytes=-${'9'.repeat(400)}`]) {
      expect([value, shown(value, 0)]).toEqual([value, undefined]);
    }
  });

  it('needs linear time for long fields', () => {
    const time = cpuTime(() => {
      for (const piece of ['0-1,', ',', '0', '-', ' ', '\t,']) parseRange(`bytes=${piece.repeat(65_536)}`, 10);
    });
    expect(time).toBeLessThan(200);
  });

  it('agrees with range-parser on every well-formed field, but for suffixes longer than the file, which that one drops against the RFC', () => {
    const number = fc.integer({ min: 0, max: 60 });
    const spec = fc.oneof(
      fc.tuple(number, number).map(
        ([a, b]) =>
          () =>
            `${Math.min(a, b)}-${Math.max(a, b)}`,
      ),
      number.map((first) => () => `${first}-`),
      fc.integer({ min: 1, max: 60 }).map((length) => (size: number) => `-${Math.min(length, size)}`),
    );
    fc.assert(
      fc.property(fc.array(spec, { minLength: 1, maxLength: 4 }), fc.integer({ min: 1, max: 50 }), (specs, size) => {
        const value = `bytes=${specs.map((make) => make(size)).join(', ')}`;
        const ours = parseRange(value, size);
        const theirs = rangeParser(size, value);
        if (ours === undefined) expect(overlapping(theirs)).toBe(true);
        else if (ours === 'unsatisfiable') expect(theirs).toBe(-1);
        else expect(ours).toEqual([...(theirs as rangeParser.Ranges)].map(({ start, end }) => ({ start, end: end + 1 })));
      }),
      { numRuns: 2000 },
    );
  });

  it('never gives a range that is empty, outside, or over another, whatever the field holds', () => {
    const text = fc.stringMatching(/^[0-9,\- ]{0,30}$/);
    fc.assert(
      fc.property(text, fc.integer({ min: 0, max: 2000 }), (list, size) => {
        const ranges = parseRange(`bytes=${list}`, size);
        if (typeof ranges !== 'object') return;
        const bytes = ranges.reduce((sum, { start, end }) => sum + end - start, 0);
        expect(ranges.every(({ start, end }) => start >= 0 && start < end && end <= size)).toBe(true);
        expect(bytes).toBeLessThanOrEqual(size);
      }),
      { numRuns: 2000 },
    );
  });
});

function overlapping(ranges: rangeParser.Ranges | -1 | -2): boolean {
  if (typeof ranges === 'number') return false;
  const ordered = [...ranges].toSorted((a, b) => a.start - b.start);
  return ordered.some(({ start }, i) => i > 0 && start <= (ordered[i - 1]?.end ?? -1));
}

describe('serializeContentRange (RFC 9110 §14.4)', () => {
  const range: ByteRange = { start: 0, end: 500 };
  it('counts the last byte in, and says * in a 416', () => {
    expect([serializeContentRange(range, 1234), serializeContentRange(undefined, 1234)]).toEqual(['bytes 0-499/1234', 'bytes */1234']);
  });
});
