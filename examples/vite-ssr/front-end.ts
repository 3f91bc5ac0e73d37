/** What the server asks of its front end, whether it is being developed or has been built. */
import type { Request, Response } from 'filrouge';
import type { Facts } from './client/facts.ts';

export interface FrontEnd {
  /** A page, as HTML. */
  readonly page: (path: string, facts: Facts) => string | Promise<string>;
  /** Everything that pages load. */
  readonly asset: (request: Request) => Response | Promise<Response>;
}
