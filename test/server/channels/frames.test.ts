/** The bytes between the hubs of two processes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countBytes, countFrom, type FrameKind, FrameReader, serializeFrame } from '../../../src/server/channels/frames.ts';

type Frame = readonly [kind: FrameKind, name: string, payload: readonly number[]];

/** What a reader makes of pieces. */
function framesOf(pieces: readonly Buffer[]): Frame[] {
  const frames: Frame[] = [];
  const reader = new FrameReader((kind, name, payload) => frames.push([kind, name, [...payload]]));
  for (const piece of pieces) reader.read(piece);
  return frames;
}

describe('frames', () => {
  const frames: readonly Frame[] = [
    ['want', 'news', []],
    ['message', 'news', [0, 255, 10]],
    ['message', 'x'.repeat(200), Array<number>(300).fill(7)],
    ['missed', 'news', [...countBytes(70_000)]],
    ['unwant', 'n', []],
  ];
  const bytes = Buffer.concat(frames.map(([kind, name, payload]) => serializeFrame(kind, name, Uint8Array.from(payload))));

  it('come out as they went in: whole, byte by byte, and cut at every place', () => {
    expect(framesOf([bytes])).toEqual(frames);
    expect(framesOf(Array.from(bytes, (byte) => Buffer.from([byte])))).toEqual(frames);
    for (let at = 0; at <= bytes.length; at++) expect(framesOf([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(frames);
  });

  it('come out as they went in, however they are cut', () => {
    const kinds = fc.constantFrom<FrameKind>('message', 'want', 'unwant', 'missed');
    const frame = fc.tuple(kinds, fc.stringMatching(/^[\w.:/@+-]{1,200}$/), fc.array(fc.nat(255)));
    fc.assert(
      fc.property(fc.array(frame), fc.array(fc.nat(100), { minLength: 1 }), (given, sizes) => {
        const whole = Buffer.concat(given.map(([kind, name, payload]) => serializeFrame(kind, name, Uint8Array.from(payload))));
        const pieces: Buffer[] = [];
        for (let at = 0, i = 0; at < whole.length; i++) {
          const size = 1 + (sizes[i % sizes.length] ?? 0);
          pieces.push(whole.subarray(at, at + size));
          at += size;
        }
        expect(framesOf(pieces)).toEqual(given);
      }),
    );
  });

  it('have payloads that hold on to no other memory', () => {
    new FrameReader((_kind, _name, payload) => expect(payload.buffer.byteLength).toBe(payload.length)).read(bytes);
  });

  it('hold counts', () => {
    expect([0, 1, 70_000].map((count) => countFrom(countBytes(count)))).toEqual([0, 1, 70_000]);
  });
});
