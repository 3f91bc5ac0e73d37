/**
 * A client that speaks HTTP in the clear to a port with TLS: it is told so, in the clear.
 *
 * @module
 */
import type { Socket } from 'node:net';
import { CLOSE, serializeHead } from '../../h1/serializer.ts';
import { Response } from '../../http/response.ts';
import { socketUnder } from '../socket/address-of.ts';
import { linger } from '../socket/linger.ts';

const TEXT = 'This port speaks HTTPS: use https:// in the address\n';

/** Ends a connection whose handshake has failed: with 400, when what came was a request in the clear. */
export function endHandshake(error: NodeJS.ErrnoException, socket: Socket): void {
  const under = socketUnder(socket);
  if (error.code !== 'ERR_SSL_HTTP_REQUEST' || !under) return void socket.destroy();
  const { status, list } = Response.text(TEXT).withStatus(400);
  under.write(serializeHead(status, list.wire, '', TEXT.length, CLOSE) + TEXT, 'latin1');
  linger(under);
}
