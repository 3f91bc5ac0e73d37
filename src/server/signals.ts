/**
 * Signals to the process that leads a server: the first starts a drain, the second ends the server at once. SIGHUP never costs a request: it reloads, or
 * where nothing can be reloaded it drains; while the server stops it means nothing. A terminal sends it to all its processes when it is closed: who has
 * started the server there wants it to end, and would not see it any more; so then it drains as well.
 *
 * @module
 */
import { isatty } from 'node:tty';

/** How long the program has after the drain before the process exits, ms: time to clean up. */
export const AFTERMATH = 1000;
/**
 * A signal that follows another within this time is the same one, ms. Ctrl-C goes to the whole process group, and `node --watch`, npm and other launchers
 * pass on what they get: the server then has it twice, some milliseconds apart. Nobody presses a key twice that fast and means it.
 */
const ECHO = 500;

/**
 * Ends the process by a signal: an exit would wait for its threads, and one that a call into the system holds never ends.
 *
 * To whoever has started it, it then was ended by the SIGTERM that it was asked to stop by.
 */
export function endWithThreads(): void {
  process.removeAllListeners('SIGTERM');
  process.kill(process.pid, 'SIGTERM');
}

/**
 * Drains on SIGTERM and SIGINT, and when its terminal is closed; reloads on SIGHUP.
 *
 * @param stop Called with false for the first signal, with true for each that comes later than its echo: now.
 * @param reload Called for SIGHUP; undefined: that drains as well.
 * @returns A function that stops listening for the signals.
 */
export function drainOnSignals(stop: (isUrgent: boolean) => unknown, reload?: () => void): () => void {
  let isStopping = false;
  let first = 0;
  const hadTerminal = hasTerminal();
  const onSignal = (): void => {
    if (isStopping) {
      if (performance.now() - first >= ECHO) stop(true);
      return;
    }
    const result = stop(false);
    isStopping = true;
    first = performance.now();
    // The process ends by itself when nothing is left to do; a forgotten database connection must not keep it alive.
    void Promise.resolve(result).then(() => setTimeout(() => process.exit(), AFTERMATH).unref());
  };
  const onHangup = (): void => {
    if (isStopping) return;
    if (reload && hasTerminal() === hadTerminal) reload();
    else onSignal();
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  process.on('SIGHUP', onHangup);
  return () => {
    // While stopping they stay: a second signal must still be heard.
    if (isStopping) return;
    process.off('SIGTERM', onSignal);
    process.off('SIGINT', onSignal);
    process.off('SIGHUP', onHangup);
  };
}

/** Whether a standard stream of the process is a terminal. One that was closed is none any more. */
function hasTerminal(): boolean {
  return isatty(0) || isatty(1) || isatty(2);
}
