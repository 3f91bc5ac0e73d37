/**
 * Rejections that nobody handles, which would end the process.
 *
 * @module
 */
import { onTestFinished } from 'vitest';

/** Collects the reasons of those to come until the test is over: each is there a turn of the event loop later. */
export function watchUnhandled(): readonly unknown[] {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', note);
  onTestFinished(() => {
    process.off('unhandledRejection', note);
    for (const other of others) process.on('unhandledRejection', other);
  });
  return unhandled;
}
