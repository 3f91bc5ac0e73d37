/**
 * The three ways a connection ends: after the last answer; lingering, when its client may still be sending (RFC 9112 §9.6); and cut, inside
 * a response.
 *
 * A close with unread input would make the kernel reset the connection and destroy the answer on its way. So the write side is shut down
 * first; then input is read and dropped until the client has ended its side, for a bounded time. Past a bounded number of bytes nothing
 * more is read, and flow control stops the client until the time is up.
 *
 * @module
 */
import type { Socket } from 'node:net';

/** How long a client may take to notice that it has been answered, ms. */
const LINGER_TIME = 5000;
/**
 * Most bytes read and dropped: above any default body limit, so that a client which reads only after sending everything can read its
 * answer.
 */
const LINGER_BYTES = 64 * 1024 * 1024;

/**
 * Ends a socket after what was written to it.
 *
 * @param isUnread Whether the client may have sent, or be sending, what is not read: then the end lingers.
 * @param isOut Whether the system has accepted all that was written, and ends the connection after it by itself.
 */
export function end(socket: Socket, isUnread: boolean, isOut: boolean): void {
  if (isUnread) return linger(socket);
  if (isOut) return void socket.destroy();
  socket.resume();
  socket.destroySoon();
}

/** Ends a socket so that the client can read what it was sent. */
export function linger(socket: Socket): void {
  let dropped = 0;
  let timer: NodeJS.Timeout | undefined;
  socket.on('data', (bytes: Buffer) => {
    dropped += bytes.length;
    if (dropped > LINGER_BYTES) socket.pause();
  });
  socket.on('end', () => socket.destroySoon());
  socket.on('close', () => clearTimeout(timer));
  socket.resume();
  socket.end(() => {
    timer = setTimeout(() => socket.destroy(), LINGER_TIME); // from when the answer is out, however slowly it was read
    timer.unref();
  });
  if (socket.readableEnded) socket.destroySoon();
}

/**
 * Cuts a connection inside a response.
 *
 * @param isUnframed Whether only the end of the connection ends the body: a plain close would make it look complete, a reset does not.
 */
export function cut(socket: Socket, isUnframed: boolean): void {
  const isTcp = socket.remoteAddress !== undefined && !('encrypted' in socket); // under TLS the missing close_notify shows it
  if (isUnframed && isTcp) socket.resetAndDestroy();
  else socket.destroy();
}
