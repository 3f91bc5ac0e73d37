/**
 * A body that is compressed while it is sent.
 *
 * Nothing is opened or allocated before the first piece is asked for, so that a response to HEAD, or one that nobody sends, costs nothing. Each
 * piece is made when the last one has been taken: a slow client holds one batch and the window of its compressor, however long the body is.
 *
 * @module
 */
import type { Transform } from 'node:stream';
import { LengthCheck } from '../../http/body/body-source.ts';
import type { After } from '../../http/body/paced-pieces.ts';
import { StreamContent } from '../../http/body/response-body.ts';
import { dropSource, type InContext, type StreamSource } from '../../http/body/stream-source.ts';
import { type BodySource, FileContent } from '../../http/file/file-content.ts';
import { WakeUp } from '../../process/wake-up.ts';
import { Batches } from './batches.ts';
import { createCompressor, type Task } from './codings.ts';
import { endJob, startJob } from './jobs.ts';

/** What can be compressed. */
export type Compressible = string | Uint8Array | StreamContent | FileContent;

/** Characters of a text to encode at a time. */
const CHARACTERS = 32 * 1024;

const END: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** The compressed bytes of a body. An iterator rather than a generator: its `return` must not wait for a source that never answers. */
export class CompressedBody implements AsyncIterableIterator<Uint8Array> {
  readonly #content: Compressible;
  readonly #task: Task;
  readonly #onWhole: ((bytes: Buffer) => void) | undefined;
  /** All compressed bytes so far, when `onWhole` wants them. */
  readonly #all: Buffer[] = [];
  #compressor: Transform | undefined;
  /** A stream, when it has been taken. */
  #source: BodySource | undefined;
  #batches: Batches | undefined;
  #isClaimed = false;
  #isOpening = false;
  readonly #announced: number | undefined;
  /** Counts the source: its length is lost by compression, so the server cannot. */
  #length: LengthCheck | undefined;
  #made: Buffer[] = [];
  #failure: Error | undefined;
  /** Signals that the compressor has taken what it was given, or is gone. */
  readonly #wakeUp: WakeUp = new WakeUp();
  #isOver = false;

  /**
   * @param announced Bytes of the body before compression as its head says; undefined when it does not.
   * @param onWhole Called at the end with all compressed bytes.
   */
  constructor(content: Compressible, task: Task, announced?: number, onWhole?: (bytes: Buffer) => void) {
    this.#content = content;
    this.#task = task;
    this.#announced = announced;
    this.#onWhole = onWhole;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Takes the content, once. @param after Times its heartbeat. @throws What the content itself would throw when it is sent. */
  claim(after?: After): void {
    if (this.#isClaimed) return;
    const content = this.#content;
    if (content instanceof StreamContent) this.#source = { pieces: content.take(after), size: content.size };
    else if (content instanceof FileContent) void content.held?.descriptor; // throws when it has been closed
    this.#isClaimed = true;
  }

  /**
   * Makes the next piece.
   *
   * @throws What the source throws, or an error (code `wrong-length`) when it does not give the number of bytes announced.
   */
  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    try {
      while (!this.#isOver && this.#made.length === 0) await this.#work();
    } catch (error) {
      this.#release();
      throw error;
    }
    const made = this.#made;
    const [first] = made;
    if (!first) return END;
    this.#made = [];
    return { done: false, value: made.length === 1 ? first : Buffer.concat(made) };
  }

  /** Calls a function in the context of its content. */
  get inContext(): InContext | undefined {
    return this.#content instanceof StreamContent ? this.#content.inContext : undefined;
  }

  /** Whether its content has no end of its own. */
  get isEndless(): boolean {
    return this.#content instanceof StreamContent && this.#content.isEndless;
  }

  /** Ends a content without an end of its own: what has been compressed becomes whole. */
  stop(): void {
    if (this.#content instanceof StreamContent) this.#content.stop();
  }

  /** Stops midway: frees the compressor and releases the source. May be called again. */
  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#release();
    this.#made = [];
    return END;
  }

  /** One step: a batch of the source goes through the compressor. */
  async #work(): Promise<void> {
    const batches = this.#batches ?? (await this.#open());
    if (this.#isOver) return;
    const batch = await batches.next();
    if (this.#isOver) return;
    if (batch) this.#length?.add(batch.length);
    else this.#length?.end();
    await startJob();
    try {
      if (!this.#isOver) await this.#compress(batch);
    } finally {
      endJob();
    }
    if (this.#failure) throw this.#failure;
    if (this.#onWhole) this.#all.push(...this.#made);
    if (batch || this.#isOver) return;
    this.#onWhole?.(Buffer.concat(this.#all));
    this.#release(); // the last bytes are still to be taken
  }

  async #open(): Promise<Batches> {
    this.claim();
    this.#isOpening = true;
    const { pieces, size } = this.#source ?? (await sourceOf(this.#content));
    const batches = new Batches(pieces);
    this.#batches = batches;
    this.#length = new LengthCheck(size ?? this.#announced);
    if (this.#isOver) batches.drop();
    else this.#compressor = this.#listenTo(createCompressor(this.#task, size, this.#content instanceof StreamContent));
    return batches;
  }

  #listenTo(compressor: Transform): Transform {
    compressor.on('data', (bytes: Buffer) => this.#made.push(bytes));
    compressor.on('error', (error) => {
      this.#failure = error;
      this.#wakeUp.wake();
    });
    compressor.on('close', () => this.#wakeUp.wake());
    return compressor;
  }

  /** Waits until a batch has gone through; without a batch, until the end has been made. */
  async #compress(batch: Buffer | undefined): Promise<void> {
    const compressor = this.#compressor;
    if (!compressor) return;
    const woken = this.#wakeUp.wait();
    if (batch) compressor.write(batch, () => this.#wakeUp.wake());
    else compressor.end(); // its callback would come before the last bytes: 'close' comes behind them
    await woken;
    while (!this.#isOver && compressor.read() !== null); // what it holds still comes to the listener above
  }

  #release(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#compressor?.destroy();
    this.#compressor = undefined;
    if (this.#batches) this.#batches.drop();
    else if (this.#source) dropSource(this.#source.pieces);
    else if (typeof this.#content === 'object' && 'drop' in this.#content && !this.#isOpening) this.#content.drop();
  }
}

/** A CompressedBody as the content of a Response: whatever cannot be sent fails while an error can still be answered. */
export class CompressedContent extends StreamContent {
  readonly #body: CompressedBody;

  constructor(body: CompressedBody) {
    super(body, undefined);
    this.#body = body;
  }

  /** @throws TypeError for a stream that was sent before; an error (code `stale-file`) for an open file that has been closed. */
  override take(after?: After): StreamSource {
    this.#body.claim(after);
    return super.take();
  }

  override get inContext(): InContext | undefined {
    return this.#body.inContext;
  }

  override get isEndless(): boolean {
    return this.#body.isEndless;
  }

  override stop(): void {
    this.#body.stop();
  }
}

async function sourceOf(content: Compressible): Promise<BodySource> {
  if (content instanceof FileContent) return content.open();
  if (content instanceof StreamContent) throw new Error('A stream is claimed before it is read');
  if (typeof content === 'string') return { pieces: piecesOfText(content), size: Buffer.byteLength(content) };
  return { pieces: [content], size: content.length };
}

/** A text in pieces, so that it is not encoded all at once: fifty waiting responses would hold it twice. No character is cut in two. */
function* piecesOfText(text: string): Generator<string> {
  for (let at = 0, end = 0; at < text.length; at = end) {
    end = at + CHARACTERS;
    const last = text.charCodeAt(end - 1);
    if (last >= 0xd800 && last <= 0xdbff) end++; // the first half of a pair: the other half comes with it
    yield text.slice(at, end);
  }
}
