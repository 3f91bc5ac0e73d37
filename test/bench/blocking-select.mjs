/** What test/bench/lib/calls.mjs calls in an I/O thread. */
import { Pool } from 'pg';

const pool = new Pool({ max: 16 });

export function nothing() {}

export function select() {
  return pool.query('select 1').then(({ rows }) => rows);
}
