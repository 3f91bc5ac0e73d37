/**
 * One run of a script: the request's body goes in while the response comes out.
 *
 * Both directions run at the same time and neither waits for the other: a script may write before it reads, or read only a part, or
 * nothing. Its output is read no faster than the client reads it.
 *
 * The script is ended, with everything it has started, when its response is no longer wanted: the client has left, the response was
 * dropped, or it has neither read nor written a byte for `timeout`. Time spent waiting for the client does not count. One whose answer has
 * no content has `timeout` as a whole from there on. While it is being ended its input stays open: a body that was cut short must not look
 * complete.
 *
 * @module
 */
import { basename } from 'node:path';
import type { Readable } from 'node:stream';
import type { RequestBody } from '../../http/body/request-body.ts';
import { withCode } from '../../http/errors/error-codes.ts';
import type { Request } from '../../http/request.ts';
import { HttpError } from '../../http/response.ts';
import { WakeUp } from '../../process/wake-up.ts';
import { clientGone } from '../upstream/client-gone.ts';
import { ErrorLines } from './error-lines.ts';
import { ProcessGroup, type Program } from './process-group.ts';
import { HeadCollector, type ScriptHead, ScriptHeadError } from './script-head.ts';

/**
 * A script that closes its output and does not end within this time, ms, is left running. Also how long its errors are read after its end.
 */
const AFTERMATH = 1000;

/** A running script, and the body of its response. */
export class Script implements AsyncIterableIterator<Buffer> {
  readonly #group: ProcessGroup;
  readonly #stdout: Readable;
  readonly #errors: ErrorLines;
  readonly #clock: NodeJS.Timeout | undefined;
  /** The body as it comes in. */
  #source: Readable | undefined;
  readonly #collector = new HeadCollector();
  #head: ScriptHead | undefined;
  /** What came after the head. */
  #rest: Buffer | undefined;
  /** Whoever reads the answer: it waits for what comes next. */
  readonly #reader = new WakeUp();
  #isOutputOver = false;
  /** Its response is complete, or no longer wanted. */
  #isDone = false;
  #isDraining = false;
  #failure: Error | undefined;
  #late: NodeJS.Timeout | undefined;

  private constructor(group: ProcessGroup, name: string, timeout: number) {
    const { child } = group;
    this.#group = group;
    this.#stdout = child.stdout as Readable; // pipes, as requested
    this.#errors = new ErrorLines(`[cgi ${name} ${child.pid}]`);
    this.#clock = timeout === 0 ? undefined : setTimeout(this.#onSilence, timeout);
    this.#stdout.on('readable', this.#onReadable);
    this.#stdout.on('error', this.#onOutputOver);
    this.#stdout.on('end', this.#onOutputOver);
    child.on('exit', this.#onExit);
    child.stderr?.on('data', (piece: Buffer) => this.#errors.add(piece));
    child.stderr?.on('close', () => this.#errors.end());
    child.stderr?.on('error', () => {});
  }

  /**
   * Starts a script for a request.
   *
   * @param timeout Ms; 0: no limit.
   * @throws What `ProcessGroup.start` does; HttpError 499 when the client has already left.
   */
  static async start(request: Request, program: Program, timeout: number): Promise<Script> {
    if (request.signal.aborted) throw clientGone(request);
    const group = await ProcessGroup.start(program, request.body.size !== 0);
    const script = new Script(group, basename(program.command), timeout);
    script.#feed(request.body);
    request.signal.addEventListener('abort', () => script.#stop(clientGone(request)), { once: true });
    if (request.signal.aborted) script.#stop(clientGone(request));
    request.onEnd(() => void script.return()); // also when the handler has discarded the response
    return script;
  }

  /**
   * Waits for the head of the response.
   *
   * @throws HttpError 502 when there is none that can be sent, 504 when the script takes too long, 499 when the client leaves.
   */
  async head(): Promise<ScriptHead> {
    for (;;) {
      if (this.#failure) throw this.#failure;
      if (this.#head) return this.#head;
      if (this.#isOver) this.#refuse(this.#howItEnded());
      else await this.#reader.wait();
    }
  }

  /**
   * Lets the script end by itself, and drops what it still writes: for responses without content. It has `timeout` for that as a whole: one
   * that goes on writing would else run for ever.
   */
  drain(): void {
    this.#moved(); // the last time
    this.#isDraining = true;
    this.#isDone = true;
    this.#onReadable();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next piece of the body. @throws Error when the script takes too long, or is ended by a signal: the body is then incomplete. */
  async next(): Promise<IteratorResult<Buffer, undefined>> {
    this.#moved();
    for (;;) {
      const piece = this.#failure || this.#isDone ? undefined : this.#take();
      if (piece) return { done: false, value: piece };
      if (this.#failure && !this.#isDone) throw this.#failure;
      if (this.#isDone || this.#isOver) return this.#finish();
      await this.#reader.wait();
    }
  }

  /** Ends the script: the rest is not wanted. */
  async return(): Promise<IteratorResult<Buffer, undefined>> {
    if (!this.#isDone) {
      this.#isDone = true;
      this.#stop(new Error('The response was dropped'));
    }
    return { done: true, value: undefined };
  }

  /** Whether all output has come, and it is known how the script has ended. */
  get #isOver(): boolean {
    return this.#isOutputOver && (this.#group.ending !== undefined || this.#late === undefined);
  }

  #finish(): IteratorResult<Buffer, undefined> {
    const signal = this.#isDone ? undefined : this.#group.ending?.signal;
    this.#isDone = true;
    if (signal) throw withCode(new Error(`Cannot send the rest of a response: the script was ended by ${signal}`), 'script-died');
    return { done: true, value: undefined };
  }

  #take(): Buffer | undefined {
    const piece = this.#rest ?? (this.#stdout.read() as Buffer | null) ?? undefined;
    this.#rest = undefined;
    return piece;
  }

  /** Passes the body on. A script need not read it. */
  #feed(body: RequestBody): void {
    const { stdin } = this.#group.child;
    if (!stdin) return;
    stdin.on('error', () => {}); // EPIPE: it has stopped reading
    if (body.isInMemory) {
      stdin.end(body.bytes());
      return;
    }
    const source = body.stream();
    this.#source = source;
    source.on('data', this.#moved);
    stdin.on('drain', this.#moved);
    source.on('error', (error) => this.#stop(error));
    source.on('close', () => {
      if (!source.readableEnded && !stdin.destroyed) this.#stop(new Error('The request was over before its body'));
    });
    stdin.on('close', () => source.destroy());
    source.pipe(stdin);
  }

  readonly #onReadable = (): void => {
    this.#moved();
    if (this.#isDraining || this.#failure) {
      while (this.#stdout.read() !== null) this.#moved();
      return;
    }
    if (!this.#head) this.#readHead();
    this.#reader.wake();
  };

  #readHead(): void {
    try {
      for (let piece = this.#take(); piece; piece = this.#head ? undefined : this.#take()) {
        const found = this.#collector.add(piece);
        this.#head = found?.head;
        this.#rest = found && found.rest.length > 0 ? found.rest : undefined;
      }
    } catch (error) {
      if (!(error instanceof ScriptHeadError)) throw error;
      this.#refuse(error.message);
    }
  }

  /** Refuses a response that cannot be sent: the client learns only that, the log says why. */
  #refuse(why: string): void {
    this.#errors.print(`Cannot answer: ${why}`);
    this.#stop(new HttpError(502, undefined, { code: 'bad-script-output' }));
  }

  #howItEnded(): string {
    const { code, signal } = this.#group.ending ?? {};
    const how = signal ? `was ended by ${signal}` : code === undefined ? 'has closed its output' : `has ended with code ${code}`;
    return `the script ${how} ${this.#collector.isEmpty ? 'and has written nothing' : 'within its head'}`;
  }

  readonly #onOutputOver = (): void => {
    if (this.#isOutputOver) return;
    this.#isOutputOver = true;
    if (this.#group.ending) return this.#end();
    this.#late = setTimeout(() => {
      this.#late = undefined;
      this.#reader.wake();
    }, AFTERMATH);
  };

  readonly #onExit = (): void => {
    const { stderr } = this.#group.child;
    setTimeout(() => stderr?.destroy(), AFTERMATH).unref(); // a process it has left running may hold it open for ever
    if (this.#isOutputOver) this.#end();
  };

  /** Called when both the process and its output have ended. */
  #end(): void {
    clearTimeout(this.#clock);
    clearTimeout(this.#late);
    this.#reader.wake();
  }

  readonly #moved = (): void => {
    if (!this.#isDraining) this.#clock?.refresh();
  };

  readonly #onSilence = (): void => {
    if (this.#failure) return; // it is being ended
    if (!this.#isDraining && this.#waitsForClient) return this.#moved();
    const why = this.#isDraining ? 'it has gone on for too long after its answer' : 'it has neither read nor written anything for too long';
    this.#errors.print(`Ended: ${why}`);
    const isAnswered = this.#head !== undefined;
    this.#stop(
      isAnswered
        ? withCode(new Error(`Cannot send the rest of a response: ${why}`), 'script-timeout')
        : new HttpError(504, undefined, { code: 'script-timeout' }),
    );
  };

  /** Whether the next step is the client's: to read what there is, or to send more of the body. */
  get #waitsForClient(): boolean {
    if (this.#head && !this.#reader.isWaiting && !this.#isOutputOver) return true;
    const { stdin } = this.#group.child;
    return this.#source?.readable === true && stdin?.writableNeedDrain === false;
  }

  /** Ends the script; the reader of its response gets the error. */
  #stop(error: Error): void {
    if (this.#failure) return;
    this.#failure = error;
    this.#source?.unpipe();
    this.#group.kill();
    this.#stdout.destroy();
    this.#onOutputOver();
    this.#reader.wake();
  }
}
