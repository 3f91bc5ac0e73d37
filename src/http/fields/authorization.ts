/**
 * The Authorization field (RFC 9110 §11.6.2).
 *
 * @module
 */

/** The credentials a client sent, not yet checked. */
export interface Authorization {
  /** Lower case: schemes are case-insensitive (RFC 9110 §11.1). */
  readonly scheme: string;
  /** The token68 that follows the scheme; undefined for schemes with parameters, such as Digest. */
  readonly token: string | undefined;
}

/** auth-scheme [ 1*SP ( token68 / #auth-param ) ] (RFC 9110 §11.4) */
const CREDENTIALS = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?: +(?:([A-Za-z0-9\-._~+/]+=*)|([^ ].*)))?$/;

/**
 * Reads the value of Authorization.
 *
 * @returns The scheme and its token, or `undefined` when the field is absent or malformed.
 */
export function parseAuthorization(value: string | undefined): Authorization | undefined {
  const parts = value === undefined ? null : CREDENTIALS.exec(value);
  if (!parts) return undefined;
  const [, scheme = '', token] = parts;
  return { scheme: scheme.toLowerCase(), token };
}
