import { describe, expect, it } from 'vitest';
import { ArrivingBody } from '../../../src/server/threads/inside/arrived-body.ts';
import type { FromThread } from '../../../src/server/threads/wire.ts';

const PIECE = Buffer.alloc(64 * 1024);

describe('a body that comes into a thread piece by piece', () => {
  it('is asked for when the handler reads, and reported as taken no faster than it does', () => {
    const posted: FromThread[] = [];
    const body = new ArrivingBody(7, (item) => posted.push(item));
    expect(posted).toEqual([]);
    body.stream.read(); // nothing is there: it asks
    expect(posted.splice(0)).toEqual([['taken', 7, 0]]);
    body.deliver(PIECE);
    body.deliver(PIECE);
    expect(posted).toEqual([]); // both wait in the stream
    body.stream.read();
    expect(posted.splice(0)).toEqual([['taken', 7, 2 * PIECE.length]]);
    body.deliver(PIECE.subarray(0, 100));
    expect(posted.splice(0)).toEqual([['taken', 7, 100]]);
  });

  it('is dropped when the handler destroys it, and what still comes is passed over', () => {
    const posted: FromThread[] = [];
    const body = new ArrivingBody(7, (item) => posted.push(item));
    body.stream.read();
    body.stream.destroy();
    body.deliver(PIECE);
    expect(posted[0]).toEqual(['taken', 7, 0]);
    expect(posted).toContainEqual(['dropped', 7]);
  });
});
