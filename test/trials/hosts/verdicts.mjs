/** What the trial on several hosts has to show of each of its troubles. */
import { largest, quantile } from '../client.mjs';

/** @typedef {import('./load.mjs').Outcome} Outcome */
/** @typedef {{ name: string, from: number, to: number, trouble: number, end: number, noticed: number | void, outcomes: Outcome[], away: import('./listeners.mjs').Absence[], settled: number | null, broadcast: number | null, published: number | null }} Phase */

/** What is asked of Redis. */
const OF_REDIS = new Set(['me', 'count', 'limited']);

/** What is sent by POST. */
const CHANGES = new Set(['count', 'upload']);

/** A line of the table. @param {Phase} phase */
export function rowOf({ name, from, to, outcomes, away, settled, broadcast, published }) {
  const uploads = outcomes.filter(({ kind }) => kind === 'upload');
  const requests = outcomes.filter(({ kind }) => kind !== 'upload');
  const times = requests.filter(({ kind }) => kind !== 'slow').map(({ from: begin, to: end }) => end - begin);
  return {
    trouble: name,
    s: Math.round((to - from) / 1000),
    requests: requests.length,
    uploads: uploads.length,
    failed: outcomes.filter(({ error }) => error !== undefined).length,
    'p99, ms': Math.round(quantile(times, 0.99)),
    'longest, ms': Math.round(largest(times)),
    'came back': away.length,
    'longest away, ms': away.length === 0 ? 0 : Math.round(largest(away.map(({ ms }) => ms))),
    'all there, ms': settled === null ? 'never' : Math.round(settled),
    'broadcast, ms': broadcast === null ? 'never' : Math.round(broadcast),
    'news, ms': published === null ? 'never' : Math.round(published),
  };
}

/** Those that failed. @param {readonly Outcome[]} outcomes */
export function failuresOf(outcomes) {
  return outcomes.filter(({ error }) => error !== undefined);
}

/** Those that failed, though nothing excuses them: a clear 503 of what needs Redis, while there is none. @param {Phase} phase @param {number} grace How long after its end Redis may seem gone, ms. */
export function failuresBesidesRedis({ outcomes, trouble, end }, grace) {
  return failuresOf(outcomes).filter(
    ({ kind, isRefusal, to }) => !(OF_REDIS.has(kind) && isRefusal === true && to >= trouble && to <= end + grace),
  );
}

/**
 * Those that failed though nothing excuses them where a host is gone: the balancer asks again elsewhere what can be asked twice, so only what changes
 * something may fail, on the way to that host, at most so many ms after it was gone. What the balancer has cut without a line in its log had been sent on
 * a connection that ended just then: it can only be that host's.
 *
 * @param {Phase} phase
 * @param {Map<number, { server: string }>} routes
 * @param {string} host
 * @param {number} within
 */
export function failuresBesidesHost({ outcomes, trouble }, routes, host, within) {
  return failuresOf(outcomes).filter(
    ({ id, kind, from }) => !(CHANGES.has(kind) && (routes.get(id)?.server ?? host) === host && from <= trouble + within),
  );
}

/**
 * Those that failed though the balancer has not sent them on an idle connection that a worker was just closing, which it cuts without a line in its log.
 * What can be asked twice it asks again then.
 *
 * @param {Phase} phase
 * @param {Map<number, unknown>} routes
 */
export function failuresBesidesIdle({ outcomes }, routes) {
  return failuresOf(outcomes).filter(({ id, kind }) => !CHANGES.has(kind) || routes.has(id));
}

/** After how long the last listener lost its connection, ms; 0 when none did. @param {Phase} phase */
export function lastLossOf({ away, trouble }) {
  return Math.max(0, ...away.map(({ at }) => at - trouble));
}

/** The longest time of a request that was no upload, ms. @param {readonly Outcome[]} outcomes */
export function longestOf(outcomes) {
  return largest(outcomes.filter(({ kind }) => kind !== 'upload').map(({ from, to }) => to - from));
}

/**
 * How often a key was admitted, and of how many that is unknown: they had no answer.
 *
 * @param {readonly Outcome[]} outcomes
 * @param {string} key
 */
export function admissionsOf(outcomes, key) {
  const asked = outcomes.filter((outcome) => outcome.key === key);
  const admitted = asked.filter(({ status }) => status === 200).length;
  const unknown = asked.filter(({ status }) => status !== 200 && status !== 429).length;
  return {
    asked: asked.length,
    admitted,
    unknown,
    hosts: new Set(asked.map(({ host }) => host).filter((host) => host !== undefined)).size,
  };
}

/** Says what failed: a line for each kind of failure. @param {readonly Outcome[]} failures @param {Map<number, { server: string, state: string }>} routes @param {number} trouble */
export function tell(failures, routes, trouble) {
  /** @type {Map<string, number>} */
  const kinds = new Map();
  for (const { id, kind, error, from } of failures) {
    const { server, state } = routes.get(id) ?? { server: 'no server', state: '' };
    const began = from < trouble ? 'before' : 'after';
    const text = `${kind}, at ${server} (${state}), begun ${began}: ${error}`;
    kinds.set(text, (kinds.get(text) ?? 0) + 1);
  }
  for (const [text, times] of kinds) console.log(`  failed ${times} times: ${text}`);
}
