/** Pages from the templates in views/. Eta escapes what `<%= %>` writes; each template gets the data that is named here. */
import { fileURLToPath } from 'node:url';
import { Eta } from 'eta';
import { Response } from 'filrouge';
import type { Order, OrderLine } from './io/orders.ts';
import type { Product } from './io/products.ts';
import type { VisitorSession } from './visitor.ts';

interface Views {
  products: { products: readonly Product[] };
  product: { product: Product };
  basket: { lines: readonly { product: Product; count: number }[]; total: number; problem?: string | undefined };
  login: { email?: string; problem?: string };
  join: { email?: string; problem?: string };
  orders: { orders: readonly Order[] };
  order: { order: Order & { lines: readonly OrderLine[] } };
  problem: { title: string; text: string };
  mail: { id: number; lines: readonly OrderLine[]; total: number };
}

const eta = new Eta({ views: fileURLToPath(new URL('views', import.meta.url)), cache: true });
const euros = new Intl.NumberFormat('en', { style: 'currency', currency: 'EUR' });

/** A page in the frame of views/layout.eta, with what the session knows of its visitor. */
export function page<Name extends keyof Views>(session: VisitorSession, name: Name, data: Views[Name]): Response {
  const { person, basket, note } = session.data;
  delete session.data.note; // shown once
  const pieces = Object.values(basket?.lines ?? {}).reduce((sum, count) => sum + count, 0);
  return Response.html(render(name, { ...data, visitor: { email: person?.email, pieces, note } }));
}

/** The text of a letter. */
export function letter(data: Views['mail']): string {
  return render('mail', data);
}

function render(name: keyof Views, data: object): string {
  return eta.render(`./${name}`, { ...data, money, date });
}

function money(cents: number): string {
  return euros.format(cents / 100);
}

function date(at: Date): string {
  return `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
