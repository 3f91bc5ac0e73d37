/**
 * Joins two connections that have left HTTP (RFC 9110 §7.8): what comes from one goes to the other, no faster than the other reads it.
 *
 * @module
 */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type TakeConnection, type Takeover, whenStopping } from '../../http/takeover.ts';

/** How long an upstream connection waits to be taken over, ms: the response is sent at once, or never. */
const GRACE = 5000;
/** How long a client may take to close a connection whose upstream has closed, ms. */
const LINGER = 5000;

/** Returns the function that takes the client's connection over. The upstream connection is closed if it is not called. */
export function tunnelTo(upstream: Duplex): TakeConnection {
  const late = setTimeout(() => upstream.destroy(), GRACE);
  late.unref();
  return (client, head, takeover) => {
    clearTimeout(late);
    if (head.length > 0) upstream.write(head);
    join(client, upstream, takeover);
  };
}

function join(client: Duplex, upstream: Duplex, takeover: Takeover): void {
  if (upstream.destroyed) {
    client.destroy();
    return;
  }
  const stop = (): void => {
    if (client.destroyed) return;
    client.unpipe(upstream);
    client.resume();
    upstream.end(); // as if the client had ended it: the upstream sends what it still has, and ends as well
  };
  client.on('error', () => {});
  client.on('close', () => upstream.destroy());
  upstream.on('close', () => closeClient(client, upstream.readableEnded));
  if (client instanceof Socket) client.setKeepAlive(true, 60_000); // detects a client that vanished silently
  upstream.pipe(client);
  client.pipe(upstream);
  whenStopping(takeover, stop);
}

/** Closes the client's connection when the upstream is gone: after a clean end the client still gets what is on its way to it. */
function closeClient(client: Duplex, isClean: boolean): void {
  if (!isClean) {
    client.destroy();
    return;
  }
  client.end();
  client.resume();
  const late = setTimeout(() => client.destroy(), LINGER);
  late.unref();
  client.on('close', () => clearTimeout(late));
}
