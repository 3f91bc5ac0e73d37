/** What there is to buy. */
import { match, type Request, type Response } from 'filrouge';
import { shop } from '../database.ts';
import { page } from '../view.ts';
import type { VisitorSession } from '../visitor.ts';
import { problemPage } from './problem.ts';

export function productPages(request: Request, session: VisitorSession): Response | undefined {
  if (match(request, 'GET /')) return page(session, 'products', { products: shop.products() });

  const wanted = match(request, 'GET /products/{id:uint}');
  if (!wanted) return undefined;
  const product = shop.product(wanted.id);
  return product ? page(session, 'product', { product }) : problemPage(session, 404, 'There is no such product');
}
