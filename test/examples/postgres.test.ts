/** examples/postgres with a real PostgreSQL, and what happens when it goes away. */
import type { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { hasPostgres, Postgres } from '../support/postgres.ts';
import { accepting, freePort, type Program, start } from '../support/program.ts';
import { until } from '../support/until.ts';

const POOL = 4;

describe.skipIf(!hasPostgres)('examples/postgres', () => {
  let postgres: Postgres;
  let admin: Client;
  let program: Program;
  let origin = '';

  beforeAll(async () => {
    postgres = await Postgres.start();
  });
  afterAll(() => postgres.remove());

  const connect = async (): Promise<void> => {
    admin = await postgres.connect();
  };

  beforeEach(async () => {
    await connect();
    await admin.query('drop table if exists account, person');
    const port = await freePort();
    program = start('.build/examples/postgres.js', { ...postgres.env, PORT: String(port), POOL: String(POOL) });
    origin = `http://localhost:${port}`;
    await accepting(port);
  });
  afterEach(() => admin.end());

  const add = (name: string): Promise<Response> => fetch(`${origin}/people`, { method: 'POST', body: new URLSearchParams({ name }) });
  const statusOf = async (path: string): Promise<number> => (await fetch(origin + path)).status;
  /** Connections of others than this test, at this moment. */
  const connections = async (): Promise<number> => {
    const { rows } = await admin.query<{ count: number }>(
      "select count(*)::int as count from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()",
    );
    return rows[0]?.count ?? 0;
  };

  it('does what its first comment shows', async () => {
    expect(await (await fetch(`${origin}/people`)).json()).toEqual([]);
    const made = await add('ada');
    expect([made.status, made.headers.get('location')]).toEqual([201, '/people/1']);
    const again = await add('ada');
    expect([again.status, await again.text()]).toEqual([409, 'There is a ada already']);
    expect(await (await fetch(`${origin}/people/1`)).json()).toEqual({ id: 1, name: 'ada', balance: 100 });
    expect(await (await fetch(`${origin}/people`)).json()).toEqual([{ id: 1, name: 'ada', balance: 100 }]);
    expect([await statusOf('/people/7'), await statusOf('/people/9007199254740991')]).toEqual([404, 404]);
  });

  it('gives every transaction its connection back, whatever became of it', async () => {
    const statuses = await Promise.all(Array.from({ length: 60 }, async (_, i) => (await add(`name ${i % 20}`)).status));
    expect([statuses.filter((status) => status === 201).length, statuses.filter((status) => status === 409).length]).toEqual([20, 40]);
    const { rows } = await admin.query<{ people: number; accounts: number }>(
      'select (select count(*)::int from person) as people, (select count(*)::int from account) as accounts',
    );
    expect(rows).toEqual([{ people: 20, accounts: 20 }]);
    await until(
      async () => {
        const open = await admin.query("select 1 from pg_stat_activity where state like 'idle in transaction%'");
        return open.rows.length === 0 || undefined;
      },
      () => 'the end of all transactions',
    );
    expect(await statusOf('/people')).toBe(200);
  });

  it('opens no more connections than its pool may have, whatever the number of threads', async () => {
    const calls = Array.from({ length: 32 }, () => statusOf('/slow/50'));
    let most = 0;
    let isDone = false;
    const watching = until(
      async () => {
        most = Math.max(most, await connections());
        return isDone || undefined;
      },
      () => 'the answers',
    );
    expect(await Promise.all(calls)).toEqual(calls.map(() => 200));
    isDone = true;
    await watching;
    expect(most).toBe(POOL);
  });

  it('answers 503 while the database is away, and goes on by itself when it is back', async () => {
    expect((await add('ada')).status).toBe(201);
    const waiting = Array.from({ length: 8 }, () => statusOf('/slow/60000'));
    await until(
      async () => (await connections()) === POOL || undefined,
      () => 'calls that wait in the database',
    );
    await postgres.kill();
    expect(await Promise.all(waiting)).toEqual(waiting.map(() => 503));
    expect([await statusOf('/people'), await statusOf('/people/1')]).toEqual([503, 503]);
    expect((await add('grace')).status).toBe(503);
    expect(await statusOf('/health')).toBe(200);
    const pid = program.pid;
    await postgres.resume();
    await connect();
    await until(
      async () => (await statusOf('/people')) === 200 || undefined,
      () => 'a database that answers again',
    );
    expect((await add('grace')).status).toBe(201);
    expect(program.pid).toBe(pid);
    expect(program.stderr).not.toMatch(/is replaced/);
  });

  describe('under load', () => {
    const CLIENTS = 24;

    interface Load {
      readonly seen: readonly number[];
      /** Waits for so many more answers of a status. */
      more(status: number, count: number): Promise<true>;
      /** Fails when a request has. */
      stop(): Promise<unknown>;
    }

    /** Clients that ask again soon after they have an answer. */
    function load(): Load {
      const seen: number[] = [];
      let isDone = false;
      const ask = async (i: number): Promise<number> => {
        if (i % 3 === 0) return (await add(`name ${i} ${seen.length}`)).status;
        return statusOf(i % 3 === 1 ? '/people' : '/slow/5');
      };
      const one = (i: number): Promise<true> =>
        until(
          async () => {
            seen.push(await ask(i));
            return isDone || undefined;
          },
          () => 'the end of the test',
          110_000,
          50,
        );
      const clients = Promise.all(Array.from({ length: CLIENTS }, (_, i) => one(i)));
      const stop = async (): Promise<unknown> => {
        isDone = true;
        return clients;
      };
      onTestFinished(() => stop().then(undefined, () => {})); // a failure has been told by then
      return {
        seen,
        stop,
        more(status, count) {
          const had = seen.filter((one) => one === status).length;
          return until(
            () => seen.filter((one) => one === status).length >= had + count || undefined,
            () => `${count} more answers ${status}; the last of ${seen.length} were ${seen.slice(-10).join(' ')}`,
            30_000,
          );
        },
      };
    }

    it('answers 503 while a database that was killed is away, and goes on by itself', { timeout: 120_000 }, async () => {
      const { pid } = program;
      const { seen, more, stop } = load();
      await more(201, CLIENTS);
      await postgres.kill('SIGKILL');
      await more(503, CLIENTS);
      await postgres.resume();
      await more(201, CLIENTS);
      await stop();
      await connect();
      expect(new Set(seen), program.stderr.slice(0, 2000)).toEqual(new Set([200, 201, 503]));
      expect(program.pid).toBe(pid);
      expect(program.stderr).not.toMatch(/is replaced/);
      expect(await connections()).toBeLessThanOrEqual(POOL);
    });

    it('answers 503 while the database recovers from the death of one of its processes', { timeout: 120_000 }, async () => {
      const { rows } = await admin.query<{ pid: number }>(
        "select pid from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid() limit 1",
      );
      const { seen, more, stop } = load();
      await more(201, CLIENTS);
      process.kill(rows[0]?.pid ?? 0, 'SIGKILL');
      await more(503, 1);
      await more(201, CLIENTS);
      await stop();
      await connect();
      expect(new Set(seen), program.stderr.slice(0, 2000)).toEqual(new Set([200, 201, 503]));
      expect(await connections()).toBeLessThanOrEqual(POOL);
    });
  });

  it('finishes what it has begun and closes its pool at SIGTERM', async () => {
    const calls = Array.from({ length: 4 }, () => statusOf('/slow/200'));
    await until(
      async () => (await connections()) === POOL || undefined,
      () => 'calls that wait in the database',
    );
    process.kill(program.pid, 'SIGTERM');
    expect(await Promise.all(calls)).toEqual(calls.map(() => 200));
    expect(await program.ended).toBe(0);
    expect(await connections()).toBe(0);
  });
});
