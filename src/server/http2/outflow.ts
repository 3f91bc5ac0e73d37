/**
 * The body of one response on its way out, when it does not go in one piece.
 *
 * A piece waits in the session until windows and socket have let all of it through; only then the next is made or asked for. So a client that
 * does not read costs one piece for each of its streams, and of a file in large pieces the next one, which is read meanwhile.
 *
 * @module
 */
import type { Session } from '../../h2/session.ts';
import type { Stream } from '../../h2/streams/stream.ts';
import type { CheckedPieces } from '../../http/body/body-source.ts';
import { WakeUp } from '../../process/wake-up.ts';
import { pieceEnd, pieceOf, textStep } from '../connection/memory-pieces.ts';

const NOTHING: Uint8Array = new Uint8Array(0);

/** What gives a body piece by piece. */
export interface Outflow {
  /** The piece given last is framed. @returns Whether that was all of the body. */
  onRoom(): boolean;
  /** Nobody wants the rest. */
  drop(): void;
}

/** A long text. */
export class TextOutflow<X> implements Outflow {
  readonly #session: Session<X>;
  readonly #stream: Stream<X>;
  readonly #text: string;
  readonly #step: number;
  #at = 0;

  /** @param size Its bytes as UTF-8. */
  constructor(session: Session<X>, stream: Stream<X>, text: string, size: number) {
    this.#session = session;
    this.#stream = stream;
    this.#text = text;
    this.#step = textStep(text, size);
  }

  onRoom(): boolean {
    while (this.#at < this.#text.length) {
      const end = pieceEnd(this.#text, this.#at, this.#step);
      const piece = pieceOf(this.#text, this.#at, end);
      this.#at = end;
      if (!this.#session.write(this.#stream, piece, end === this.#text.length)) return false;
    }
    return true;
  }

  drop(): void {
    this.#at = this.#text.length;
  }
}

/** A file or a stream. */
export class SourceOutflow<X> implements Outflow {
  readonly #session: Session<X>;
  readonly #stream: Stream<X>;
  readonly #pieces: CheckedPieces;
  /** Whether the piece given last is not framed yet. */
  #isWaiting = false;
  #isDropped = false;
  #room: WakeUp | undefined;

  constructor(session: Session<X>, stream: Stream<X>, pieces: CheckedPieces) {
    this.#session = session;
    this.#stream = stream;
    this.#pieces = pieces;
  }

  /**
   * Sends the pieces.
   *
   * @param flush Called when there is something to write.
   * @returns Whether all of them are framed; if not, the rest has been dropped.
   * @throws What the pieces throw.
   */
  async run(flush: () => void): Promise<boolean> {
    this.#pieces.recycle(true);
    for (let step = await this.#next(); !step.done; step = await this.#next()) {
      if (this.#isDropped) return false;
      if (step.value.length === 0) continue;
      this.#isWaiting = !this.#session.write(this.#stream, step.value, false);
      flush();
      while (this.#isWaiting) {
        this.#room ??= new WakeUp();
        await this.#room.wait();
      }
      this.#pieces.recycle(true); // framed is copied; and whoever has dropped it has forgotten the piece
    }
    if (this.#isDropped) return false;
    this.#session.write(this.#stream, NOTHING, true);
    return true;
  }

  onRoom(): boolean {
    this.#isWaiting = false;
    this.#room?.wake();
    return false; // `run` tells
  }

  drop(): void {
    this.#isDropped = true;
    this.#pieces.drop();
    this.onRoom();
  }

  async #next(): ReturnType<CheckedPieces['next']> {
    try {
      return await this.#pieces.next();
    } catch (error) {
      if (this.#isDropped) return { done: true, value: undefined }; // the client has left: nobody is to hear of it
      throw error;
    }
  }
}
