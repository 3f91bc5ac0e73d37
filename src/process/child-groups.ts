/**
 * The process groups that helpers have started and that have not yet ended.
 *
 * A handler thread that is stopped can no longer end anything, so it notifies its main thread of each group, and the main thread then ends
 * those that are left.
 *
 * @module
 */

/** Notified of a group when it starts, and when it has ended. */
export type WatchGroup = (id: number, isRunning: boolean) => void;

let watch: WatchGroup = () => {};

/** @internal Registered by the server in a thread that may be stopped. */
export function watchGroupsWith(watcher: WatchGroup): void {
  watch = watcher;
}

/** Notes that a process group has started. */
export function groupStarted(id: number): void {
  watch(id, true);
}

/** Notes that a process group has ended. */
export function groupEnded(id: number): void {
  watch(id, false);
}
