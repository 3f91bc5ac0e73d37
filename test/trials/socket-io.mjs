/**
 * 520 users of Socket.IO, by polling, websocket and both, in the mix of Rpress's load test: on a quiet server, with a worker killed every two seconds,
 * and with new code every five. Who fails, and who is lost?
 *
 *     npm run trial -- socket-io
 */
import { Bounds } from './bounds.mjs';
import { largest, quantile } from './client.mjs';
import { crowd } from './crowd.mjs';
import { childrenOf, pause, Server } from './server.mjs';

const USERS = 520;
/** Clients that stay from the beginning to the end, and only listen. */
const STANDING = 10;

/** What happens meanwhile. @type {Record<string, { every: number, do(server: Server): unknown }>} */
const TROUBLES = {
  none: { every: Number.POSITIVE_INFINITY, do() {} },
  'a worker is killed every 2 s': { every: 2000, do: killOne },
  'a reload every 5 s': { every: 5000, do: (server) => server.ask('reload') },
};

/** @param {{ seconds: number }} how */
export async function run({ seconds }) {
  const rows = [];
  const bounds = new Bounds();
  for (const [trouble, { every, do: act }] of Object.entries(TROUBLES)) {
    const server = new Server('test/cluster/fixtures/socket-io.mjs', { workers: 4, shutdownTimeout: 3000, log: 'json' });
    const port = await server.port;
    const end = new AbortController();
    const acting = (async () => {
      let count = 0;
      for (let at = performance.now() + every; Number.isFinite(every); at += every) {
        while (performance.now() < at && !end.signal.aborted) await pause(50);
        if (end.signal.aborted) break;
        await act(server);
        count++;
      }
      return count;
    })();
    const outcome = await crowd({ port, users: USERS, seconds, standing: STANDING });
    end.abort();
    const times = await acting;
    await server.stop();
    const { failures, completed, emits, repeated, comebacks, standing, sessions } = outcome;
    rows.push({
      trouble,
      times,
      created: USERS,
      completed,
      failed: failures.length,
      emits,
      repeated,
      comebacks,
      'standing at the end': standing,
      'session p50, ms': Math.round(quantile(sessions, 0.5)),
      'longest, ms': Math.round(largest(sessions)),
    });
    for (const failure of failures.slice(0, 5)) console.log(failure);
    bounds.atMost(`failed users (${trouble})`, failures.length, 0);
    bounds.atLeast(`completed users (${trouble})`, completed, USERS);
    bounds.atLeast(`clients that stood to the end (${trouble})`, standing, STANDING);
    if (trouble === 'none') bounds.atMost('repeated steps (none)', repeated, 0);
  }
  console.table(rows);
  bounds.end();
}

/** Kills a worker that is ready. @param {Server} server */
function killOne(server) {
  const alive = new Set(childrenOf(server.pid));
  const ready = server.events.filter(({ event, worker = 0 }) => event === 'ready' && alive.has(worker));
  const pid = ready[Math.floor(Math.random() * ready.length)]?.worker;
  if (pid !== undefined) process.kill(pid, 'SIGKILL');
}
