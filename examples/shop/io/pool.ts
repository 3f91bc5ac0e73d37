/** The pool of connections, for all handler threads of this process. PGHOST and its likes say where the database is. */
import { Pool, type PoolClient } from 'pg';

export const pool = new Pool({ max: Number(process.env['POOL'] ?? 8), connectionTimeoutMillis: 2000 });
pool.on('connect', (client) => client.on('error', () => {})); // the query that is under way says so too
pool.on('error', (error) => console.error(`a connection at rest was lost: ${error.message}`)); // the pool opens others

/** A connection of its own, in a transaction. */
export async function openTransaction(): Promise<PoolClient> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    return client;
  } catch (error) {
    client.release(true); // not back into the pool
    throw error;
  }
}

/** Gives the connection back. What was not committed has not happened. */
export async function endTransaction(client: PoolClient): Promise<void> {
  try {
    await client.query('rollback'); // after a commit it does nothing
    client.release();
  } catch {
    client.release(true);
  }
}
