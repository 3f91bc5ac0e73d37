/** Where threads stand, as it is found from outside. */
import { Worker } from 'node:worker_threads';
import { expect, it, onTestFinished } from 'vitest';
import { placeOf, stackOf } from '../../../src/server/watchdog/place.ts';
import { until } from '../../support/until.ts';

/** A thread that stands in a loop of a script with this name. */
async function standing(filename: string): Promise<Worker> {
  const script = `
    const { parentPort } = require('node:worker_threads');
    parentPort.postMessage('there');
    require('node:vm').runInThisContext('function loop() { for (;;); } loop();', { filename: ${JSON.stringify(filename)} });`;
  const worker = new Worker(script, { eval: true });
  onTestFinished(() => void worker.terminate());
  await new Promise((resolve) => worker.once('message', resolve));
  return worker;
}

it.each(['file://elsewhere/pages/a.js', 'file:///pages%2Fa.js'])(
  'tells a place in a script that is called %s, which no file can be: templates are compiled under any name',
  async (name) => {
    const worker = await standing(name);
    const place = `at loop (${name}:1:19)`;
    await until(
      async () => (await placeOf(worker, undefined)) === place || undefined,
      () => `the thread to stand ${place}`,
    );
    expect((await stackOf(worker))?.[0]).toBe(place);
  },
);
