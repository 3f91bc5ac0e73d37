/** The people in PostgreSQL: ordinary promises, in the I/O thread of each worker process. PGHOST and its likes say where the database is. */
import { blocking, type Handle } from 'filrouge/blocking';
import { Pool } from 'pg';

const pool = new Pool({ max: Number(process.env['POOL'] ?? 8), connectionTimeoutMillis: 2000 });
pool.on('connect', (client) => client.on('error', () => {})); // the query that is under way says so too
pool.on('error', (error) => console.error(`a connection at rest was lost: ${error.message}`)); // the pool opens others

await pool.query(`
  begin;
  select pg_advisory_xact_lock(1);
  create table if not exists person (id serial primary key, name text not null unique);
  create table if not exists account (owner integer primary key references person, balance integer not null);
  commit`);

export interface Person {
  id: number;
  name: string;
  balance: number;
}

/** What must happen on one connection. */
export interface Transaction {
  insert(name: string): Promise<number>;
  openAccount(owner: number, balance: number): Promise<void>;
  commit(): Promise<void>;
}

const PEOPLE = 'select id, name, balance from person join account on owner = id';

export async function list(): Promise<Person[]> {
  return (await pool.query<Person>(`${PEOPLE} order by id`)).rows;
}

export async function find(id: number): Promise<Person | undefined> {
  return (await pool.query<Person>(`${PEOPLE} where id = $1::bigint`, [id])).rows[0];
}

export async function begin(): Promise<Handle<Transaction>> {
  const client = await pool.connect();
  await client.query('begin').catch((error: unknown) => {
    client.release(true); // not back into the pool
    throw error;
  });
  return blocking.handle(
    {
      async insert(name: string) {
        const { rows } = await client.query<{ id: number }>('insert into person (name) values ($1) returning id', [name]);
        return rows[0]?.id ?? 0;
      },
      async openAccount(owner: number, balance: number) {
        await client.query('insert into account (owner, balance) values ($1, $2)', [owner, balance]);
      },
      async commit() {
        await client.query('commit');
      },
    },
    async () => {
      try {
        await client.query('rollback'); // after a commit it does nothing
        client.release();
      } catch {
        client.release(true);
      }
    },
  );
}

/** Waits in the database. */
export async function sleep(ms: number): Promise<number> {
  await pool.query('select pg_sleep($1)', [ms / 1000]);
  return ms;
}

/** Called when the server has drained. */
export async function close(): Promise<void> {
  await pool.end();
}
