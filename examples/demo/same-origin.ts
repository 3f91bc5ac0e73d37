/** Forms that other sites send in the visitor's name. */
import { HttpError, type Request } from 'filrouge';

/**
 * Browsers say which site a form stands on. SameSite keeps the session out of forms of other sites; this keeps the forms out, and the login with
 * them. A client that names no origin is no browser, and acts for nobody but itself.
 */
export function refuseForeignForm(request: Request): void {
  const origin = request.header('origin');
  if (request.method !== 'POST' || origin === undefined) return;
  if (origin !== `${request.secure ? 'https' : 'http'}://${request.host}`) throw new HttpError(403, 'This form was sent by another site');
}
