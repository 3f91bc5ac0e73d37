/**
 * Who wants to know when what was written is out.
 *
 * @module
 */
import type { Socket } from 'node:net';

/** Wants to know. */
export interface OutNotice {
  /** @param isOut Whether the system has accepted all of it; false when the connection is gone. */
  end(isOut: boolean): void;
}

/** Tells that it is out: at once when the system has accepted it, else when the stream says so. */
export function tellOut(socket: Socket, notices: readonly OutNotice[], isAccepted: boolean): void {
  if (socket.writable && !isAccepted) socket.write('', (error) => tellEach(notices, !error));
  else tellEach(notices, socket.writable);
}

function tellEach(notices: readonly OutNotice[], isOut: boolean): void {
  for (const notice of notices) notice.end(isOut);
}
