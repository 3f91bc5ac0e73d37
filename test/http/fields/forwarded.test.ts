import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Hop, parseForwarded, parseXForwarded } from '../../../src/http/fields/forwarded.ts';

const hop = (node?: string, protocol?: string, host?: string): Hop => ({ node, protocol, host });

describe('parseForwarded (RFC 7239 §4)', () => {
  it.each<[string, Hop]>([
    ['for=192.0.2.60;proto=http;by=203.0.113.43', hop('192.0.2.60', 'http')],
    ['For="[2001:db8:cafe::17]:4711"', hop('2001:db8:cafe::17')],
    ['for=192.0.2.43:47011', hop('192.0.2.43')],
    ['for="192.0.2.43:_port"', hop('192.0.2.43')],
    ['for=2001:db8::1', hop('2001:db8::1')],
    ['for=[2001:db8::1]:80', hop('2001:db8::1')],
    ['for="\\1\\9\\2.0.2.43"', hop('192.0.2.43')],
    ['host="a.example:80";PROTO=HTTPS', hop(undefined, 'https', 'a.example:80')],
    [' ;for=192.0.2.1; ; proto=https;', hop('192.0.2.1', 'https')],
    ['for=unknown;proto=https', hop('unknown', 'https')],
    ['for=_gazonk', hop('_gazonk')],
    ['for=;host=;proto=', hop('', '')],
    ['secret=x', hop()],
  ])('reads %s', (line, expected) => {
    expect(parseForwarded([line])).toEqual([expected]);
  });

  it('keeps the order, over several lines, and leaves empty members out (RFC 9110 §5.6.1.2)', () => {
    expect(parseForwarded(['for=192.0.2.1, ,for=192.0.2.2,', '', 'for=192.0.2.3'])).toEqual([
      hop('192.0.2.1'),
      hop('192.0.2.2'),
      hop('192.0.2.3'),
    ]);
    expect(parseForwarded([])).toEqual([]);
  });

  it.each([
    'for=192.0.2.1;x="',
    'for=192.0.2.1;x="\\"',
    'for=192.0.2.1;x=a"b"',
    'for=192.0.2.1;x="a"b',
    'for=192.0.2.1;x',
    'for=192.0.2.1;=x',
    'for=192.0.2.1;x =y',
    'for=192.0.2.1;x=y z',
    'for=192.0.2.1;FOR=192.0.2.2',
  ])('believes nothing of a member that does not parse: %s', (line) => {
    expect(parseForwarded([line])).toEqual([hop()]);
  });

  it.each(['host="a b"', 'host="a/b"', 'host="a@b"', 'host=""'])('knows no host in %s', (line) => {
    expect(parseForwarded([line])).toEqual([hop()]);
  });

  it('lets no line reach into the next, whatever it holds', () => {
    const claims = fc.array(
      fc.string({ unit: fc.constantFrom('"', '\\', ',', ';', '=', ' ', 'for', '192.0.2.9', 'proto'), maxLength: 12 }),
    );
    fc.assert(
      fc.property(claims, (lines) => {
        expect(parseForwarded([...lines, 'for=192.0.2.1;proto=https']).at(-1)).toEqual(hop('192.0.2.1', 'https'));
      }),
    );
  });

  it('lets nothing before it on the same line give the last member another address', () => {
    const claims = fc.string({ unit: fc.constantFrom('"', '\\', ',', ';', '=', ' ', 'for=', '192.0.2.9', 'x'), maxLength: 12 });
    fc.assert(
      fc.property(claims, fc.constantFrom('for=192.0.2.1', 'for="[2001:db8::1]";host="a.example"'), (claim, own) => {
        expect(['192.0.2.1', '2001:db8::1', undefined]).toContain(parseForwarded([`${claim}, ${own}`]).at(-1)?.node);
      }),
    );
  });
});

describe('parseXForwarded', () => {
  it('gives a single protocol and the last host to every hop', () => {
    expect(parseXForwarded(['192.0.2.1, 192.0.2.2'], ['HTTPS'], ['a.example, b.example'])).toEqual([
      hop('192.0.2.1', 'https', 'b.example'),
      hop('192.0.2.2', 'https', 'b.example'),
    ]);
  });

  it('matches several protocols from the right', () => {
    expect(parseXForwarded(['192.0.2.1', '192.0.2.2'], ['ftp, https', 'http'], [])).toEqual([
      hop('192.0.2.1', 'https'),
      hop('192.0.2.2', 'http'),
    ]);
  });

  it('has one hop without an address where only protocol or host is told, and none where nothing is', () => {
    expect(parseXForwarded([], ['http, https'], [])).toEqual([hop(undefined, 'https')]);
    expect(parseXForwarded([' , '], [], ['a.example'])).toEqual([hop(undefined, undefined, 'a.example')]);
    expect(parseXForwarded([], [''], ['a b'])).toEqual([]);
  });

  it('takes ports and brackets off, and leaves the rest as it is', () => {
    expect(parseXForwarded(['192.0.2.1:80, [2001:db8::1]:80, 2001:db8::2, unknown, "192.0.2.1"'], [], []).map(({ node }) => node)).toEqual([
      '192.0.2.1',
      '2001:db8::1',
      '2001:db8::2',
      'unknown',
      '"192.0.2.1"',
    ]);
  });
});
