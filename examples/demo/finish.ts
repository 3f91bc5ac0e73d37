/** What is true of every response. There is no middleware to look for: whoever answers calls this on the way out. */
import { compress, HttpError, logAccess, type Request, type Response, requestId, secureHeaders } from 'filrouge';
import { errorPage } from './pages.ts';

/** Pages load styles, scripts and pictures from here, and nothing from elsewhere; no script or style stands in a page itself. */
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

export function finish(request: Request, response: Response): Response {
  const safe = secureHeaders(response, { csp: CSP, frameOptions: 'DENY' }).withHeader('X-Request-ID', requestId(request));
  return logAccess(request, compress(request, safe));
}

/** Shows errors that are the visitor's as pages. What is ours goes on to `onError`. */
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
