/**
 * A worker's word with the primary about `affinity`: the other side of registry.ts.
 *
 * @module
 */
import type { AffinityTable } from '../../affinity/table.ts';
import type { AffinityHost, AffinityPlace } from '../../host.ts';
import type { PrimaryMessage, WorkerMessage } from '../messages.ts';

/** What the primary says about it. */
type About = Extract<PrimaryMessage, { readonly kind: 'affinity-place' | 'affinity-table' }>;

/** Asks for a place, and confirms tables. */
export class Membership implements AffinityHost {
  readonly #tell: (message: WorkerMessage) => void;
  #settle: (place: AffinityPlace) => void = () => {};
  #onTable: (table: AffinityTable) => void = () => {};

  constructor(tell: (message: WorkerMessage) => void) {
    this.#tell = tell;
  }

  join(onTable: (table: AffinityTable) => void): Promise<AffinityPlace> {
    this.#onTable = onTable;
    this.#tell({ kind: 'affinity-join' });
    return new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** The primary has spoken. */
  told(message: About): void {
    if (message.kind === 'affinity-place') {
      const { secret, ...place } = message.place;
      return this.#settle({ ...place, secret: Buffer.from(secret, 'hex') });
    }
    this.#onTable(message.table);
    this.#tell({ kind: 'affinity-seen', version: message.table.version }); // from here on nothing begins by an older one
  }
}
