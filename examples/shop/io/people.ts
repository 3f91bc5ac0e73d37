/** Who may log in, and how often each client has tried to. */
import { pool } from './pool.ts';

export interface Person {
  id: number;
  email: string;
}

/** An address that is taken is an error of PostgreSQL, with its code 23505. */
export async function addPerson(email: string, password: string): Promise<Person> {
  const { rows } = await pool.query<Person>('insert into person (email, password) values ($1, $2) returning id, email', [email, password]);
  return rows[0] as Person;
}

export async function findPerson(email: string): Promise<(Person & { password: string }) | undefined> {
  const { rows } = await pool.query<Person & { password: string }>('select id, email, password from person where email = $1', [email]);
  return rows[0];
}

/** Counts an attempt to log in: how many there were within a minute. */
export async function countAttempt(client: string): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    `insert into attempt as known values ($1, now(), 1) on conflict (client) do update set
       count = case when known.since < now() - interval '1 minute' then 1 else known.count + 1 end,
       since = case when known.since < now() - interval '1 minute' then now() else known.since end
     returning count`,
    [client],
  );
  return rows[0]?.count ?? 0;
}

export async function forgetAttempts(client: string): Promise<void> {
  await pool.query("delete from attempt where client = $1 or since < now() - interval '1 minute'", [client]);
}
