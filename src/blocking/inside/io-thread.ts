/**
 * The inside of an I/O thread: loads the modules it was started with, and calls their functions for other threads of the process.
 *
 * @module
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { errorToWire } from '../errors.ts';
import { LifeCells } from '../life.ts';
import type { FromIoThread, IoThreadData, ToIoThread } from '../wire.ts';
import { Caller, type IoPlace } from './caller.ts';
import { loadFetch } from './fetch.ts';
import { preloads } from './preloads.ts';
import { Turn } from './turn.ts';

const { modules, life: buffer } = (workerData as { readonly filrougeIoThread: IoThreadData }).filrougeIoThread;
const life = new LifeCells(buffer);
const port = parentPort as MessagePort; // it is never a main thread
const callers = new Set<Caller>();
const turn = new Turn(life, callers);
const place: IoPlace = { moduleOf, turn };
const preloaded = preload();
const loaded = new Map<string, Promise<Record<string, unknown>> | Record<string, unknown>>();

process.on('exit', () => {
  life.end(); // first: whoever is woken looks there
  for (const caller of callers) caller.wake();
});
port.on('message', (message: ToIoThread) => {
  if (message[0] === 'close') void close();
  else accept(message);
});
void start();

function accept(link: Extract<ToIoThread, readonly ['link', ...unknown[]]>): void {
  const caller = new Caller(link, place);
  callers.add(caller);
  turn.joined(caller);
  link[1].on('close', () => {
    callers.delete(caller);
    caller.end(life);
    turn.look(); // it may have died between its ring and its message
  });
}

async function start(): Promise<void> {
  try {
    await Promise.all(modules.map(async (url) => moduleOf(url)));
    tell(['loaded']);
  } catch (error) {
    tell(['failed', errorToWire(error)]);
  }
}

/** Loads what is to be there before all else, one after the other, as Node does. */
async function preload(): Promise<void> {
  for (const name of preloads(process.execArgv, process.env['NODE_OPTIONS'])) await import(name);
}

/** A module by its URL: loaded once, and at once when it is there. */
function moduleOf(url: string): Promise<Record<string, unknown>> | Record<string, unknown> {
  let found = loaded.get(url);
  if (!found) {
    const loading = preloaded.then(
      () => (url.startsWith('filrouge:fetch?') ? loadFetch(url) : import(url)) as Promise<Record<string, unknown>>,
    );
    found = loading;
    loaded.set(url, loading);
    loading.then(
      (module) => loaded.set(url, module),
      () => {}, // whoever calls it gets the error
    );
  }
  return found;
}

async function close(): Promise<void> {
  for (const found of loaded.values()) {
    try {
      const { close: closing } = await found;
      if (typeof closing === 'function') await (closing as () => unknown)();
    } catch (error) {
      console.error('filrouge: a module of filrouge/blocking could not be closed:', error);
    }
  }
  tell(['closed']);
  for (const caller of callers) caller.unref(); // it ends when what it has gathered is sent, or is ended
  port.unref();
}

function tell(message: FromIoThread): void {
  port.postMessage(message);
}
