/** Orders. One is placed in a transaction, whose caller has it as a handle. */
import { blocking, type Handle } from 'filrouge/blocking';
import { sendMail } from './mail.ts';
import { endTransaction, openTransaction, pool } from './pool.ts';

export interface Order {
  id: number;
  at: Date;
  /** In cents. */
  total: number;
}

export interface OrderLine {
  name: string;
  count: number;
  price: number;
}

/** An order that is being placed. Its methods run on one connection; without `commit` nothing of it has happened. */
export interface OpenOrder {
  /** Begins the order. `isNew` is false when this basket has been bought before: the form was sent twice. */
  open(person: number, basket: string): Promise<{ id: number; isNew: boolean }>;
  /** Takes pieces from the stock; undefined when there are not as many. */
  take(order: number, product: number, count: number): Promise<OrderLine | undefined>;
  /** A letter is a row like the others: it is sent if, and only if, the order is placed. */
  mail(recipient: string, subject: string, body: string): Promise<void>;
  commit(): Promise<void>;
}

const ORDERS = 'select id, at, sum(count * price)::int as total from purchase join line on purchase = id';

export async function orders(person: number): Promise<Order[]> {
  return (await pool.query<Order>(`${ORDERS} where person = $1 group by id order by id desc`, [person])).rows;
}

/** Undefined when it is somebody else's. */
export async function order(id: number, person: number): Promise<(Order & { lines: OrderLine[] }) | undefined> {
  const { rows } = await pool.query<Order>(`${ORDERS} where id = $1::bigint and person = $2 group by id`, [id, person]);
  if (!rows[0]) return undefined;
  const lines = 'select name, count, line.price from line join product on product = id where purchase = $1 order by id';
  return { ...rows[0], lines: (await pool.query<OrderLine>(lines, [rows[0].id])).rows };
}

export async function beginOrder(): Promise<Handle<OpenOrder>> {
  const client = await openTransaction();
  return blocking.handle<OpenOrder>(
    {
      async open(person, basket) {
        const made = 'insert into purchase (person, basket) values ($1, $2) on conflict do nothing returning id';
        const { rows } = await client.query<{ id: number }>(made, [person, basket]);
        if (rows[0]) return { id: rows[0].id, isNew: true };
        const before = await client.query<{ id: number }>('select id from purchase where basket = $1', [basket]);
        return { id: before.rows[0]?.id ?? 0, isNew: false };
      },
      async take(id, product, count) {
        const taken = 'update product set stock = stock - $2 where id = $1 and stock >= $2 returning name, $2::int as count, price';
        const { rows } = await client.query<OrderLine>(taken, [product, count]);
        if (rows[0]) await client.query('insert into line values ($1, $2, $3, $4)', [id, product, count, rows[0].price]);
        return rows[0];
      },
      async mail(recipient, subject, body) {
        await client.query('insert into mail (recipient, subject, body) values ($1, $2, $3)', [recipient, subject, body]);
      },
      async commit() {
        await client.query('commit');
        sendMail();
      },
    },
    () => endTransaction(client),
  );
}
