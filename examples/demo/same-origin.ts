/** Refuses forms that other sites send in the visitor's name. */
import { HttpError, type Request } from 'filrouge';

/**
 * Browsers say which site a form is on. SameSite keeps the session out of forms on other sites; this blocks the forms themselves, the login included.
 * A client that names no origin is not a browser, and acts only for itself.
 */
export function refuseForeignForm(request: Request): void {
  const origin = request.header('origin');
  if (request.method !== 'POST' || origin === undefined) return;
  if (origin !== `${request.secure ? 'https' : 'http'}://${request.host}`) throw new HttpError(403, 'This form was sent by another site');
}
