/**
 * `startServer` in a handler thread: the handler is given to the main thread's pool, and nothing listens here.
 *
 * @module
 */
import { type MessagePort, workerData } from 'node:worker_threads';
import type { Answering, Handler } from '../../../exchange/respond.ts';
import { withCode } from '../../../http/errors/error-codes.ts';
import { watchGroupsWith } from '../../../process/child-groups.ts';
import { countHitsWith } from '../../../process/hits.ts';
import { callsFor } from '../../../process/io-threads.ts';
import { refuseSeveralThreads } from '../../../process/one-memory.ts';
import { noteFilesIn } from '../../../process/place/held-files.ts';
import { logAs } from '../../operator-log.ts';
import type { ResolvedOptions, RunningServer } from '../../options.ts';
import { withWord } from '../../recording/word-of-failure.ts';
import { Board } from '../board.ts';
import type { ThreadData } from '../wire.ts';
import { joinChannels } from './channels.ts';
import { ThreadSide } from './thread.ts';

/** The thread's side of the messages, be the thread a real one or only played; requests are taken from now on. */
export function openSide(
  handler: Handler,
  options: ResolvedOptions,
  port: MessagePort,
  board: Board,
): { side: ThreadSide; answering: Answering } {
  const { answers, word } = withWord(options);
  const answering: Answering = { handler, options: answers, requests: 0, current: undefined };
  const side = new ThreadSide(answering, options.bodyMemory, port, board);
  word.post = side.post;
  return { side, answering };
}

/** Takes requests from now on. Resolves when the server listens. */
export async function startThread(handler: Handler, options: ResolvedOptions): Promise<RunningServer> {
  if (options.threads.max > 1) refuseSeveralThreads(`${options.threads.max} handler threads`);
  logAs(options.log);
  const { port, shared, root } = (workerData as { readonly filrouge: ThreadData }).filrouge;
  const board = new Board(shared);
  noteFilesIn(board);
  const { side, answering } = openSide(handler, options, port, board);
  joinChannels(side, root); // before handlers are here: what is told of that publishes
  callsFor({ isBusy: () => answering.current !== undefined, id: () => board.running });
  watchGroupsWith((id, isRunning) => side.post(['group', id, isRunning]));
  countHitsWith((...question) => side.hits.ask(...question));
  const { address, url } = await side.listening;
  const close = ({ timeout }: { timeout?: number | undefined } = {}): Promise<void> => {
    side.close(timeout);
    return side.closed;
  };
  return {
    url,
    address,
    role: 'thread',
    closed: side.closed,
    close,
    reload: () => Promise.reject(notHere('reload')),
    status: () => side.server.status(),
    activity: () => side.server.activity(),
    stackOf: (pid, thread) => side.server.stackOf(pid, thread),
    [Symbol.asyncDispose]: () => close(),
  };
}

function notHere(what: string): Error {
  return withCode(
    new Error(`Cannot ${what}: this is a handler thread; ask the server that startServer gave to the primary (role "primary")`),
    'bad-option',
  );
}
