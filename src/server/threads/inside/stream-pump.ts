/**
 * Sends what a handler's stream gives to the main thread, as fast as that takes it.
 *
 * @module
 */
import { checkedPiece } from '../../../http/body/body-source.ts';
import { dropReading, iteratorOf, type StreamSource } from '../../../http/body/stream-source.ts';
import { WakeUp } from '../../../process/wake-up.ts';
import { type FromThread, WINDOW } from '../wire.ts';

/** One response body on its way out of a thread. Nothing is read of its source before the main thread asks for it. */
export class StreamPump {
  readonly #id: number;
  readonly #post: (item: FromThread) => void;
  readonly #report: (error: unknown) => void;
  #sent = 0;
  #isDropped = false;
  readonly #wakeUp: WakeUp = new WakeUp();
  #iterator: ReturnType<typeof iteratorOf<Uint8Array | string>> | undefined;
  readonly #source: StreamSource;
  #hasBegun = false;

  constructor(id: number, source: StreamSource, post: (item: FromThread) => void, report: (error: unknown) => void) {
    this.#id = id;
    this.#post = post;
    this.#report = report;
    this.#source = source;
  }

  /** The main thread has taken this many bytes; 0 when it begins. */
  taken(count: number): void {
    this.#sent -= count;
    if (!this.#hasBegun && !this.#isDropped) {
      this.#hasBegun = true;
      void this.#run(this.#source);
    }
    if (this.#sent <= WINDOW) this.#wakeUp.wake();
  }

  /** Nobody reads the rest. */
  drop(): void {
    if (this.#isDropped) return;
    this.#isDropped = true;
    this.#wakeUp.wake();
    dropReading(this.#source, this.#iterator);
  }

  async #run(source: StreamSource): Promise<void> {
    try {
      const iterator = iteratorOf(source);
      this.#iterator = iterator;
      for (let step = await iterator.next(); !step.done && !this.#isDropped; step = await iterator.next()) {
        const piece = checkedPiece(step.value);
        this.#sent += piece.length;
        this.#post(['data', this.#id, piece]);
        await this.#room();
      }
      if (this.#isDropped) return;
      this.#isDropped = true; // nothing is left to release
      this.#post(['end', this.#id]);
    } catch (error) {
      if (this.#isDropped) return;
      this.drop();
      this.#report(error);
      this.#post(['failed', this.#id]);
    }
  }

  async #room(): Promise<void> {
    while (this.#sent > WINDOW && !this.#isDropped) await this.#wakeUp.wait();
  }
}
