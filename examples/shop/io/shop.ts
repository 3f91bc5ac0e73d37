/**
 * The side that waits: ordinary promises, loaded once in each worker process, in an I/O thread. Its functions are what the other side calls. No
 * other folder has an `await`.
 */
import { stopMail } from './mail.ts';
import { pool } from './pool.ts';
import { createTables } from './schema.ts';

await createTables(); // a server whose database is not there does not start, and says why

export { beginOrder, order, orders } from './orders.ts';
export { addPerson, countAttempt, findPerson, forgetAttempts } from './people.ts';
export { product, products, productsOf } from './products.ts';

/** Called when the server has drained. */
export async function close(): Promise<void> {
  await stopMail();
  await pool.end();
}
