/**
 * Who wants to know when what was written is out.
 *
 * @module
 */
import type { Socket } from 'node:net';

/** @param isOut Whether the system has accepted all of it; false when the connection is gone. */
export type OutNotice = (isOut: boolean) => void;

/** Tells that it is out: at once when the system has accepted it, else when the stream says so. */
export function tellOut(socket: Socket, notices: readonly OutNotice[], isAccepted: boolean): void {
  const tell = (isOut: boolean): void => {
    for (const notice of notices) notice(isOut);
  };
  if (socket.writable && !isAccepted) socket.write('', (error) => tell(!error));
  else tell(socket.writable);
}
