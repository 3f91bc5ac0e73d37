/**
 * The options of those who read a channel.
 *
 * @module
 */
import { badOption, checkFunction, checkInteger, checkOptions, kindOf, MiB } from '../../http/errors/bad-option.ts';
import type { Overflow } from './mailbox.ts';

/** Options of `messages`. */
export interface MessagesOptions {
  /** Ends the reading when it is aborted: `request.signal`, say. */
  signal?: AbortSignal | undefined;
  /** How much may wait until it is read, bytes; each message counts 64 more. Default 1 MiB. */
  maxQueued?: number | undefined;
  /**
   * What happens to a message that finds no room. `drop-oldest` (the default) and `drop-newest` lose one, and count it in `dropped`. `wait` holds back
   * all channels of this thread, and in the end the publishers, until half of it is read; when nothing is read for a second it becomes `drop-oldest`.
   * `close` ends the reading with an error (code `channel-overflow`), also when a message was lost on its way here.
   */
  overflow?: Overflow | undefined;
}

/** Options of `subscribe`. */
export interface SubscribeOptions extends MessagesOptions {
  /** Sees what the function throws or rejects with; the next message is then given to it. Default: it is printed on stderr. */
  onError?: ((error: unknown) => void) | undefined;
}

/** Options with their defaults. */
export interface ResolvedReading {
  readonly signal: AbortSignal | undefined;
  readonly maxQueued: number;
  readonly overflow: Overflow;
  readonly onError: ((error: unknown) => void) | undefined;
}

const SUBJECT = 'Cannot read channel';
const MESSAGES: ReadonlySet<string> = new Set(['signal', 'maxQueued', 'overflow']);
const SUBSCRIBE: ReadonlySet<string> = new Set([...MESSAGES, 'onError']);
const OVERFLOWS: ReadonlySet<unknown> = new Set<Overflow>(['drop-oldest', 'drop-newest', 'wait', 'close']);

/** Checks the options of `messages`. */
export function resolveMessages(options: MessagesOptions): ResolvedReading {
  checkOptions(SUBJECT, options, MESSAGES);
  return resolve(options);
}

/** Checks the options of `subscribe`. */
export function resolveSubscribe(options: SubscribeOptions): ResolvedReading {
  checkOptions(SUBJECT, options, SUBSCRIBE);
  if (options.onError !== undefined) checkFunction(SUBJECT, 'onError', options.onError);
  return resolve(options);
}

function resolve({ signal, maxQueued = MiB, overflow = 'drop-oldest', onError }: SubscribeOptions): ResolvedReading {
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw badOption(SUBJECT, `signal is ${kindOf(signal)}, not an AbortSignal`);
  checkInteger(SUBJECT, 'maxQueued', maxQueued, 1, Number.POSITIVE_INFINITY, 'bytes');
  if (!OVERFLOWS.has(overflow)) throw badOption(SUBJECT, `overflow is ${overflow}, not one of ${[...OVERFLOWS].join(', ')}`);
  return { signal, maxQueued, overflow, onError };
}
