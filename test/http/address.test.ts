import { BlockList } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { groupsOf, networkOf, unmapped } from '../../src/http/address.ts';

describe('unmapped (RFC 4291 §2.5.5.2)', () => {
  it.each([
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:201', '192.0.2.1'],
    ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
    ['0000:0000:0000:0000:0000:ffff:c000:0201', '192.0.2.1'],
    ['::0:ffff:0:0', '0.0.0.0'],
    ['0:0:0:0:0:ffff::', '0.0.0.0'],
    ['::ffff:192.0.2.1%eth0', '192.0.2.1'],
  ])('makes %s %s', (address, expected) => {
    expect(unmapped(address)).toBe(expected);
  });

  it.each([
    '192.0.2.1',
    '::',
    '::1',
    '::ffff',
    '::ffff:1',
    '::ffff:0:192.0.2.1',
    '::192.0.2.1',
    '2001:db8::ffff:1',
    '1::ffff:192.0.2.1',
    'fe80::1%eth0',
  ])('leaves %s as it is', (address) => {
    expect(unmapped(address)).toBe(address);
  });
});

describe('networkOf (RFC 6177 §2)', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['2001:0DB8:0:0:ffff::1', '2001:db8:0:0'],
    ['2001:db8:0:1::1', '2001:db8:0:1'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
  ])('puts %s into %s', (address, expected) => {
    expect(networkOf(address)).toBe(expected);
  });
});

describe('groupsOf (RFC 4291 §2.2)', () => {
  it('finds eight groups in every spelling, the same that the system sees', () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        const groups = groupsOf(address);
        expect(groups.length).toBe(8);
        const list = new BlockList();
        list.addAddress(groups.map((group) => group.toString(16)).join(':'), 'ipv6');
        expect(list.check(address, 'ipv6')).toBe(true);
      }),
    );
  });
});
