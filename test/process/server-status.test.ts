import { describe, expect, it } from 'vitest';
import { DurationTally } from '../../src/process/durations.ts';
import { type Answered, addTotals, MAX_ROUTES, NO_TOTALS, type Totals } from '../../src/process/server-status.ts';

function tallyOf(...seconds: readonly number[]): ReturnType<DurationTally['read']> {
  const tally = new DurationTally();
  for (const one of seconds) tally.add(one);
  return tally.read();
}

function answeredBy(route: string, count: number, seconds?: number): Answered {
  return {
    route,
    method: 'GET',
    status: 200,
    count,
    durations: seconds === undefined ? undefined : tallyOf(...Array.from({ length: count }, () => seconds)),
  };
}

const ONE: Totals = {
  requests: 3,
  refused: { 400: 1 },
  answered: [answeredBy('/a', 2, 0.5), answeredBy('none', 1, 2)],
  abandoned: 1,
  opened: { 'http/1.1': 2 },
  tls: { handshakes: 1, resumed: 1, failed: 0 },
  http2: { streams: 1, resetsReceived: 2, resetsSent: 3, goAwaysReceived: { NO_ERROR: 1 }, goAwaysSent: {} },
  calls: { 'store.add': tallyOf(0.2) },
  loopDelay: tallyOf(0.1),
  gc: { minor: { count: 2, seconds: 0.5 } },
};

describe('addTotals', () => {
  it('leaves the figures of one worker as they are when nothing is added to them', () => {
    expect(addTotals(NO_TOTALS, ONE)).toEqual(ONE);
    expect(addTotals(ONE, NO_TOTALS)).toEqual(ONE);
  });

  it('adds what has the same name, and keeps what only one has', () => {
    const other: Totals = { ...ONE, answered: [answeredBy('/a', 1, 0.5), answeredBy('/b', 4, 0.3)], refused: { tls: 5 }, calls: {} };
    expect(addTotals(ONE, other)).toEqual({
      requests: 6,
      refused: { 400: 1, tls: 5 },
      answered: [answeredBy('/a', 3, 0.5), answeredBy('none', 1, 2), answeredBy('/b', 4, 0.3)],
      abandoned: 2,
      opened: { 'http/1.1': 4 },
      tls: { handshakes: 2, resumed: 2, failed: 0 },
      http2: { streams: 2, resetsReceived: 4, resetsSent: 6, goAwaysReceived: { NO_ERROR: 2 }, goAwaysSent: {} },
      calls: ONE.calls,
      loopDelay: tallyOf(0.1, 0.1),
      gc: { minor: { count: 4, seconds: 1 } },
    });
  });

  it('keeps the times that are known where only some workers measure them', () => {
    const [sum] = addTotals({ ...ONE, answered: [answeredBy('/a', 2)] }, { ...ONE, answered: [answeredBy('/a', 3, 0.1)] }).answered;
    expect(sum).toMatchObject({ count: 5, durations: { count: 3 } });
  });

  it('has no more routes in the sum than one worker may have, and loses no request', () => {
    let sum = NO_TOTALS;
    for (let worker = 0; worker < 20; worker++) {
      const rows = Array.from({ length: 100 }, (_, i) => answeredBy(`/made-up/${worker}/${i}`, 1));
      sum = addTotals(sum, { ...NO_TOTALS, answered: [answeredBy('none', 1), ...rows] });
    }
    expect(sum.answered.length).toBe(MAX_ROUTES + 2);
    expect(sum.answered.find(({ route }) => route === 'none')?.count).toBe(20);
    expect(sum.answered.find(({ route }) => route === 'other')?.count).toBe(2000 - MAX_ROUTES);
  });
});
