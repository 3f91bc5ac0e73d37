/**
 * What a handler and the server agree on when the handler takes a connection over.
 *
 * @module
 */
import type { Duplex } from 'node:stream';
import { currentContext } from './body/stream-source.ts';

/** What still ties a connection that was taken over to its server. */
export interface Takeover {
  /** Aborts when the server begins to stop. Say goodbye then: what is still open after `shutdownTimeout` is cut. */
  readonly stopping: AbortSignal;
  /** Hands an error to the server's `onError`. Nothing is answered: there is no response any more. */
  report(error: unknown): void;
  /** @internal Calls a function when `stopping` aborts, at once when it has. A connection that waits so needs no signal, which takes a kilobyte. */
  whenStopping?(call: () => void): void;
  /** @internal A faster way to write small pieces, where there is one. */
  readonly straight?: StraightWriter | undefined;
}

/** @internal Writes past the stream of a connection. What it does not take is written to the stream, and no byte overtakes another. */
export interface StraightWriter {
  /** Bytes that the system has not accepted yet; when it has, the connection emits 'drain'. */
  readonly pending: number;
  /** @param bytes Not to be changed any more. @returns Whether it has taken them. */
  write(bytes: Uint8Array): boolean;
}

/** Takes a connection over after its 101 has been written. `head` is what the client has sent already. */
export type TakeConnection = (socket: Duplex, head: Uint8Array, takeover: Takeover) => void;

/** The same function, called in the context in which this is called: a connection is taken over long after its handler has returned. */
export function inThisContext(take: TakeConnection): TakeConnection {
  const inContext = currentContext();
  return (socket, head, takeover) => {
    inContext(() => take(socket, head, new TakeoverInContext(takeover, inContext)));
  };
}

class TakeoverInContext implements Takeover {
  readonly #takeover: Takeover;
  readonly #inContext: ReturnType<typeof currentContext>;

  constructor(takeover: Takeover, inContext: ReturnType<typeof currentContext>) {
    this.#takeover = takeover;
    this.#inContext = inContext;
  }

  get stopping(): AbortSignal {
    return this.#takeover.stopping;
  }

  get straight(): StraightWriter | undefined {
    return this.#takeover.straight;
  }

  report(error: unknown): void {
    this.#inContext(() => this.#takeover.report(error));
  }

  whenStopping(call: () => void): void {
    whenStopping(this.#takeover, call);
  }
}

/** Calls a function when the server begins to stop, at once when it has. */
export function whenStopping(takeover: Takeover, call: () => void): void {
  if (takeover.whenStopping) return takeover.whenStopping(call);
  const { stopping } = takeover;
  if (stopping.aborted) call();
  else stopping.addEventListener('abort', call, { once: true });
}
