/**
 * The option `affinity` in the primary: where the private sockets of the workers lie, what opens them, and who holds which slot.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SECRET_SIZE } from '../affinity/wire.ts';
import type { ResolvedOptions } from '../options.ts';
import { Slots } from './slots.ts';
import type { WorkerProcess } from './worker-process.ts';

/** The longest path of a folder in which a unix socket can lie, bytes: Linux has 108 for all, others 104 (sun_path), and a name follows. */
const LONGEST_FOLDER = 90;

/** Keeps the slots, and tells the workers. */
export class Registry {
  readonly #directory: string;
  readonly #secret: string = randomBytes(SECRET_SIZE).toString('hex');
  readonly #workers: Map<number, WorkerProcess> = new Map();
  readonly #slots: Slots;
  readonly #remove = (): void => rmSync(this.#directory, { recursive: true, force: true });

  private constructor(count: number) {
    const folder = join(tmpdir(), 'filrouge-');
    this.#directory = mkdtempSync(folder.length > LONGEST_FOLDER ? '/tmp/filrouge-' : folder); // nobody else may enter: 0700
    this.#slots = new Slots(count, (worker, table) => this.#workers.get(worker)?.tellTable(table));
    process.once('exit', this.#remove);
  }

  /** Undefined where there is nothing to keep. */
  static of({ affinity, workers }: ResolvedOptions): Registry | undefined {
    return affinity && workers > 1 ? new Registry(workers) : undefined;
  }

  /** A worker asks where it is to listen. */
  join(worker: WorkerProcess): void {
    const { id, slot } = worker;
    this.#workers.set(id, worker);
    worker.tellPlace({ id, slot, directory: this.#directory, secret: this.#secret });
    this.#slots.join(id, slot);
  }

  ready({ id }: WorkerProcess): void {
    this.#slots.ready(id);
  }

  leaving({ id }: WorkerProcess): void {
    this.#slots.leaving(id);
  }

  gone({ id }: WorkerProcess): void {
    this.#workers.delete(id);
    rmSync(join(this.#directory, String(id)), { force: true });
    this.#slots.gone(id);
  }

  seen({ id }: WorkerProcess, version: number): void {
    this.#slots.seen(id, version);
  }

  /** The last worker is gone. */
  close(): void {
    process.off('exit', this.#remove);
    this.#remove();
  }
}
