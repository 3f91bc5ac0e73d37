/** What there is to buy. */
import { pool } from './pool.ts';

export interface Product {
  id: number;
  name: string;
  about: string;
  picture: string;
  /** In cents. */
  price: number;
  stock: number;
}

const PRODUCTS = 'select id, name, about, picture, price, stock from product';

export async function products(): Promise<Product[]> {
  return (await pool.query<Product>(`${PRODUCTS} order by id`)).rows;
}

export async function productsOf(ids: readonly number[]): Promise<Product[]> {
  return (await pool.query<Product>(`${PRODUCTS} where id = any($1::bigint[]) order by id`, [ids])).rows;
}

/** `bigint`: an address may hold a number that is too large for the column. */
export async function product(id: number): Promise<Product | undefined> {
  return (await pool.query<Product>(`${PRODUCTS} where id = $1::bigint`, [id])).rows[0];
}
