/**
 * Signals of the process that leads a server: the first asks for a drain, the second does not ask.
 *
 * @module
 */

/** How long the program may go on after the drain before the process ends itself: time for its own cleaning up. */
const AFTERMATH = 1000;

/**
 * Drains on SIGTERM and SIGINT.
 *
 * @param stop Called with false for the first signal, with true for the second: now.
 * @returns Lets go of the signals.
 */
export function drainOnSignals(stop: (isUrgent: boolean) => unknown): () => void {
  let isStopping = false;
  const onSignal = (): void => {
    const result = stop(isStopping);
    if (isStopping) return;
    isStopping = true;
    // The process ends by itself when nothing is left to do; a database connection that somebody forgot must not hold it.
    void Promise.resolve(result).then(() => setTimeout(() => process.exit(), AFTERMATH).unref());
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return () => {
    // While stopping they stay: a second signal must still find somebody.
    if (isStopping) return;
    process.off('SIGTERM', onSignal);
    process.off('SIGINT', onSignal);
  };
}
