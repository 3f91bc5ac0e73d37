/**
 * The body of a request that was passed on, while it is collected: in memory or on disk, as where it was accepted.
 *
 * @module
 */
import type { ProtocolError } from '../../http/errors/protocol-error.ts';
import { IncomingBody } from '../body/incoming-body.ts';
import type { Service } from '../service.ts';

/** Whoever waits for the body. */
export interface CollectedOwner {
  /** This many bytes have found their place: as many more may come. */
  onTaken(count: number): void;
  /** All of it is there, or there is no room for it. */
  onBody(body: CollectedBody, error: ProtocolError | undefined): void;
}

/** A body that comes piece by piece. Pieces that come while one is written to disk wait: the sender sends no more than a window ahead. */
export class CollectedBody {
  readonly incoming: IncomingBody;
  readonly #owner: CollectedOwner;
  #waiting: Buffer[] = [];
  #isEnded = false;
  #isOver = false;

  /** @param size Bytes: it was measured where it was accepted, and `maxBodySize` was kept there. */
  constructor(size: number, { options, memory, disk }: Service, owner: CollectedOwner) {
    this.incoming = new IncomingBody(size, size, options.bodyMemory, memory, disk, false, (error) => this.#run(error));
    this.#owner = owner;
  }

  add(bytes: Uint8Array): void {
    this.#waiting.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    this.#run();
  }

  end(): void {
    this.#isEnded = true;
    this.#run();
  }

  /** It will never be complete, or is not wanted. */
  close(): void {
    this.#isOver = true;
    this.#waiting = [];
    this.incoming.close();
  }

  #run(error?: ProtocolError): void {
    if (this.#isOver) return;
    const failure = error ?? this.#store();
    const isComplete = this.#isEnded && this.#waiting.length === 0 && !this.incoming.isBusy;
    if (!failure && !isComplete) return;
    this.#isOver = true;
    this.#owner.onBody(this, failure);
  }

  /** Puts what waits where it belongs. @returns Why there is no room for it. */
  #store(): ProtocolError | undefined {
    try {
      while (!this.incoming.isBusy && this.#waiting.length > 0) {
        const piece = this.#waiting.shift() as Buffer; // there is one
        this.incoming.add(piece);
        this.#owner.onTaken(piece.length);
      }
      return undefined;
    } catch (error) {
      return error as ProtocolError; // `add` throws nothing else
    }
  }
}
