/**
 * How a client of the engine is closed so that it notices at once and comes again.
 *
 * One that polls notices in its poll, or when the next one is refused. In the middle of an upgrade it is another matter. A client that has the pong for its
 * probe waits for one more answer to its poll, whatever that is, and sends `5` over the websocket:
 *
 *     ping probe ──▶ ◀── pong probe    it does not poll again after the poll that waits
 *          6, or packets ◀──           from here on it listens to the websocket
 *                      5 ──▶           from here on it is upgraded
 *
 * If the websocket breaks off between the pong and that answer, it hears nothing more, neither by poll nor by websocket, until its heartbeat fails after
 * 45 s. So the websocket of a client stays open until it has sent `5`, unless the client can still be told by poll; and when it breaks off nonetheless, the
 * poll that waits is answered with a close.
 *
 * @module
 */
import type { EventEmitter } from 'node:events';

/** What the declarations of the engine keep to themselves. */
interface Transport extends EventEmitter {
  readonly name: string;
  /** Whether a poll waits; a websocket nearly always is. */
  readonly writable: boolean;
}

/** A client of the engine. */
export interface EngineClient extends EventEmitter {
  readonly transport: Transport;
  /** A websocket has been opened beside its polls. */
  readonly upgrading: boolean;
  /** @param discard Do not wait until the client can be told. */
  close(discard: boolean): void;
}

/** Closes a client when the websocket that it would upgrade to breaks off. */
export function watchUpgrade(client: EngineClient): void {
  client.on('upgrading', (websocket: Transport) => {
    websocket.once('close', () => {
      if (client.transport !== websocket) closePolling(client);
    });
  });
}

/** Closes a client that polls: at once, unless it is so far in an upgrade that it would not notice. */
export function leave(client: EngineClient): void {
  const { transport } = client;
  if (!client.upgrading || transport.writable) return closePolling(client);
  const onReady = (): void => {
    if (transport.writable) client.close(false); // or something waited, which the poll was answered with
  };
  const onUpgrade = (): void => client.close(false);
  transport.on('ready', onReady);
  client.once('upgrade', onUpgrade);
  client.once('close', () => {
    transport.off('ready', onReady);
    client.off('upgrade', onUpgrade);
  });
}

function closePolling(client: EngineClient): void {
  client.close(!client.transport.writable); // without a poll that waits nobody can be told, and the next one is refused
}
