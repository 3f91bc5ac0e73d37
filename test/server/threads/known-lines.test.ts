import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseHead } from '../../../src/h1/parser.ts';
import { FieldLines } from '../../../src/http/field-lines.ts';
import { DEFAULT_LIMITS } from '../../../src/http/request/head-limits.ts';
import { ReceivedLines, SentLines, type WireLines } from '../../../src/server/threads/known-lines.ts';

/** Sends lines as a message would carry them. */
function over(sent: SentLines, received: ReceivedLines, lines: FieldLines): { wire: WireLines; lines: FieldLines } {
  const wire = structuredClone(sent.toWire(lines));
  return { wire, lines: received.fromWire(wire) };
}

const pair = fc.tuple(fc.stringMatching(/^[a-z-]{1,8}$/), fc.stringMatching(/^[\x21-\x7e]{0,12}$/));

describe('field lines on their way to a thread', () => {
  it('arrive whole when they were made of pairs', () => {
    fc.assert(
      fc.property(fc.array(pair), (pairs) => {
        const { lines } = over(new SentLines(), new ReceivedLines(), FieldLines.of(pairs));
        expect(lines.pairs()).toEqual(pairs);
      }),
    );
  });

  it('arrive whole when they stand in the middle of what was read, and nothing else comes with them', () => {
    const text = 'GET / HTTP/1.1\r\nHost: a\r\nX-B:  2 \r\n\r\nGET /secret HTTP/1.1\r\n';
    const head = parseHead(text, 0, DEFAULT_LIMITS);
    const { wire, lines } = over(new SentLines(), new ReceivedLines(), head?.section.lines as FieldLines);
    expect(lines.pairs()).toEqual([
      ['Host', 'a'],
      ['X-B', '2'],
    ]);
    expect(JSON.stringify(wire)).not.toContain('GET');
  });

  it('are only a number when they come for the third time', () => {
    const sent = new SentLines();
    const received = new ReceivedLines();
    const lines = FieldLines.of([['Host', 'a']]);
    const trips = Array.from({ length: 4 }, () => over(sent, received, lines));
    expect(trips.map(({ wire }) => typeof wire)).toEqual(['object', 'object', 'number', 'number']);
    expect(trips.map((trip) => trip.lines.pairs())).toEqual(Array.from({ length: 4 }, () => [['Host', 'a']]));
    expect(trips[3]?.lines).toBe(trips[1]?.lines);
  });

  it('are never taken for others, however many repeat', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 400 }), { maxLength: 2000, minLength: 1000 }), (order) => {
        const sent = new SentLines();
        const received = new ReceivedLines();
        const all = Array.from({ length: 401 }, (_, i) => FieldLines.of([['X-Id', String(i)]]));
        for (const i of order) expect(over(sent, received, all[i] as FieldLines).lines.get('x-id')).toBe(String(i));
      }),
      { numRuns: 20 },
    );
  });
});
