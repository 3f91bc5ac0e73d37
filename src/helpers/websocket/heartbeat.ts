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
  readonly isPaused: boolean;
  /** Called once, when nothing has come since the last ping. */
  giveUp(): void;
}

interface Heart {
  readonly patient: Patient;
  wasHeard: boolean;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Pings in intervals. Any byte counts as a sign of life: the pong may stand behind a long message on a slow line.
 *
 * @param interval Milliseconds; 0: no pings.
 */
export function startHeartbeat(socket: Duplex, interval: number, patient: Patient): void {
  if (interval === 0) return;
  const heart: Heart = { patient, wasHeard: true, timer: undefined };
  socket.on('data', () => {
    heart.wasHeard = true;
  });
  heart.timer = setInterval(beat, interval, heart).unref();
  socket.on('close', () => clearInterval(heart.timer));
}

/** Judges behind the reads of this turn: after a long calculation the timer is due first, while the answer already lies in the socket. */
function beat(heart: Heart): void {
  setImmediate(judge, heart);
}

function judge(heart: Heart): void {
  const { patient } = heart;
  if (!heart.wasHeard && !patient.isPaused) {
    clearInterval(heart.timer);
    patient.giveUp();
    return;
  }
  heart.wasHeard = false;
  patient.ping();
}
