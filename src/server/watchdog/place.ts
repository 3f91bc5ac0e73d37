/**
 * Finds the line of the user's code that a thread is executing, from outside and without its help.
 *
 * The inspector interrupts running JavaScript within a millisecond, even `for(;;)`, a runaway regular expression or Atomics.wait. It cannot
 * interrupt a call that waits in the system: then no answer comes, and we stop waiting after a moment.
 *
 * @module
 */
import { Session } from 'node:inspector';
import type { Worker } from 'node:worker_threads';
import { originalPlace, shownPlace } from '../../exchange/explain/original-place.ts';
import { scriptPath } from '../../process/place/script-path.ts';
import { INSPECTION_TIME } from './message.ts';

/** How many frames of a stack are told: of a deep recursion the innermost. */
const MOST_FRAMES = 50;
/** After how long a thread that has not paused is asked again; then after twice as long, and so on. Milliseconds. */
const FIRST_PATIENCE = 100;

/** A frame as the inspector reports it; lines and columns count from 0. */
interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly location: { readonly scriptId: string; readonly lineNumber: number; readonly columnNumber?: number };
}

type InspectorMessage =
  | { readonly id: number; readonly method?: undefined }
  | {
      readonly id?: undefined;
      readonly method: 'Debugger.scriptParsed';
      readonly params: { readonly scriptId: string; readonly url: string };
    }
  | { readonly id?: undefined; readonly method: 'Debugger.paused'; readonly params: { readonly callFrames: readonly CallFrame[] } };

/** Reads the frames of a thread that has been asked to pause from the messages of its inspector. */
class FrameReader {
  readonly #urls: Map<string, string> = new Map();

  /** @returns The frames, once the thread has paused. */
  take(message: InspectorMessage): readonly CallFrame[] | undefined {
    if (message.method === 'Debugger.scriptParsed') this.#urls.set(message.params.scriptId, message.params.url);
    if (message.method !== 'Debugger.paused') return undefined;
    return message.params.callFrames.map((frame) => ({ ...frame, url: this.#urls.get(frame.location.scriptId) ?? frame.url }));
  }
}

/** What threads are asked for and have not answered yet: whoever wants to know of the same thread gets the same answer. */
const asked: WeakMap<Worker, Promise<readonly CallFrame[] | undefined>> = new WeakMap();

/**
 * Finds the line that a handler thread is executing.
 *
 * @param own Where our own frames lie, which are skipped; see own-code.ts.
 * @returns `at work (src/server.ts:12:5)`; undefined when it cannot be interrupted.
 */
export async function placeOf(worker: Worker, own: string | undefined): Promise<string | undefined> {
  const frames = await inTime(framesOf(worker));
  return frames && describePlace(frames, own);
}

/** The same, however long it takes: until the thread can be interrupted, or has ended. */
export async function placeOnceThere(worker: Worker, own: string | undefined): Promise<string | undefined> {
  const frames = await framesOf(worker);
  return frames && describePlace(frames, own);
}

/** Finds all that a handler thread is inside of, innermost first, 50 frames at most; undefined when it cannot be interrupted. */
export async function stackOf(worker: Worker): Promise<readonly string[] | undefined> {
  const frames = await inTime(framesOf(worker));
  return frames && described(frames);
}

function framesOf(worker: Worker): Promise<readonly CallFrame[] | undefined> {
  const frames = asked.get(worker) ?? askForFrames(worker);
  asked.set(worker, frames);
  return frames;
}

async function inTime<F>(frames: Promise<F>): Promise<F | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const overdue = new Promise<undefined>((settle) => {
    timer = setTimeout(settle, INSPECTION_TIME, undefined);
  });
  const found = await Promise.race([frames, overdue]);
  clearTimeout(timer);
  return found;
}

/**
 * Has a thread pause, and go on at once.
 *
 * A thread that does not answer in time may do so later: when its system call returns, it pauses in the debugger and must be resumed, or it
 * would stay there for ever, and not even `terminate` could end it. So the session stays open until the thread has answered or ended.
 */
function askForFrames(worker: Worker): Promise<readonly CallFrame[] | undefined> {
  return new Promise((settle) => {
    const session = new Session();
    const reader = new FrameReader();
    let sessionId: string | undefined;
    let count = 0;
    let frames: readonly CallFrame[] | undefined;
    let farewell: number | undefined;
    let askNoMore = (): void => {};
    session.connect();
    const finish = (): void => {
      askNoMore();
      session.disconnect();
      asked.delete(worker);
      settle(frames);
    };
    const ask = (method: string): number => {
      const message = JSON.stringify({ id: ++count, method });
      session.post('NodeWorker.sendMessageToWorker', { message, sessionId: sessionId as string }, () => {});
      return count;
    };
    session.on('NodeWorker.attachedToWorker', ({ params }) => {
      if (!params.workerInfo.title.startsWith(`[worker ${worker.threadId}]`)) return; // its workerId is only a count
      sessionId = params.sessionId;
      ask('Debugger.enable');
      askNoMore = askAgain(() => ask('Debugger.pause'));
    });
    session.on('NodeWorker.detachedFromWorker', ({ params }) => {
      if (params.sessionId === sessionId) finish();
    });
    session.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
      if (params.sessionId !== sessionId) return;
      const message = JSON.parse(params.message) as InspectorMessage;
      if (message.id !== undefined && message.id === farewell) return finish();
      const found = reader.take(message);
      if (!found) return;
      askNoMore();
      frames ??= found;
      ask('Debugger.resume');
      farewell = ask('Debugger.disable');
    });
    session.post('NodeWorker.enable', { waitForDebuggerOnStart: false }, (error) => {
      if (error) finish();
    });
  });
}

/**
 * Asks for a pause until it is told to stop. V8 says that it will pause and forgets it, once in some hundred times, when it is asked in the moment in
 * which a script begins. A thread that has two such wishes may pause twice, also after it went on: only a session that has disabled its debugger is
 * closed without a pause that nobody ends.
 *
 * @returns Stops it.
 */
function askAgain(ask: () => void): () => void {
  let timer: NodeJS.Timeout;
  const askEvery = (patience: number): void => {
    ask();
    timer = setTimeout(askEvery, patience, patience * 2).unref();
  };
  askEvery(FIRST_PATIENCE);
  return () => clearTimeout(timer);
}

/** Where the main thread stands. */
export interface MainPlace {
  readonly place: string | undefined;
  /** All that it is inside of, innermost first. */
  readonly stack: readonly string[];
  /** The value of the expression that was asked for. */
  readonly value: string;
}

/**
 * Finds the line that the main thread is executing; called in a thread beside it.
 *
 * @param expression Evaluated there while it is paused; must yield a string.
 * @param own Where our own frames lie, which are skipped; see own-code.ts.
 * @returns The place and the value of the expression; undefined when it cannot be interrupted.
 */
export function mainPlace(expression: string, own: string | undefined): Promise<MainPlace | undefined> {
  return new Promise((settle) => {
    const session = new Session();
    const reader = new FrameReader();
    try {
      session.connectToMainThread();
    } catch {
      return settle(undefined); // not every runtime has it
    }
    const finish = (result: MainPlace | undefined): void => {
      clearTimeout(timer);
      session.disconnect();
      settle(result);
    };
    const timer = setTimeout(finish, INSPECTION_TIME, undefined);
    session.on('inspectorNotification', (message) => {
      const frames = reader.take(message as unknown as InspectorMessage);
      if (!frames) return;
      session.post('Runtime.evaluate', { expression, silent: true }, (error, answer) => {
        const value: unknown = error ? '' : answer.result.value;
        session.post('Debugger.resume', () =>
          finish({ place: describePlace(frames, own), stack: described(frames), value: typeof value === 'string' ? value : '' }),
        );
      });
    });
    session.post('Debugger.enable', () => {});
    session.post('Debugger.pause', () => {});
  });
}

/** The user's innermost line among frames. In a bundle, which holds our code and that of packages as well, a source map tells whose a frame is. */
function describePlace(frames: readonly CallFrame[], own: string | undefined): string | undefined {
  const [innermost] = frames;
  if (!innermost) return undefined;
  for (const frame of frames) {
    const { url } = frame;
    if (!url.startsWith('file:') || url.includes('/node_modules/') || (own !== undefined && url.startsWith(own))) continue;
    const place = placeIn(frame);
    if (!place.includes('/node_modules/') && !place.startsWith('node_modules/')) return atFrame(frame, place);
  }
  return atFrame(innermost, placeIn(innermost));
}

function described(frames: readonly CallFrame[]): string[] {
  return frames.slice(0, MOST_FRAMES).map((frame) => atFrame(frame, placeIn(frame)));
}

function atFrame({ functionName }: CallFrame, place: string): string {
  return `at ${functionName || 'a function without a name'} (${place})`;
}

/** The place of a frame, in the original source where a source map names it. */
function placeIn({ url, location }: CallFrame): string {
  const line = location.lineNumber + 1;
  const column = (location.columnNumber ?? 0) + 1;
  const path = scriptPath(url);
  return path === undefined ? `${url}:${line}:${column}` : shownPlace(originalPlace({ path, line, column }));
}
