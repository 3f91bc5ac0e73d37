/**
 * What went wrong, in a line that holds nothing a client has sent: the message of an error may.
 *
 * @module
 */
import { OWN_CODE } from '../../process/own-code.ts';

/** V8 writes `at name (place)` or `at place`. */
const FRAME = /^ +at (.+)$/;

/** An error by its name, its code and where it was thrown; a text as it is. */
export function whyOf(thrown: unknown): string {
  try {
    return told(thrown);
  } catch {
    return 'an error that cannot be looked at';
  }
}

function told(thrown: unknown): string {
  if (typeof thrown === 'string') return thrown;
  if (!(thrown instanceof Error)) return `${thrown === null ? 'null' : typeof thrown} was thrown, not an Error`;
  const { name, message, stack } = thrown;
  const code = 'code' in thrown && typeof thrown.code === 'string' && /^[\w-]{1,60}$/.test(thrown.code) ? ` ${thrown.code}` : '';
  return `${/^\w{1,60}$/.test(name) ? name : 'Error'}${code}${typeof stack === 'string' ? placeIn(stack, message) : ''}`;
}

/** The innermost frame that is the program's own. The message is passed over: it may look like frames. */
function placeIn(stack: string, message: string): string {
  const behind = stack.slice(stack.indexOf(message) + message.length);
  for (const line of behind.split('\n')) {
    const place = FRAME.exec(line)?.[1];
    if (place !== undefined && !isForeign(place)) return ` at ${place}`;
  }
  return '';
}

/** Places are URLs, or paths where the code was compiled on the way. */
function isForeign(place: string): boolean {
  return /node:|[\\/]node_modules[\\/]/.test(place) || (OWN_CODE !== undefined && place.includes(`${OWN_CODE.replace('file://', '')}/`));
}
