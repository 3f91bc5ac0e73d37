import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isHopByHop, namedByConnection, withoutHopByHop } from '../../../src/http/fields/hop-by-hop.ts';

describe('namedByConnection (RFC 9110 §7.6.1)', () => {
  it.each<[readonly string[], readonly string[]]>([
    [[], []],
    [[''], []],
    [['close'], ['close']],
    [['Close, X-Secret'], ['close', 'x-secret']],
    [
      [' , a,, b\t', 'c '],
      ['a', 'b', 'c'],
    ],
  ])('of the lines %j is %j', (lines, names) => {
    expect([...namedByConnection(lines)]).toEqual(names);
  });
});

describe('withoutHopByHop (RFC 9110 §7.6.1)', () => {
  it('leaves out the fields that are known, in any case, and those that Connection names', () => {
    const pairs = [
      ['keep-alive', 'timeout=5'],
      ['X-SECRET', '1'],
      ['Content-Length', '2'],
      ['connection', 'close, x-secret'],
      ['X-Kept', '1'],
      ['x-kept', '2'],
      ['CONNECTION', 'x-other'],
      ['X-Other', '1'],
    ] as const;
    expect(withoutHopByHop(pairs)).toEqual([
      ['Content-Length', '2'],
      ['X-Kept', '1'],
      ['x-kept', '2'],
    ]);
  });

  it('leaves nothing that it would leave out another time, and keeps the order', () => {
    const name = fc.constantFrom('Connection', 'TE', 'Upgrade', 'A', 'a', 'B', 'Close');
    const pairs = fc.array(fc.tuple(name, fc.constantFrom('', 'a', 'close, B', 'te ,, A', 'x')));
    fc.assert(
      fc.property(pairs, (list) => {
        const rest = withoutHopByHop(list);
        expect(withoutHopByHop(rest)).toEqual(rest);
        expect(rest).toEqual(list.filter((pair) => rest.includes(pair)));
        expect(rest.some(([one]) => isHopByHop(one.toLowerCase()))).toBe(false);
      }),
    );
  });
});
