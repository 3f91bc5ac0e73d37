import { describe, expect, it } from 'vitest';
import { HitCounter } from '../../../src/process/hit-counter.ts';
import { answerHits, HitAsker, type HitQuestion } from '../../../src/server/questions/hit-asker.ts';
import { until } from '../../support/until.ts';

/** A worker's side whose messages are kept. */
function asker(): { hits: HitAsker; sent: [id: number, questions: readonly HitQuestion[]][] } {
  const sent: [number, readonly HitQuestion[]][] = [];
  return { hits: new HitAsker((id, questions) => sent.push([id, questions])), sent };
}

const nextTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe('counting for all workers', () => {
  it('asks in one message what comes in one turn of the loop, and gives each its answer', async () => {
    const { hits, sent } = asker();
    const asked = ['a', 'b', 'a'].map(async (key) => hits.ask(key, 60, 1));
    await nextTurn();
    expect(sent).toEqual([[0, [['a', 60, 1], ['b', 60, 1], ['a', 60, 1]]]]); // biome-ignore format: one line
    const [[id, questions] = [Number.NaN, []]] = sent;
    hits.answered(id, answerHits(new HitCounter(), questions, 0));
    expect((await Promise.all(asked)).map(({ count }) => count)).toEqual([1, 1, 2]);
  });

  it('asks to peek and to reset in their turn among the hits', async () => {
    const { hits, sent } = asker();
    const acts = ['hit', 'peek', 'reset', 'peek'] as const;
    const asked = acts.map(async (act) => hits.ask('a', 60, 1, act));
    await nextTurn();
    const [[id, questions] = [Number.NaN, []]] = sent;
    hits.answered(id, answerHits(new HitCounter(), questions, 0));
    expect((await Promise.all(asked)).map(({ count }) => count)).toEqual([1, 1, 0, 0]);
    hits.abandon();
    expect(acts.map((act) => hits.ask('alone', 60, 1, act))).toMatchObject([{ count: 1 }, { count: 1 }, { count: 0 }, { count: 0 }]);
  });

  it('counts by itself when the primary is gone, for those who wait and those who come', async () => {
    const { hits, sent } = asker();
    const waiting = hits.ask('gone', 60, 5);
    await nextTurn();
    const unsent = hits.ask('gone', 60, 5);
    hits.abandon();
    expect(await waiting).toMatchObject({ count: 1 });
    expect(await unsent).toMatchObject({ count: 2 });
    expect(hits.ask('gone', 60, 5)).toMatchObject({ count: 3 });
    expect(sent).toHaveLength(1);
  });

  it('counts by itself what the primary does not answer, and passes over an answer that comes later', async () => {
    const { hits, sent } = asker();
    let answer: unknown;
    void Promise.resolve(hits.ask('mute', 60, 5)).then((counted) => {
      answer = counted;
    });
    await until(
      () => answer,
      () => 'an answer without the primary',
    );
    expect(answer).toMatchObject({ count: 1 });
    hits.answered(sent[0]?.[0] ?? Number.NaN, [[9, 9]]);
    hits.answered(77, [[9, 9]]);
    expect(answer).toMatchObject({ count: 1 });
  });
});
