/**
 * The threads of the bare primitive for test/bench/lib/calls.mjs: one that answers, and those that call it. No more than any such call must do: a message
 * there, `Atomics.wait`, and a message back.
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { Pool } from 'pg';
import { Agent, request } from 'undici';

if (workerData.port) call(workerData);
else answer(await functionOf(workerData));

/** What is asked for, as one would write it with `await`. */
async function functionOf({ kind, origin }) {
  if (kind === 'nothing') return undefined;
  if (kind === 'get') {
    const dispatcher = new Agent({ connections: 64 });
    return async () => (await request(`${origin}/`, { dispatcher })).body.text();
  }
  const pool = new Pool({ max: 16 });
  return async () => (await pool.query('select 1')).rows;
}

function answer(run) {
  parentPort.on('message', ({ port, cell }) => {
    const back = (value) => {
      port.postMessage(value);
      Atomics.add(cell, 0, 1);
      Atomics.notify(cell, 0);
    };
    port.on('message', run ? () => void run().then(back) : back);
  });
  parentPort.postMessage('ready', []);
}

function call({ port, cell }) {
  parentPort.on('message', (calls) => {
    for (let i = 0; i < calls; i++) {
      const before = Atomics.load(cell, 0);
      port.postMessage(i);
      for (let found; !found; found = receiveMessageOnPort(port)) Atomics.wait(cell, 0, before);
    }
    parentPort.postMessage('done', []);
  });
}
