/** Refuses forms that other sites send in the visitor's name. */
import { HttpError, isCrossSite, type Request } from 'filrouge';

/** SameSite keeps the session out of forms on other sites; this blocks the forms themselves, the login included. */
export function refuseForeignForm(request: Request): void {
  if (request.method === 'POST' && isCrossSite(request)) throw new HttpError(403, 'This form was sent by another site');
}

/** The demo stands behind no proxy, where everybody would come from this machine: there, ask for a login. */
export function isAtThisMachine({ remoteAddress }: Request): boolean {
  return remoteAddress === '127.0.0.1' || remoteAddress === '::1';
}
