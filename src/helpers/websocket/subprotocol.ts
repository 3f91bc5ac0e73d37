/**
 * The subprotocol that both sides speak (RFC 6455 §1.9, §4.2.2).
 *
 * @module
 */
import { badOption } from '../../http/errors/bad-option.ts';
import { isToken, trimWhitespace } from '../../http/grammar.ts';

const SUBJECT = 'Cannot open websocket';

/**
 * Checks the option `protocols`.
 *
 * @throws TypeError with code `bad-option`.
 */
export function checkProtocols(protocols: readonly string[]): void {
  if (!Array.isArray(protocols)) throw badOption(SUBJECT, 'protocols is not a list');
  for (const name of protocols as readonly unknown[]) {
    if (typeof name !== 'string' || !isToken(name)) throw badOption(SUBJECT, `${JSON.stringify(name)} in protocols is not a token`);
  }
}

/**
 * Reads the subprotocols that a client offers, the one it likes best first.
 *
 * @param lines The values of all Sec-WebSocket-Protocol lines.
 * @returns Undefined when one is not a token or appears twice (RFC 6455 §4.1, 10).
 */
export function parseOffers(lines: readonly string[]): readonly string[] | undefined {
  const offers = lines.flatMap((line) => line.split(',').map(trimWhitespace));
  if (!offers.every(isToken) || new Set(offers).size < offers.length) return undefined;
  return offers;
}

/**
 * Chooses the subprotocol: the first of ours that the client offers.
 *
 * @returns Empty when none is used, as when the client offers none. Undefined when it offers some and none of them is spoken here.
 */
export function chooseProtocol(offers: readonly string[], spoken: readonly string[]): string | undefined {
  if (offers.length === 0 || spoken.length === 0) return '';
  return spoken.find((name) => offers.includes(name));
}
