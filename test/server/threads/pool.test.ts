import type { MessagePort } from 'node:worker_threads';
import { expect, it, onTestFinished, vi } from 'vitest';
import { Request } from '../../../src/index.ts';
import type { ServerHost } from '../../../src/server/host.ts';
import { resolveOptions, type ServerOptions } from '../../../src/server/options.ts';
import { Board, INBOX } from '../../../src/server/threads/board.ts';
import { HandlerThread } from '../../../src/server/threads/handler-thread.ts';
import { ThreadPool } from '../../../src/server/threads/pool.ts';
import type { ToThread } from '../../../src/server/threads/wire.ts';
import { until } from '../../support/until.ts';

/** A pool of one thread that is played here, and does with the requests that come what the test says. */
async function poolOfOne(
  options: ServerOptions,
  onRequest: (id: number, board: Board, target: string) => void,
): Promise<{ pool: ThreadPool; boards: readonly Board[] }> {
  const boards: Board[] = [];
  const ports: MessagePort[] = [];
  const pool = new ThreadPool(
    resolveOptions({ workers: 0, threads: 1, log: 'off', ...options }),
    ({ port, shared }) => {
      const board = new Board(shared);
      boards.push(board);
      ports.push(port);
      port.on('message', (items: readonly ToThread[]) => {
        for (const item of items) if (item[0] === 'request') onRequest(item[1], board, item[3]);
      });
      port.postMessage([['ready']]);
      return { worker: undefined, stop: () => Promise.resolve(true) };
    },
    {} as ServerHost,
  );
  onTestFinished(async () => {
    await pool.close();
    for (const port of ports) port.close();
  });
  await pool.start();
  return { pool, boards };
}

it('gives a request anew to a thread that was slow, also when that passes over what was taken back at the same moment', async () => {
  let came = 0;
  const { pool, boards } = await poolOfOne({}, () => came++);
  const takeBack = HandlerThread.prototype.recallWaiting;
  const taken = vi.spyOn(HandlerThread.prototype, 'recallWaiting').mockImplementation(function (this: HandlerThread) {
    const flights = takeBack.call(this);
    for (const { id } of flights) expect(boards[0]?.enter(id)).toBe(false); // the thread comes to it: it was taken back
    return flights;
  });
  onTestFinished(() => taken.mockRestore());
  const answered = pool.handle(new Request({ target: '/a' }));
  await until(
    () => came >= 2 || undefined,
    () => 'it to come again',
  );
  expect(taken).toHaveBeenCalled();
  await pool.close();
  expect((await answered).status).toBe(503);
});

it('does not take a pause of the whole process for silence of a thread', async () => {
  let begun = 0;
  const { pool, boards } = await poolOfOne({ handlerTimeout: 50 }, (id, board) => {
    if (!board.enter(id)) return; // it was taken back, and comes again
    begun++;
    board.leave(); // its promise is there
  });
  const answered = pool.handle(new Request({ target: '/a' }));
  await until(
    () => begun === 1 || undefined,
    () => 'it to begin',
  );
  const now = performance.now();
  pool.tick(now); // asks for a sign of life
  pool.tick(now + 60);
  expect((await answered).status).toBe(503);
  expect(boards).toHaveLength(1);
  pool.tick(now + 70);
  expect(boards).toHaveLength(2); // it had time to give one
});

it('takes back what waits, and never what has begun, however many requests have come since', async () => {
  const came: string[] = [];
  let last = 0;
  const { pool, boards } = await poolOfOne({}, (id, board, target) => {
    came.push(target);
    if (target === '/last') last = id;
    else if (board.enter(id)) board.leave(); // its promise is there, and does not settle
  });
  const first = Array.from({ length: INBOX }, (_, i) => `/${i}`);
  const answers = first.map((target) => pool.handle(new Request({ target })));
  await until(
    () => came.length === first.length || undefined,
    () => `all of them, ${came.length} came`,
  );
  answers.push(pool.handle(new Request({ target: '/last' })));
  await until(
    () => (last > 0 && pool.figures.queued === 1) || undefined,
    () => 'one that is taken back',
  );
  expect(boards[0]?.enter(last)).toBe(false);
  await until(
    () => came.length === first.length + 2 || undefined,
    () => 'one that comes again',
  );
  expect(came).toEqual([...first, '/last', '/last']);
  await pool.close();
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(answers.map(() => 503));
});
