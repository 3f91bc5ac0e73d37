/**
 * Passes a request that offers to switch protocols to a handler of node:http's event `upgrade`.
 *
 * The handler writes the head of its answer itself, as bytes. A client of node:http reads it at the other end of the pair (`pair.ts`): a 101 becomes
 * an answer of ours that takes the connection over, anything else a response like any other, so that all of it holds for TLS, handler threads and
 * HTTP/2 as well. After the 101 the two connections are joined.
 *
 * @module
 */
import type { IncomingMessage, Server } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { withoutConnection } from '../../exchange/outgoing.ts';
import type { Request } from '../../http/request.ts';
import { HttpError, Response } from '../../http/response.ts';
import { type Takeover, whenStopping } from '../../http/takeover.ts';
import type { PairedSocket } from './pair.ts';
import { ask, guarded, pairsOf, receiveErrors, type Switched, silentServer } from './passing.ts';

/** What is called with the event `upgrade`. */
type UpgradeHandler = (req: IncomingMessage, socket: Duplex, head: Buffer) => unknown;

/** What is done when the server stops, instead of ending the connection at once. @param end Ends it, as if the client had. */
type OnStopping = (request: Request, end: () => void) => void;

/** How long a connection waits to be taken over after its 101, ms: the response is sent at once, or never. */
const GRACE = 5000;
/** How long a client may take to close a connection that the handler has closed, ms. */
const LINGER = 5000;

/** By connection, who handles its upgrade. */
const handlers: WeakMap<object, UpgradeHandler> = new WeakMap();

/** The server that reads the requests. */
let server: Server | undefined;

/** Passes a request to a handler. @param protocols The value of Upgrade. @returns The answer, once its head is there. */
export async function visitUpgrade(
  request: Request,
  protocols: string,
  handler: UpgradeHandler,
  onStopping: OnStopping = endAtOnce,
): Promise<Response> {
  const response = await ask(request, {
    server: upgradeServer(),
    connection: ['Connection', 'Upgrade', 'Upgrade', protocols],
    onConnection: (far) => void handlers.set(far, handler),
    onSwitch: (switched) => takingOver(request, switched, onStopping),
    brokenOff: refused,
  });
  // What has refused an upgrade has closed its connection; over HTTP/2 that is the stream, which ends with its response.
  return response.take || request.httpVersion === '2.0' ? response : response.withHeader('Connection', 'close');
}

function upgradeServer(): Server {
  server ??= silentServer().on('upgrade', (req, socket, head) => guarded(socket, () => handlers.get(socket)?.(req, socket, head)));
  return server;
}

/** The connection was closed without an answer, which is how handlers refuse what is not theirs. */
function refused(cause: Error): HttpError {
  return new HttpError(400, 'The upgrade was refused: its connection was closed without an answer', { code: 'upgrade-refused', cause });
}

function takingOver(request: Request, { incoming, far, early }: Switched, onStopping: OnStopping): Response {
  const { near } = far;
  near.on('error', ignore);
  let broken: Error | undefined;
  receiveErrors(far, (error) => {
    broken ??= error;
    near.destroy();
  });
  const leave = (): void => void near.destroy();
  const late = setTimeout(leave, GRACE).unref();
  request.signal.addEventListener('abort', leave, { once: true });
  const headers = withoutConnection(pairsOf(incoming.rawHeaders)).filter(([name]) => name.toLowerCase() !== 'upgrade');
  const { upgrade = '' } = incoming.headers;
  return Response.upgrade(
    upgrade,
    (client, head, takeover) => {
      clearTimeout(late);
      request.signal.removeEventListener('abort', leave);
      receiveErrors(far, (error) => {
        takeover.report(error);
        near.destroy();
        client.destroy();
      });
      if (broken) takeover.report(broken);
      if (head.length > 0) near.write(head);
      if (early.length > 0) client.write(early);
      join(client, far, takeover, (end) => onStopping(request, end));
    },
    headers,
  );
}

/** Joins the client's connection and the handler's: what comes from one goes to the other, no faster than the other reads it. */
function join(client: Duplex, far: PairedSocket, takeover: Takeover, onStopping: (end: () => void) => void): void {
  const { near } = far;
  if (near.destroyed) {
    client.destroy();
    return;
  }
  const stop = (): void => {
    if (client.destroyed) return;
    onStopping(() => {
      client.unpipe(near);
      client.resume();
      near.end(); // as if the client had ended it: handlers of any protocol understand that
    });
  };
  client.on('error', ignore);
  client.on('close', () => {
    near.resume();
    const isStillRead = near.writableEnded && !far.readableEnded && !far.destroyed;
    if (!isStillRead) near.destroy();
    else far.once('end', () => near.destroy()); // with what has come
  });
  const part = (): void => void (near.readableEnded ? linger(client) : near.once('end', () => linger(client)));
  if (far.closed) part();
  else far.on('close', part);
  if (client instanceof Socket) client.setKeepAlive(true, 60_000); // detects a client that vanished silently
  near.on('data', (bytes: Buffer) => {
    if (client.write(bytes)) return;
    near.pause();
    client.once('drain', () => near.resume());
  });
  far.straight = takeover.straight;
  near.once('end', () => client.end());
  client.pipe(near);
  whenStopping(takeover, stop);
}

/** The handler has closed its connection: the client still gets what is on its way to it. */
function linger(client: Duplex): void {
  if (client.destroyed) return;
  client.end();
  const late = setTimeout(() => client.destroy(), LINGER).unref();
  client.on('close', () => clearTimeout(late));
}

function ignore(): void {}

function endAtOnce(_request: Request, end: () => void): void {
  end();
}
