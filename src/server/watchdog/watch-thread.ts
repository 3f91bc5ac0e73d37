/**
 * The inside of the thread that watches a process; watch.ts has the theory.
 *
 * The main thread may be stuck at any moment, so nothing here may wait for it: lines are written to descriptors directly, and a worker
 * whose primary is gone is killed, not asked.
 *
 * @module
 */
import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { workerData } from 'node:worker_threads';
import { escaped, quoted } from '../../http/escaped.ts';
import { WaitBoard } from '../../process/wait-board.ts';
import { logAs, logAtOnce } from '../operator-log.ts';
import { Lines, type Standing, WATCH_PIPE, type Watched, type WatchMessage, type WatchQuestion } from './message.ts';
import { type MainPlace, mainPlace } from './place.ts';

/** How long a worker without a primary has before it is killed, ms: longer than the 5 s in which one that is not stuck leaves by itself. */
const ORPHAN_TIME = 7000;
/** How often the process checks who its parent is, ms. */
const PARENT_INTERVAL = 1000;
/** Run in the main thread by the inspector: describes the request whose handler is being called, and says how long the event loop has stood still. */
const CURRENT = `(() => {
  const { current, clock } = globalThis[Symbol.for('filrouge.service')];
  return JSON.stringify({ request: current && { method: current.method, path: current.path }, ms: Math.round(performance.now() - clock.now) });
})()`;

const watched = (workerData as { readonly filrougeWatch: Watched }).filrougeWatch;
const waits = new WaitBoard(watched.waits);
logAs(watched.log);
watch(watched);

function watch({ beat, handlerTimeout, slowRequest, hasPrimary }: Watched): void {
  if (hasPrimary) {
    watchParent();
    answerPrimary();
  }
  const bounds = [handlerTimeout, slowRequest].filter((bound) => bound > 0);
  if (bounds.length === 0) return;
  const counter = new Int32Array(beat);
  let count = Atomics.load(counter, 0);
  let since = performance.now();
  let isTold = false;
  let isSlow = false;
  setInterval(
    () => {
      const now = performance.now();
      if (Atomics.load(counter, 0) !== count) {
        count = Atomics.load(counter, 0);
        since = now;
        isTold = false;
        isSlow = false;
      } else if (handlerTimeout > 0 && now - since > handlerTimeout && !isTold) {
        isTold = true;
        void tellStuck(now - since, hasPrimary);
      } else if (slowRequest > 0 && now - since > slowRequest && !isSlow) {
        isSlow = true;
        void mainPlace(CURRENT, watched.own).then((found) =>
          logAtOnce('slow', `${nameOf(found)} is slow: ${Math.round(now - since)} ms, and ${placeIn(found)}`),
        );
      }
    },
    Math.max(10, Math.min(...bounds) / 20),
  );
}

/** Tells the primary where the main thread stands, when that does not answer itself. */
function answerPrimary(): void {
  const pipe = new Socket({ fd: WATCH_PIPE, readable: true, writable: false });
  const lines = new Lines();
  pipe.on('error', () => {}); // `watchParent` sees that the primary is gone
  pipe.on('data', (piece: Buffer) => {
    for (const line of lines.take(piece)) void answer((JSON.parse(line) as WatchQuestion).id);
  });
}

async function answer(id: number): Promise<void> {
  const { waitsIn } = waits;
  const found = watched.isInline ? await mainPlace(CURRENT, watched.own) : undefined;
  tellPrimary({ id, standing: found && { ...heldBy(found), waitsIn, place: found.place, stack: found.stack } });
}

function tellPrimary(message: WatchMessage): void {
  writeSync(WATCH_PIPE, `${JSON.stringify(message)}\n`);
}

async function tellStuck(ms: number, hasPrimary: boolean): Promise<void> {
  const found = await mainPlace(CURRENT, watched.own);
  const what = `${nameOf(found)} has taken ${Math.round(ms)} ms and ${placeIn(found)}`;
  if (!hasPrimary) return logAtOnce('stuck', `${what}; nobody is there to replace this process`);
  tellPrimary({ what });
}

function nameOf(found: MainPlace | undefined): string {
  const request = found && heldBy(found).request;
  return request ? `${escaped(request.method)} ${quoted(request.path)}` : 'something';
}

/** What `CURRENT` has said. */
function heldBy({ value }: MainPlace): Partial<Pick<Standing, 'request' | 'ms'>> {
  return value === '' ? {} : (JSON.parse(value) as Pick<Standing, 'request' | 'ms'>);
}

function placeIn(found: { readonly place: string | undefined } | undefined): string {
  const call = waits.waitsIn;
  if (call !== undefined) return `waits in ${call}`;
  return `stands ${found?.place ?? 'in a call that cannot be looked into'}`;
}

function watchParent(): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) setTimeout(() => process.kill(process.pid, 'SIGKILL'), ORPHAN_TIME);
  }, PARENT_INTERVAL);
}
