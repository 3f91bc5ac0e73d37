/** The basket: it is in the visitor's session, and nothing is reserved until the order. */
import { HttpError, match, type Request, Response, readForm } from 'filrouge';
import { shop } from '../database.ts';
import { page } from '../view.ts';
import { basketOf, type VisitorSession } from '../visitor.ts';

const MOST = 99;
/** The session is a cookie, and must stay small. */
const MOST_LINES = 50;

export function basketPages(request: Request, session: VisitorSession): Response | undefined {
  if (match(request, 'GET /basket')) return basketPage(session);
  if (match(request, 'POST /basket')) return change(request, session, (now, count) => now + count);
  if (match(request, 'POST /basket/change')) return change(request, session, (_, count) => count); // 0 takes it out
  return undefined;
}

export function basketPage(session: VisitorSession, problem?: string): Response {
  const { lines: counts } = basketOf(session);
  const products = shop.productsOf(Object.keys(counts).map(Number));
  const lines = products.map((product) => ({ product, count: counts[product.id] ?? 0 }));
  const total = lines.reduce((sum, { product, count }) => sum + count * product.price, 0);
  return page(session, 'basket', { lines, total, problem });
}

function change(request: Request, session: VisitorSession, countOf: (now: number, count: number) => number): Response {
  const form = readForm(request, { product: 'uint', count: 'uint' });
  const product = shop.product(form.product);
  if (!product) throw new HttpError(404, 'There is no such product');

  const { id, lines } = basketOf(session);
  const count = Math.min(countOf(lines[product.id] ?? 0, form.count), MOST);
  const { [product.id]: _, ...others } = lines;
  if (Object.keys(others).length >= MOST_LINES) throw new HttpError(400, `A basket holds ${MOST_LINES} products`);
  session.data.basket = { id, lines: count > 0 ? { ...others, [product.id]: count } : others };
  session.data.note = count > 0 ? `${count} × ${product.name} in your basket.` : `${product.name} is out of your basket.`;
  return Response.redirect('/basket');
}
