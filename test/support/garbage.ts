/**
 * The garbage collector, called by name: for tests of what must not be collected.
 *
 * @module
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Has the engine collect all garbage, and waits until those that are notified of it have been. */
export async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let i = 0; i < 3; i++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    collect();
  }
  await new Promise<void>((resolve) => setImmediate(resolve));
}
