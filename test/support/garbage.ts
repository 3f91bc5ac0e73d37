/**
 * The garbage collector, called by name: for tests of what must not be collected.
 *
 * @module
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Makes the function that has the engine collect all garbage. */
export function createCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

/** Has the engine collect all garbage, and waits until those that are notified of it have been. */
export async function collectGarbage(): Promise<void> {
  const collect = createCollector();
  for (let i = 0; i < 3; i++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    collect();
  }
  await new Promise<void>((resolve) => setImmediate(resolve));
}
