/**
 * `node test/bench/routes.mjs` after a build: what finding a route costs.
 *
 * A router of 10,000 routes should take at most twice as long as one of 10, and a chain of `match` calls a few nanoseconds for each that misses.
 * Rounds take turns, so that a machine whose speed drifts slows all; the median is printed.
 */
import { match, Request, Response, router } from '../../dist/index.js';

const ROUNDS = 15;
const CALLS = 200_000;
const answer = Response.text('');

/** Shapes alike at every size: literals, and a typed parameter in the middle. */
function routesOf(count) {
  const names = Array.from({ length: count }, (_, n) => (n % 2 ? `GET /api/r${n}/{id:int}/edit` : `GET /api/r${n}`));
  return router(Object.fromEntries(names.map((name) => [name, () => answer])));
}

/** Requests spread over the routes: a router that is only fast for one of them is not fast. */
function requestsOf(count) {
  return Array.from({ length: 1024 }, (_, i) => {
    const n = Math.floor((i / 1024) * count);
    return new Request({ target: n % 2 ? `/api/r${n}/${i}/edit` : `/api/r${n}` });
  });
}

function caseOf(name, requests, run) {
  for (const request of requests) if (run(request) === undefined) throw new Error(`${name}: ${request.path} was not found`);
  return { name, requests, run, times: [] };
}

const chain = Array.from({ length: 50 }, (_, n) => (n % 2 ? `GET /api/r${n}/{id:int}/edit` : `GET /api/r${n}`));
const cases = [10, 100, 1000, 10_000].map((count) => caseOf(`router of ${count}`, requestsOf(count), routesOf(count)));
const last = [new Request({ target: '/api/r49/7/edit' })];
cases.push(
  caseOf('match, a static hit', [new Request({ target: '/api/r0' })], (request) => match(request, 'GET /api/r0')),
  caseOf('match, a typed hit', last, (request) => match(request, 'GET /api/r49/{id:int}/edit')),
  caseOf('match, 49 misses and a typed hit', last, (request) => {
    for (const route of chain) {
      const params = match(request, route);
      if (params) return params;
    }
    return undefined;
  }),
);

for (let round = 0; round < ROUNDS; round++) {
  for (const { requests, run, times } of cases) {
    const began = process.hrtime.bigint();
    for (let i = 0; i < CALLS; i++) run(requests[i % requests.length]);
    times.push(Number(process.hrtime.bigint() - began) / CALLS);
  }
}
for (const { name, times } of cases) {
  const median = times.toSorted((a, b) => a - b)[ROUNDS >> 1];
  console.log(`${name.padEnd(36)} ${median.toFixed(0).padStart(6)} ns`);
}
