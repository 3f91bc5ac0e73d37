import { expect, it } from 'vitest';
import { Pieces, pack, piecesOf, unpack } from '../../../src/guests/socket-io/packing.ts';

/** There and back. */
function passed(message: object): unknown {
  return unpack(pack(message));
}

it('makes of a message what JSON makes of it, as on its way to a client, but bytes stay bytes', () => {
  class Price {
    readonly cents = 5;
    toJSON(): string {
      return '0.05';
    }
  }
  const plain = {
    text: 'héllo',
    list: [1, undefined, null, () => {}],
    gone: undefined,
    call: () => {},
    when: new Date(0),
    price: new Price(),
    map: new Map([['a', 1]]),
  };
  const message = { ...plain, bytes: Buffer.from([1, 2]), view: new Uint8Array([3]), whole: new Uint8Array([4]).buffer };
  expect(passed(message)).toEqual({
    ...(JSON.parse(JSON.stringify(plain)) as object),
    bytes: Buffer.from([1, 2]),
    view: Buffer.from([3]),
    whole: Buffer.from([4]),
  });
});

it('cuts a large message into pieces of at most 1 MiB, which make it again, also between those of another', () => {
  const [one, two] = [pack({ bytes: Buffer.alloc(3_000_000, 'x') }), pack({ text: 'y'.repeat(700_000) })];
  const [first, second] = [piecesOf(one), piecesOf(two)];
  expect(first.length).toBeGreaterThan(2);
  expect(Math.max(...first.map(({ length }) => length))).toBeLessThan(1024 * 1024 - 100);
  const pieces = new Pieces();
  const made: Buffer[] = [];
  for (let i = 0; i < first.length; i++) {
    for (const piece of [first[i], second[i]]) {
      const whole = piece && pieces.take(piece);
      if (whole) made.push(whole);
    }
  }
  expect(made.map((whole) => whole.equals(one) || whole.equals(two))).toEqual([true, true]);
});

it('gives a message up of which a piece was lost', () => {
  const [first, , third] = piecesOf(pack({ bytes: Buffer.alloc(1_500_000) })) as [Buffer, Buffer, Buffer];
  const pieces = new Pieces();
  expect([pieces.take(first), pieces.take(third)]).toEqual([undefined, undefined]);
  const [small] = piecesOf(pack({ a: 1 })) as [Buffer];
  expect(unpack(pieces.take(small) as Buffer)).toEqual({ a: 1 });
});
