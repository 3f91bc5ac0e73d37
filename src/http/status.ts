/**
 * Status codes and their reason phrases (RFC 9110 §15 and the IANA registry).
 *
 * @module
 */
import { withCode } from './errors/error-codes.ts';

/** Statuses that send a client to the Location. */
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** The reason phrase of each registered status. */
export const REASONS: Readonly<Record<number, string>> = {
  100: 'Continue',
  101: 'Switching Protocols',
  102: 'Processing',
  103: 'Early Hints',
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  203: 'Non-Authoritative Information',
  204: 'No Content',
  205: 'Reset Content',
  206: 'Partial Content',
  207: 'Multi-Status',
  208: 'Already Reported',
  226: 'IM Used',
  300: 'Multiple Choices',
  301: 'Moved Permanently',
  302: 'Found',
  303: 'See Other',
  304: 'Not Modified',
  305: 'Use Proxy',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  402: 'Payment Required',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  407: 'Proxy Authentication Required',
  408: 'Request Timeout',
  409: 'Conflict',
  410: 'Gone',
  411: 'Length Required',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  416: 'Range Not Satisfiable',
  417: 'Expectation Failed',
  421: 'Misdirected Request',
  422: 'Unprocessable Content',
  423: 'Locked',
  424: 'Failed Dependency',
  425: 'Too Early',
  426: 'Upgrade Required',
  428: 'Precondition Required',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  451: 'Unavailable For Legal Reasons',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
  506: 'Variant Also Negotiates',
  507: 'Insufficient Storage',
  508: 'Loop Detected',
  511: 'Network Authentication Required',
};

/**
 * The reason phrase of a status.
 *
 * @returns The registered phrase, or an empty string, which RFC 9112 §4 allows.
 */
export function reasonOf(status: number): string {
  return REASONS[status] ?? '';
}

/** Whether `status` can stand in a final response: a whole number from 200 to 999. */
export function isFinalStatus(status: number): boolean {
  return Number.isInteger(status) && status >= 200 && status <= 999;
}

/** A status that can stand in a final response. @throws RangeError (code `bad-status`). */
export function checkedStatus(status: number): number {
  if (isFinalStatus(status)) return status;
  const written = typeof status === 'number' ? String(status) : JSON.stringify(status); // "201" is none
  throw withCode(new RangeError(`Cannot make a response: status is ${written}, not a whole number from 200 to 999`), 'bad-status');
}

/** A status that goes with Location. @throws RangeError (code `bad-status`). */
export function checkedRedirect(status: number): number {
  if (REDIRECTS.has(status)) return status;
  throw withCode(
    new RangeError(`Cannot redirect: status ${JSON.stringify(status)} is not a redirect: write 301, 302, 303, 307 or 308`),
    'bad-status',
  );
}

/** Whether a response of this status never has a body: 1xx, 204 and 304 (RFC 9110 §6.4.1), and 205 (§15.3.6). */
export function isBodyless(status: number): boolean {
  return status === 204 || status === 205 || status === 304 || status < 200;
}

/**
 * The Content-Length of a response that never has a body: a 304 may state that of the 200 (RFC 9110 §8.6), and a 205 states 0, since
 * clients would wait for the end of one without a length (§15.3.6).
 *
 * @param announced The Content-Length that the handler has set.
 * @returns Undefined: the field is not sent.
 */
export function lengthWithoutBody(status: number, announced: number | undefined): number | undefined {
  if (status === 205) return 0;
  return status === 304 ? announced : undefined;
}
