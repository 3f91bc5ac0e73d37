/** Orders. Code order is the guard: everything below the check of `person` is for those who have logged in. */
import { match, type Request, Response } from 'filrouge';
import { shop } from '../database.ts';
import type { OrderLine } from '../io/orders.ts';
import type { Person } from '../io/people.ts';
import { letter, page } from '../view.ts';
import { type Basket, basketOf, type VisitorSession } from '../visitor.ts';
import { basketPage } from './basket.ts';
import { problemPage } from './problem.ts';

export function orderPages(request: Request, session: VisitorSession): Response | undefined {
  if (!request.withoutPrefix('/orders')) return undefined;
  const { person } = session.data;
  if (!person) return Response.redirect('/login');

  if (match(request, 'GET /orders')) return page(session, 'orders', { orders: shop.orders(person.id) });
  if (match(request, 'POST /orders')) return buy(session, person, basketOf(session));

  const wanted = match(request, 'GET /orders/{id:uint}');
  if (!wanted) return undefined;
  const order = shop.order(wanted.id, person.id);
  return order ? page(session, 'order', { order }) : problemPage(session, 404, 'There is no such order');
}

function buy(session: VisitorSession, person: Person, basket: Basket): Response {
  if (Object.keys(basket.lines).length === 0) return basketPage(session, 'There is nothing in your basket.').withStatus(409);
  const order = place(person, basket);
  if (order === undefined) return basketPage(session, 'Somebody was faster: there are not as many pieces left.').withStatus(409);
  delete session.data.basket;
  session.data.note = `Thank you. We have written to ${person.email}.`;
  return Response.redirect(`/orders/${order}`);
}

/**
 * Places the order in a transaction, and returns its number; undefined when something is out of stock. When the database was lost at the commit, nobody
 * knows whether the order is there: its buyer sends the form again, and as the basket is the same, gets that order or a first one.
 */
function place(person: Person, basket: Basket): number | undefined {
  using order = shop.beginOrder(); // ends with this function, rolled back unless it is committed: the page that follows needs a connection as well
  const { id, isNew } = order.open(person.id, basket.id);
  if (!isNew) return id;

  const lines: OrderLine[] = [];
  for (const [product, count] of Object.entries(basket.lines)) {
    const line = order.take(id, Number(product), count); // in the order of their ids, as integer keys are: two buyers never wait for each other
    if (!line) return undefined;
    lines.push(line);
  }
  const total = lines.reduce((sum, { count, price }) => sum + count * price, 0);
  order.mail(person.email, `Your order ${id}`, letter({ id, lines, total }));
  order.commit();
  return id;
}
