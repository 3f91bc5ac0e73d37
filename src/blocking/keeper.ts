/**
 * The I/O threads of a process, in the thread that has started them: the main thread, or one that is none of a server's.
 *
 *     not started ──start──▶ loading ──▶ loaded ──close──▶ not started
 *                              │            └─ dies ─▶ started again at once
 *                              └─ fails ─▶ started again later: callers get the error meanwhile
 *
 * @module
 */
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { type IoThread, ownBoard, registerIoThread, reportIoThread } from '../process/io-threads.ts';
import { WaitBoard } from '../process/wait-board.ts';
import { farewellTime } from '../process/watching/farewell.ts';
import { errorOfWire } from './errors.ts';
import { LifeCells } from './life.ts';
import { Link } from './link.ts';
import { Mailbox } from './mailbox.ts';
import { THREAD_TEXT } from './thread-text.ts';
import type { FromIoThread, IoThreadData, LinkNews, LinkParts, ToIoThread, WireError } from './wire.ts';

/** How long modules may take to close, ms. */
const CLOSE_TIME = 5000;
/** The wait before a thread is started again that died before its modules were loaded, ms: doubled each time up to the longest. */
const FIRST_DELAY = 100;
const LONGEST_DELAY = 10_000;

/** Another thread of the process that calls. */
interface Attached {
  readonly control: MessagePort;
  readonly board: WaitBoard;
}

/** A thread with one life, from its start to its end. */
interface Life {
  readonly worker: Worker;
  readonly cells: LifeCells;
  readonly loaded: Promise<void>;
  isLoaded: boolean;
  /** The server that starts throws its error. */
  isAwaited: boolean;
  isClosing: boolean;
  onClosed: () => void;
}

const keepers = new Map<string, Keeper>();

/** The keeper of the I/O thread with this name. */
export function keeperOf(key: string): Keeper {
  let keeper = keepers.get(key);
  if (!keeper) {
    keeper = new Keeper(key);
    keepers.set(key, keeper);
    registerIoThread(keeper);
  }
  return keeper;
}

/** Starts an I/O thread, and starts it again. */
export class Keeper implements IoThread {
  readonly key: string;
  readonly #modules: Map<string, string> = new Map();
  readonly #attached: Set<Attached> = new Set();
  #life: Life | undefined;
  /** For calls of this thread itself. */
  #link: Link | undefined;
  #linkedTo: Life | undefined;
  /** Deaths in a row before the modules were loaded. */
  #failures = 0;

  constructor(key: string) {
    this.key = key;
  }

  /** Names a module that the thread loads when it starts. @param label As operators read it. */
  add(url: string, label: string): void {
    this.#modules.set(url, label);
  }

  async start(): Promise<void> {
    const life = this.#alive();
    life.isAwaited = true;
    life.worker.ref(); // nothing else may keep the process alive yet
    try {
      await life.loaded;
      life.isAwaited = false;
    } catch (error) {
      const { message } = error as Error;
      throw Object.assign(new Error(`Cannot start I/O thread: ${this.#label} does not load: ${message}`, { cause: error }), {
        code: 'blocking-not-loaded',
      });
    } finally {
      life.worker.unref();
    }
  }

  attach(board: SharedArrayBuffer): object {
    const { port1: control, port2 } = new MessageChannel();
    const attached: Attached = { control, board: new WaitBoard(board) };
    this.#attached.add(attached);
    control.on('close', () => this.#attached.delete(attached));
    control.unref();
    this.#connect(attached, this.#alive());
    return port2;
  }

  async close(): Promise<void> {
    const life = this.#life;
    if (!life) return;
    life.isClosing = true;
    const closed = new Promise<void>((resolve) => {
      life.onClosed = resolve;
      setTimeout(resolve, CLOSE_TIME).unref();
    });
    life.worker.ref(); // nothing else may keep the process alive
    const message: ToIoThread = ['close'];
    life.worker.postMessage(message, []);
    await closed;
    if (farewellTime() > 0) await Promise.race([once(life.worker, 'exit'), pause(farewellTime(), undefined, { ref: false })]);
    await life.worker.terminate();
  }

  /** The link for calls of this thread itself. Its loop does not turn while it waits, so the thread's own mark says whether it lives. */
  link(): Link {
    const life = this.#alive();
    if (this.#linkedTo !== life || !this.#link) {
      this.#linkedTo = life;
      this.#link = new Link(this.#partsFor(life, ownBoard()));
    }
    return this.#link;
  }

  get #label(): string {
    return [...this.#modules.values()].join(', ');
  }

  #alive(): Life {
    if (!this.#life || this.#life.cells.isOver) this.#life = this.#begin();
    return this.#life;
  }

  #begin(): Life {
    const cells = new LifeCells();
    const data: IoThreadData = { modules: [...this.#modules.keys()], life: cells.buffer };
    const worker = new Worker(THREAD_TEXT, { eval: true, name: `filrouge: ${this.#label}`, workerData: { filrougeIoThread: data } });
    let settle = (_error?: unknown): void => {};
    const loaded = new Promise<void>((resolve, reject) => {
      settle = (error) => (error instanceof Error ? reject(error) : resolve());
    });
    loaded.catch(() => {}); // whoever waits for it hears of it
    const life: Life = { worker, cells, loaded, isLoaded: false, isAwaited: false, isClosing: false, onClosed: () => {} };
    let why = 'it ended by itself';
    worker.on('message', (message: FromIoThread) => {
      if (message[0] === 'loaded') {
        this.#failures = 0;
        life.isLoaded = true;
        settle();
      } else if (message[0] === 'closed') life.onClosed();
      else {
        why = messageOf(message[1]);
        settle(errorOfWire(message[1]));
        void worker.terminate();
      }
    });
    worker.on('error', (error: unknown) => {
      why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    });
    worker.on('exit', () => {
      settle(new Error(why));
      life.onClosed();
      this.#ended(life, why);
    });
    worker.unref();
    for (const attached of this.#attached) this.#connect(attached, life);
    return life;
  }

  #ended(life: Life, why: string): void {
    life.cells.end();
    for (const { board } of this.#attached) board.wake();
    ownBoard().wake();
    const isReplaced = this.#life !== life; // by a call of this thread
    if (!isReplaced) this.#life = undefined;
    if (life.isClosing) return isReplaced ? undefined : this.#tell({ why: 'the server has stopped' });
    const line = `the I/O thread of ${this.#label} ${life.isLoaded ? 'has died and is replaced' : 'does not start'}: ${why}`;
    if (!life.isAwaited && !reportIoThread(line)) console.error(`filrouge: ${line}`);
    if (isReplaced) return;
    if (life.isLoaded) {
      if (this.#attached.size > 0) this.#alive();
      return;
    }
    this.#tell({ why });
    if (this.#attached.size === 0) return; // a call of this thread starts it again
    setTimeout(() => this.#alive(), Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this.#failures++)).unref();
  }

  #connect(attached: Attached, life: Life): void {
    const parts = this.#partsFor(life, attached.board);
    attached.control.postMessage(parts satisfies LinkNews, [parts.port]);
    attached.board.wake();
  }

  #tell(news: LinkNews): void {
    for (const { control, board } of this.#attached) {
      control.postMessage(news, []);
      board.wake();
    }
  }

  #partsFor({ worker, cells }: Life, board: WaitBoard): LinkParts {
    const { port1, port2 } = new MessageChannel();
    const mailbox = new Mailbox().buffer;
    const message: ToIoThread = ['link', port1, board.buffer, mailbox];
    worker.postMessage(message, [port1]);
    return { port: port2, life: cells.buffer, mailbox };
  }
}

function messageOf({ stack, message }: WireError): string {
  return stack === '' ? message : stack;
}
