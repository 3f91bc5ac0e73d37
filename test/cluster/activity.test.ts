/** What a server tells of what its workers and threads are doing, in real processes. */
import { request } from 'undici';
import { describe, expect, it } from 'vitest';
import type { ServerActivity, ServerOptions, ThreadActivity, WorkerActivity } from '../../src/index.ts';
import { shared } from '../support/program.ts';
import { untilTold } from '../support/until.ts';
import { type Cluster, startCluster } from './support.ts';

const IN_FIXTURE = String.raw`\(test/cluster/fixtures/seen\.mjs:\d+:\d+\)`;

function start(options: ServerOptions): Promise<Cluster> {
  return startCluster(options, { fixture: 'seen' });
}

/** Asks on a connection of its own: a worker that is stuck accepts none. It may have accepted one just before. */
async function ask<T>(cluster: Cluster, path: string): Promise<T> {
  return untilTold(
    async () => {
      try {
        const { body } = await request(cluster.origin + path, { reset: true, headersTimeout: 1500 });
        return (await body.json()) as T;
      } catch {
        return undefined;
      }
    },
    () => `an answer to ${path}`,
  );
}

/** Begins a request and waits for nothing. */
function begin(cluster: Cluster, path: string): void {
  void request(cluster.origin + path, { reset: true })
    .then(({ body }) => body.dump())
    .catch(() => {}); // some never end
}

/** The first thread that does what is looked for, its worker, and all that was told with it. */
async function thread(
  cluster: Cluster,
  isIt: (thread: ThreadActivity) => boolean,
): Promise<{ readonly activity: ServerActivity; readonly worker: WorkerActivity; readonly found: ThreadActivity }> {
  let last: ServerActivity | undefined;
  return untilTold(
    async () => {
      last = await ask<ServerActivity>(cluster, '/activity');
      for (const worker of last.workers) {
        const found = worker.threads.find(isIt);
        if (found) return { activity: last, worker, found };
      }
      return undefined;
    },
    () => `such a thread, the last answer was ${JSON.stringify(last)}`,
  );
}

describe('what the server tells of its handler threads', () => {
  const server = shared(() => start({ workers: 0, threads: 4, handlerTimeout: 0 }));

  it('names the line at which each stands that does not come back, its request without the query, and what lies above it', async () => {
    const cluster = await start({ workers: 2, threads: 2, handlerTimeout: 0 });
    begin(cluster, '/loop?secret=1');
    const { activity, worker, found } = await thread(cluster, ({ place }) => place !== undefined);
    expect(found).toMatchObject({ state: 'running', open: 1, requests: [{ method: 'GET', path: '/loop' }] });
    expect(found.place).toMatch(new RegExp(`^at forEver ${IN_FIXTURE}$`));
    expect(found.requests[0]?.ms).toBeGreaterThan(400);
    const stack = await ask<string[]>(cluster, `/stack/${worker.pid}/${found.thread}`);
    expect(stack[0]).toMatch(new RegExp(`^at forEver ${IN_FIXTURE}$`));
    expect(stack[1]).toMatch(new RegExp(`^at answer ${IN_FIXTURE}$`));
    expect(JSON.stringify(activity)).not.toContain('secret');
  });

  it('tells no more than 50 frames of a stack, and nothing of a thread that there is not', async () => {
    const cluster = await start({ workers: 0, threads: 2, handlerTimeout: 0 });
    begin(cluster, '/deep');
    const { found } = await thread(cluster, ({ place }) => place !== undefined);
    const stack = await ask<string[]>(cluster, `/stack/${cluster.pid}/${found.thread}`);
    expect(stack).toHaveLength(50);
    expect(stack[49]).toMatch(/^at deep /);
    expect(await ask(cluster, `/stack/${cluster.pid}/9999`)).toBe('unknown');
    expect(await ask(cluster, '/stack/1/0')).toBe('unknown');
  });

  it('says of a worker that does not answer no more than that: it is not looked into from two sides, which might end it', async () => {
    const cluster = await start({ workers: 2, threads: 2, handlerTimeout: 0 });
    const [one] = (await ask<ServerActivity>(cluster, '/activity')).workers;
    const pid = one?.pid ?? 0;
    process.kill(pid, 'SIGSTOP');
    const { worker, found } = await thread(cluster, ({ thread: number }) => number === 0);
    expect([worker.pid, found]).toEqual([pid, { thread: 0, state: 'blocked', open: 0, requests: [] }]);
    process.kill(pid, 'SIGCONT');
    const again = await untilTold(
      async () =>
        (await ask<ServerActivity>(cluster, '/activity')).workers.find((other) => other.pid === pid && other.threads.length === 2),
      () => 'its threads',
    );
    expect(again.threads.map(({ state }) => state)).not.toContain('blocked');
  });

  it('marks a thread that was replaced, and keeps its request among the slowest, with its line', async () => {
    const cluster = await start({ workers: 1, threads: 2, handlerTimeout: 2000 });
    begin(cluster, '/loop?secret=1');
    await cluster.prints(/has taken \d+ ms and stands/);
    const { marks, workers } = await untilTold(
      async () => {
        const activity = await ask<ServerActivity>(cluster, '/activity');
        return activity.marks.length > 0 && activity.workers[0]?.slowest[0]?.place !== undefined ? activity : undefined;
      },
      () => 'a mark',
    );
    expect(marks.map(({ event }) => event)).toEqual(['stuck']);
    expect(marks[0]?.message).toMatch(/^GET "\/loop" has taken \d+ ms and stands at forEver/);
    expect(workers[0]?.slowest[0]).toMatchObject({ method: 'GET', path: '/loop' });
    expect(workers[0]?.slowest[0]?.place).toMatch(/^at forEver /);
  });

  it('goes on telling of all threads when one of them is in a call that cannot be looked into', async () => {
    const cluster = server();
    begin(cluster, '/exec');
    const { found } = await thread(cluster, ({ requests }) => (requests[0]?.ms ?? 0) > 1000 && requests[0]?.path === '/exec');
    expect(found).toMatchObject({ state: 'running', open: 1 });
    expect(found.place).toBeUndefined();
  });

  it('tells a promise that is awaited from a loop that follows an await', async () => {
    const cluster = server();
    begin(cluster, '/later/60000');
    const awaiting = await thread(cluster, ({ state, requests }) => state === 'awaiting' && requests[0]?.path === '/later/60000'); // 'running' first
    expect(await ask(cluster, `/stack/${cluster.pid}/${awaiting.found.thread}`)).toEqual([]);
    begin(cluster, '/await-loop');
    const blocked = await thread(cluster, ({ place, requests }) => place !== undefined && requests[0]?.path === '/await-loop');
    expect(blocked.found.state).toBe('blocked');
    expect(blocked.found.place).toMatch(new RegExp(`^at forEver ${IN_FIXTURE}$`));
  });
});

describe('the events of the status page', () => {
  it('name the line of a handler that is stuck, as in the trial of that name, and never a query', async () => {
    const cluster = await startCluster({ workers: 2, threads: 2, handlerTimeout: 1000 }, { fixture: 'threads' });
    const { body } = await request(`${cluster.origin}/status?events`);
    begin(cluster, '/loop?secret=1');
    let text = '';
    for await (const piece of body) {
      text += String(piece);
      if (text.includes('forEver')) break;
    }
    expect(text).toMatch(/at forEver \(test\/cluster\/fixtures\/threads\.mjs:\d+:\d+\)/);
    expect(text).not.toContain('secret');
  });
});

describe('what the server tells of workers without handler threads', () => {
  it('names the line at which a worker is stuck, when another is asked', async () => {
    const cluster = await start({ workers: 2, handlerTimeout: 0 });
    begin(cluster, '/loop?secret=1');
    const { activity, worker, found } = await thread(cluster, ({ place }) => place !== undefined);
    expect(found).toMatchObject({ thread: 0, state: 'running', open: 1, requests: [{ method: 'GET', path: '/loop' }] });
    expect(found.place).toMatch(new RegExp(`^at forEver ${IN_FIXTURE}$`));
    const stack = await ask<string[]>(cluster, `/stack/${worker.pid}/0`);
    expect(stack[1]).toMatch(new RegExp(`^at answer ${IN_FIXTURE}$`));
    expect(activity.workers).toHaveLength(2);
  });

  it('says that a worker is blocked which is in no handler', async () => {
    const cluster = await start({ workers: 2, handlerTimeout: 0 });
    begin(cluster, '/await-loop');
    const { found } = await thread(cluster, ({ place }) => place !== undefined);
    expect(found).toMatchObject({ thread: 0, state: 'blocked', open: 0 });
    expect(found.place).toMatch(new RegExp(`^at forEver ${IN_FIXTURE}$`));
  });

  it('lists the requests whose promises are open, the oldest first and eight at most, and the slowest that were answered', async () => {
    const cluster = await start({ workers: 1 });
    for (let i = 0; i < 10; i++) begin(cluster, '/later/60000');
    const { found, worker } = await thread(cluster, ({ open }) => open >= 10);
    expect(found).toMatchObject({ thread: 0, state: 'awaiting' });
    expect(found.requests).toHaveLength(8);
    expect(await ask(cluster, `/stack/${worker.pid}/0`)).toEqual([]);
    await (await request(`${cluster.origin}/later/30?secret=1`)).body.dump();
    const slowest = await untilTold(
      async () => (await ask<ServerActivity>(cluster, '/activity')).workers[0]?.slowest.find(({ path }) => path === '/later/30'),
      () => 'a slow request',
    );
    expect(slowest).toMatchObject({ method: 'GET', path: '/later/30' });
  });
});
