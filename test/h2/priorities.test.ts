import { describe, expect, it } from 'vitest';
import { frame, headers, number, request } from '../support/http2-frames.ts';
import { Machine } from './machine.ts';

/** The streams in the order in which their DATA leaves, each as often as it has a frame. */
function orderOf(priorities: readonly string[], updates: readonly Buffer[] = []): number[] {
  const machine = new Machine();
  machine.receive(frame('WINDOW_UPDATE', 0, 0, number(1e6)));
  for (const [i, priority] of priorities.entries()) machine.receive(headers(2 * i + 1, request('GET', '/', ['priority', priority])));
  machine.session.take(1e6);
  for (const i of priorities.keys()) machine.answer(2 * i + 1, Buffer.alloc(32 * 1024));
  for (const update of updates) machine.receive(update);
  const ids: number[] = [];
  for (let out = machine.session.take(1); out.length > 0; out = machine.session.take(1)) {
    for (let at = 0; at < out.length; at += 9 + out.readUIntBE(at, 3)) if (out[at + 3] === 0) ids.push(out.readUInt32BE(at + 5));
  }
  return ids;
}

describe('responses that wait leave (RFC 9218 §10)', () => {
  it('by their urgency', () => {
    expect(orderOf(['u=5', 'u=1', ''])).toEqual([3, 3, 5, 5, 1, 1]);
  });

  it('one after the other among equals that must be whole', () => {
    expect(orderOf(['', '', ''])).toEqual([1, 1, 3, 3, 5, 5]);
  });

  it('in turns among equals that can be used in parts', () => {
    expect(orderOf(['i', 'i', 'i'])).toEqual([1, 3, 5, 1, 3, 5]);
  });

  it('with those that must be whole before those that can be used in parts', () => {
    expect(orderOf(['i', '', 'i'])).toEqual([3, 3, 1, 5, 1, 5]);
  });

  it('in another order when the client changes its mind (RFC 9218 §7.1)', () => {
    const update = frame('PRIORITY_UPDATE', 0, 0, Buffer.concat([number(5), Buffer.from('u=0')]));
    expect(orderOf(['', '', 'u=7'], [update])).toEqual([5, 5, 1, 1, 3, 3]);
  });

  it('as the client said before the request came', () => {
    const machine = new Machine();
    machine.receive(frame('PRIORITY_UPDATE', 0, 0, Buffer.concat([number(1), Buffer.from('u=6, i')])), headers(1));
    expect(machine.stream(1).priority).toEqual({ urgency: 6, isIncremental: true });
  });
});
