import { describe, expect, it } from 'vitest';
import { parsePriority } from '../../../src/http/fields/priority.ts';

describe('parsePriority', () => {
  it('is urgency 3, not incremental, for a client that says nothing (RFC 9218 §4)', () => {
    expect(parsePriority('')).toEqual({ urgency: 3, isIncremental: false });
  });
  it('reads both parameters, in any order', () => {
    expect(parsePriority('u=5, i')).toEqual({ urgency: 5, isIncremental: true });
    expect(parsePriority('i=?1,u=0')).toEqual({ urgency: 0, isIncremental: true });
    expect(parsePriority('i=?0')).toEqual({ urgency: 3, isIncremental: false });
  });
  it('takes the last of several (RFC 8941 §3.2)', () => {
    expect(parsePriority('u=1, u=6').urgency).toBe(6);
  });
  it('ignores what is out of range, malformed or unknown (RFC 9218 §4)', () => {
    for (const value of ['u=8', 'u=-1', 'u', 'u=a', 'i=1', 'x=1', ';;', 'u=44']) {
      expect(parsePriority(value), value).toEqual({ urgency: 3, isIncremental: false });
    }
    expect(parsePriority('u=1;a=b, x').urgency).toBe(1);
  });
});
