/**
 * Finds out whether the peer is still there: TCP alone would not tell for a quarter of an hour, and not at all while nothing is sent.
 *
 * @module
 */
import type { Duplex } from 'node:stream';

/** What a heartbeat needs of its connection. */
export interface Patient {
  ping(): void;
  /** Whether the peer is not being read: then its answer cannot be seen, and its silence means nothing. */
  isPaused(): boolean;
  /** Called once, when nothing has come since the last ping. */
  giveUp(): void;
}

/**
 * Pings in intervals. Any byte counts as a sign of life: the pong may stand behind a long message on a slow line.
 *
 * @param interval Milliseconds; 0: no pings.
 */
export function startHeartbeat(socket: Duplex, interval: number, patient: Patient): void {
  if (interval === 0) return;
  let wasHeard = true;
  socket.on('data', () => {
    wasHeard = true;
  });
  const judge = (): void => {
    if (!wasHeard && !patient.isPaused()) {
      clearInterval(timer);
      patient.giveUp();
      return;
    }
    wasHeard = false;
    patient.ping();
  };
  // Behind the reads of this turn: after a long calculation the timer is due first, while the answer already lies in the socket.
  const timer = setInterval(() => setImmediate(judge), interval);
  timer.unref();
  socket.on('close', () => clearInterval(timer));
}
