import { expect, it } from 'vitest';
import { AnswerTally } from '../../../src/server/figures/answer-tally.ts';

it('counts answers by route, method and status', () => {
  const tally = new AnswerTally(false);
  tally.add('/a', 'GET', 200, 0);
  tally.add('/a', 'GET', 200, 0);
  tally.add('/a', 'POST', 303, 0);
  tally.add(undefined, 'GET', 404, 0);
  expect(tally.read()).toEqual([
    { route: 'none', method: 'GET', status: 404, count: 1, durations: undefined },
    { route: '/a', method: 'GET', status: 200, count: 2, durations: undefined },
    { route: '/a', method: 'POST', status: 303, count: 1, durations: undefined },
  ]);
  expect(tally.count).toBe(4);
});

it('knows how long they took when it is told to', () => {
  const tally = new AnswerTally(true);
  tally.add('/a', 'GET', 200, 0.2);
  tally.add('/a', 'GET', 200, 40);
  expect(tally.read()).toMatchObject([{ count: 2, durations: { count: 2, sum: 40.2 } }]);
});

it('has one name for methods that HTTP does not define', () => {
  const tally = new AnswerTally(false);
  for (let i = 0; i < 1000; i++) tally.add('/a', `METHOD-${i}`, 405, 0);
  tally.add('/a', 'PATCH', 405, 0);
  expect(tally.read()).toMatchObject([
    { method: 'other', count: 1000 },
    { method: 'PATCH', count: 1 },
  ]);
});

it('has one name for routes beyond 200, and loses none of them', () => {
  const tally = new AnswerTally(false);
  for (let i = 0; i < 10_000; i++) tally.add(`/made-up/${i}`, 'GET', 200, 0);
  const rows = tally.read();
  expect(rows.length).toBe(201);
  expect(rows.find(({ route }) => route === 'other')).toMatchObject({ method: 'GET', status: 200, count: 9800 });
});

it('is bounded whatever statuses there are, and counts them all', () => {
  const tally = new AnswerTally(false);
  for (let route = 0; route < 10; route++) {
    for (let status = 200; status < 600; status++) tally.add(`/${route}`, 'GET', status, 0);
  }
  expect(tally.count).toBe(4000);
  expect(tally.read().length).toBe(1000 + 4);
  const rounded = tally.read().filter(({ route, method }) => route === 'other' && method === 'other');
  expect(rounded.map(({ status }) => status).toSorted()).toEqual([200, 300, 400, 500]);
});
