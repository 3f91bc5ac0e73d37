/** What every response goes through on the way out. There is no middleware to look for: `finish` calls it, in server.ts. */
import { HttpError, type Request, type Response, requestId, secureHeaders } from 'filrouge';
import { errorPage } from './pages.ts';

/** Pages load styles, scripts and pictures from here, and nothing from elsewhere; no page has inline scripts or styles. */
const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

export function safe(request: Request, response: Response): Response {
  return secureHeaders(request, response, { csp: CSP, frameOptions: 'DENY' }).withHeader('X-Request-ID', requestId(request));
}

/** Shows the visitor's errors as pages. Our own are thrown on to `onError`. */
export function withErrorPage(answer: () => Response): Response {
  try {
    return answer();
  } catch (error) {
    return pageOf(error);
  }
}

export function pageOf(error: unknown): Response {
  if (error instanceof HttpError) return errorPage(error.status, error.message);
  throw error;
}

/** Sees every error that became a 500. The visitor learns only that something failed. */
export function onError(error: unknown, request: Request): Response {
  console.error('%s %s:', request.method, request.target, error);
  return errorPage(500, 'Something went wrong on our side. It has been written down.');
}
