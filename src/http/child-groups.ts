/**
 * The process groups that helpers have started and not yet seen the end of.
 *
 * A handler thread that is stopped can end nothing any more; so it tells its main thread of each group, and that ends those which are left.
 *
 * @module
 */

/** Is told of a group when it starts, and when it has ended. */
export type WatchGroup = (id: number, isRunning: boolean) => void;

let watch: WatchGroup = () => {};

/** @internal Told by the server in a thread that may be stopped. */
export function watchGroupsWith(watcher: WatchGroup): void {
  watch = watcher;
}

/** Says that a process group has been started, or has ended. */
export function noteGroup(id: number, isRunning: boolean): void {
  watch(id, isRunning);
}
