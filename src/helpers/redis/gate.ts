/**
 * The way of commands to Redis, which must not become a queue when Redis is slow or gone: each has a bound in time, all together one in number.
 *
 * | Redis | what happens to a command |
 * |---|---|
 * | connected, and answering | it is sent |
 * | connected, and silent: one has run out of its time, and nothing was answered since | a few are sent, to see whether it answers again; others fail at once |
 * | lost | it fails at once |
 * | not reached yet | it is sent, and waits in the client for the connection, within its time |
 *
 * A client keeps a command that has run out of its time: it counts until the client has done with it, so that none pile up there either.
 *
 * @module
 */
import { HttpError } from '../../http/response.ts';
import { isReady } from '../redis-clients/kinds.ts';
import { Outage } from '../redis-clients/outage.ts';

/** The code of the error. */
export const UNAVAILABLE = 'redis-unavailable';
/** Commands that see whether a silent Redis answers again. */
const PROBES = 8;
/** Seconds, for Retry-After: clients come back by themselves within less. */
const RETRY_AFTER = '1';
/** What Redis itself says when it cannot serve for now; other replies are about the command. */
const FOR_NOW = /^(?:LOADING|CLUSTERDOWN|MASTERDOWN|READONLY|TRYAGAIN|BUSY|NOREPLICAS)\b/;

const gates: WeakMap<object, Gate> = new WeakMap();

/** The gate of a client: one for all stores that are given it. */
export function gateOf(client: object): Gate {
  const gate = gates.get(client) ?? new Gate(client);
  gates.set(client, gate);
  return gate;
}

/** A gate. */
export class Gate {
  readonly #client: object;
  readonly #outage: Outage = new Outage('[redis] Redis cannot be reached; this is said once until it is back');
  /** Commands that the client has not done with. */
  #pending = 0;
  #wasReady = false;
  #isSilent = false;

  constructor(client: object) {
    this.#client = client;
  }

  /**
   * Sends a command.
   *
   * @param timeout How long its answer may take, ms.
   * @param maxPending How many may be under way, this one included.
   * @throws HttpError 503 (code `redis-unavailable`) when there is no answer in time, or it was not sent. What Redis has against the command itself is
   *   passed on as it is.
   */
  send<T>(command: () => Promise<T>, timeout: number, maxPending: number): Promise<T> {
    const isConnected = isReady(this.#client);
    this.#wasReady ||= isConnected;
    if (this.#wasReady && !isConnected) return this.#refuse('the connection is lost');
    if (this.#pending >= (this.#isSilent ? Math.min(PROBES, maxPending) : maxPending)) {
      return this.#refuse(this.#isSilent ? 'it does not answer' : `${maxPending} commands wait for its answer`);
    }
    this.#pending++;
    return new Promise<T>((resolve, reject) => {
      let isSettled = false;
      const giveUp = (): void => {
        if (isSettled) return;
        this.#isSilent = true;
        reject(this.#unavailable(new Error(`no answer within ${timeout} ms`)));
      };
      const overdue = setTimeout(setImmediate, timeout, giveUp); // after a slow handler, timers run before answers that have come
      const settle = (): void => {
        isSettled = true;
        clearTimeout(overdue);
        this.#pending--;
      };
      this.#start(command).then(
        (reply) => {
          settle();
          this.#hasAnswered();
          resolve(reply);
        },
        (error: unknown) => {
          settle();
          if (isReply(error)) this.#hasAnswered();
          reject(isReply(error) && !FOR_NOW.test(error.message) ? error : this.#unavailable(error));
        },
      );
    });
  }

  async #start<T>(command: () => Promise<T>): Promise<T> {
    return command(); // a client may throw as well as reject
  }

  #hasAnswered(): void {
    this.#isSilent = false;
    this.#outage.end();
  }

  async #refuse(why: string): Promise<never> {
    throw this.#unavailable(new Error(why));
  }

  #unavailable(cause: unknown): HttpError {
    this.#outage.fail(cause);
    return unavailable(cause);
  }
}

/** What a store says when there is no Redis. */
function unavailable(cause: unknown): HttpError {
  return new HttpError(503, 'The service is not available for the moment', {
    code: UNAVAILABLE,
    cause,
    headers: { 'Retry-After': RETRY_AFTER },
  });
}

/** Whether an error is what Redis has replied, rather than the client's own: of ioredis a `ReplyError`, of redis an `ErrorReply` or of a class below. */
function isReply(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  if (error.name === 'ReplyError') return true;
  let prototype = prototypeOf(error);
  while (prototype !== null && prototype.constructor.name !== 'ErrorReply') prototype = prototypeOf(prototype);
  return prototype !== null;
}

function prototypeOf(value: object): object | null {
  return Object.getPrototypeOf(value) as object | null;
}
