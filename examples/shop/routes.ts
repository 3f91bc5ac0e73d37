/** Which page answers. `??` reads: "and if that is not mine, the next". */
import type { Request, Response } from 'filrouge';
import { basketPages } from './pages/basket.ts';
import { loginPages } from './pages/login.ts';
import { orderPages } from './pages/orders.ts';
import { problemPage } from './pages/problem.ts';
import { productPages } from './pages/products.ts';
import { refuseForeignForm, type VisitorSession } from './visitor.ts';

export function route(request: Request, session: VisitorSession): Response {
  refuseForeignForm(request);
  return (
    productPages(request, session) ??
    loginPages(request, session) ??
    basketPages(request, session) ??
    orderPages(request, session) ??
    problemPage(session, 404, `There is no page at ${request.path}`)
  );
}
