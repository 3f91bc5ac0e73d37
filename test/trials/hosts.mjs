/**
 * Three hosts behind a balancer, with Redis on a fourth: a network of namespaces. Under clients who stay, uploads, and clients of Socket.IO the hosts
 * are updated one after the other, one is killed, one is cut off from the network, and so is Redis, after it was restarted. Who fails, and who waits?
 *
 *     npm run trial -- hosts
 */
import { Bounds } from './bounds.mjs';
import { HAPROXY } from './hosts/balancer.mjs';
import { canMakeNetworks } from './hosts/network.mjs';
import { NAMES, REDIS, Site } from './hosts/site.mjs';
import {
  admissionsOf,
  failuresBesidesHost,
  failuresBesidesIdle,
  failuresBesidesRedis,
  failuresOf,
  lastLossOf,
  longestOf,
  rowOf,
  tell,
} from './hosts/verdicts.mjs';
import { pause } from './server.mjs';

/** How often each key is admitted. */
const LIMIT = 400;
/** As many clients ask for it: where a host is gone the balancer may ask again for each, and both count. */
const LIMITED_LINES = 4;
/** A host or Redis is cut off for so long, ms. */
const GONE = 6000;
/** The balancer of docs/scaling.md has noticed within so long that a host is gone, and has ended what was open there, ms: `tcp-ut` and `srvtcpka`. */
const NOTICED = 5000;
/** How long a command to Redis may take, ms: the default of `timeout`. */
const REDIS_TIMEOUT = 2000;
/** The clients of docs/helpers/redis.md need so long at most to reach a Redis that is back, ms: `socketTimeout` and `connectTimeout`. */
const REACHED = 4000;
/** What nobody waits longer for, ms: `timeout connect`, and a machine that starts six workers meanwhile. */
const SOON = 2000;

/** @typedef {import('./hosts/verdicts.mjs').Phase} Phase */
/**
 * What is done to the site, until it is whole again (`act` may tell how long the balancer took to notice), and what then must hold: on the way to which
 * host requests may fail, and for how long; that those which need Redis may be refused; that POST on idle connections may fail; how long a request, and the listeners, may take.
 *
 * @typedef {{ name: string, act(site: Site, seconds: number): Promise<number | void>, at?: import('./hosts/site.mjs').HostName, within?: number, isOfRedis?: boolean, closesIdle?: boolean, longest?: number, back?: number }} Trouble
 */

/** @type {Trouble[]} */
const TROUBLES = [
  { name: 'none', act: (_, seconds) => pause(seconds * 100) },
  {
    name: 'all hosts are updated',
    async act(site) {
      for (const name of NAMES) {
        await site.stopHost(name);
        await site.startHost(name);
        await site.balancer?.sees(NAMES);
      }
    },
  },
  {
    name: 'all hosts are reloaded',
    closesIdle: true,
    async act(site) {
      for (const name of NAMES) await site.reloadHost(name);
    },
  },
  {
    name: 'a primary is killed',
    at: 'one',
    async act(site) {
      await site.killPrimary('one');
      await site.startHost('one');
      await site.balancer?.sees(NAMES);
    },
  },
  {
    name: 'a host is killed',
    at: 'two',
    async act(site, seconds) {
      await site.killHost('two');
      await pause(seconds * 50);
      await site.startHost('two');
      await site.balancer?.sees(NAMES);
    },
  },
  {
    name: 'a host is cut off',
    at: 'three',
    within: NOTICED,
    longest: NOTICED,
    async act(site) {
      site.cut('three');
      const noticed = (await site.balancer?.sees(NAMES.filter((name) => name !== 'three'))) ?? 0;
      await pause(GONE - noticed);
      site.mend('three');
      await site.balancer?.sees(NAMES);
      return noticed;
    },
  },
  {
    name: 'Redis is restarted',
    isOfRedis: true,
    longest: REDIS_TIMEOUT + SOON,
    back: REACHED,
    async act(site, seconds) {
      await site.stopRedis();
      await pause(seconds * 50);
      await site.startRedis();
    },
  },
  {
    name: 'Redis is cut off',
    isOfRedis: true,
    longest: REDIS_TIMEOUT + SOON,
    back: REACHED,
    async act(site) {
      site.cut('redis');
      await pause(GONE);
      site.mend('redis');
    },
  },
];

/** @param {{ seconds: number }} how */
export async function run({ seconds }) {
  const missing = [
    ...(HAPROXY ? [] : ['haproxy']),
    ...(REDIS ? [] : ['redis-server']),
    ...(canMakeNetworks() ? [] : ['ip, and the right to make network namespaces (root, or CAP_SYS_ADMIN and CAP_NET_ADMIN)']),
  ];
  if (missing.length > 0) {
    console.warn(`SKIPPED: the trial needs ${missing.join(', ')} (Debian: apt-get install haproxy redis-server iproute2)`);
    return;
  }
  const site = new Site(LIMIT);
  const remove = () => site.remove();
  const leave = () => process.exit(130);
  process.once('exit', remove).once('SIGINT', leave).once('SIGTERM', leave);
  try {
    await site.start();
    site.startLoad();
    await tryAll(site, seconds);
  } finally {
    process.off('exit', remove).off('SIGINT', leave).off('SIGTERM', leave);
    remove();
  }
}

/** @param {Site} site @param {number} seconds */
async function tryAll(site, seconds) {
  const bounds = new Bounds();
  if ((await site.ask('settled')) === null) throw new Error('The clients cannot all connect');
  /** @type {Phase[]} */
  const phases = [];
  for (const trouble of TROUBLES) {
    console.log(`\n${new Date().toISOString().slice(11, 19)} ${trouble.name}`);
    const phase = await phaseOf(site, trouble, seconds);
    judge(site, bounds, trouble, phase);
    phases.push(phase);
  }
  /** @type {boolean[]} */
  const again = await site.ask('askAgain', TROUBLES.map(({ name }) => keyOf(name)).join(' '));
  await site.ask('end');
  bounds.atMost('keys admitted once more at the end', again.filter(Boolean).length, 0);
  console.table(phases.map(rowOf));
  bounds.end();
}

/** @param {string} name */
function keyOf(name) {
  return name.replaceAll(' ', '-');
}

/** @param {Site} site @param {Trouble} trouble @param {number} seconds @returns {Promise<Phase>} */
async function phaseOf(site, trouble, seconds) {
  const first = site.outcomes.length;
  const from = now();
  await site.ask('away');
  await site.ask('limit', keyOf(trouble.name));
  await pause(seconds * 25);
  const began = now();
  const noticed = await trouble.act(site, seconds);
  const end = now();
  const settled = await site.ask('settled');
  const broadcast = await site.ask('broadcast');
  const published = await site.ask('publish');
  await site.ask('exhausted');
  await pause(seconds * 25);
  const away = await site.ask('away');
  return {
    name: trouble.name,
    from,
    to: now(),
    trouble: began,
    end,
    noticed,
    outcomes: site.outcomes.slice(first),
    away,
    settled,
    broadcast,
    published,
  };
}

/** @param {Site} site @param {Bounds} bounds @param {Trouble} trouble @param {Phase} phase */
function judge(site, bounds, { name, at, within = SOON, isOfRedis = false, closesIdle = false, longest = SOON, back = SOON }, phase) {
  const routes = site.balancer?.routes ?? new Map();
  tell(failuresOf(phase.outcomes), routes, phase.trouble);
  if (at !== undefined) {
    const excused = `but POST on the way to the host within ${within / 1000} s`;
    bounds.atMost(`failed requests ${excused}`, failuresBesidesHost(phase, routes, at, within).length, 0);
  } else if (isOfRedis) {
    bounds.atMost('failed requests but clear refusals of what needs Redis', failuresBesidesRedis(phase, REACHED).length, 0);
  } else if (closesIdle) {
    bounds.atMost('failed requests but POST on a connection that is just closed', failuresBesidesIdle(phase, routes).length, 0);
  } else bounds.atMost('failed requests', failuresOf(phase.outcomes).length, 0);
  if (phase.noticed !== undefined) bounds.atMost('the balancer has noticed after, ms', phase.noticed, NOTICED);
  bounds.atMost('longest request, ms', longestOf(phase.outcomes), longest);
  if (at !== undefined) bounds.atMost('the last listener there loses its connection after, ms', lastLossOf(phase), NOTICED);
  bounds.atMost('all listeners are there after, ms', phase.settled ?? Number.POSITIVE_INFINITY, back);
  bounds.atMost('a broadcast reaches all of them after, ms', phase.broadcast ?? Number.POSITIVE_INFINITY, back);
  bounds.atMost('a message in a channel reaches all streams after, ms', phase.published ?? Number.POSITIVE_INFINITY, back);
  const { admitted, unknown, hosts } = admissionsOf(site.outcomes, keyOf(name));
  if (name === 'none') bounds.atLeast('hosts that counted one key', hosts, NAMES.length);
  bounds.atMost('admitted', admitted, LIMIT);
  bounds.atLeast('admitted, without an answer, or asked twice', admitted + unknown + (at === undefined ? 0 : LIMITED_LINES), LIMIT);
}

function now() {
  return performance.timeOrigin + performance.now();
}
