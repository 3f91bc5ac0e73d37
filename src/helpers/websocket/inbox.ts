/**
 * Messages from the peer on their way to the handler: to a function that is called, or to loops that ask.
 *
 * Loops are not overrun: when enough waits, the socket is paused until all of it has been taken. As long as `onOpen` has not settled, messages
 * wait even if nobody reads yet. After that, what nobody reads is dropped, as it is in a browser: otherwise the socket of a handler that only
 * sends would stay paused, and its peer's pongs and close frame unread.
 *
 * @module
 */

/** Text or bytes, as the peer marked it. */
export type Message = string | Buffer;

/** More than this waiting pauses the socket. What was read already may still come on top: 64 KiB at the most. */
const MAX_BYTES = 64 * 1024;
const MAX_MESSAGES = 64;

type Taker = (result: IteratorResult<Message, undefined>) => void;

/** The messages of one connection. */
export class Inbox {
  readonly #pause: (isPaused: boolean) => void;
  #waiting: Message[] = [];
  /** Bytes of text count one a character here. */
  #size = 0;
  /** Loops waiting for the next message, in the order they asked. Empty while messages wait. */
  readonly #takers: Taker[] = [];
  #listener: ((message: Message) => void) | undefined = undefined;
  #loops = 0;
  #isSettled = false;
  #isOver = false;
  #isPaused = false;

  /** @param pause Stops and restarts the flow of messages. */
  constructor(pause: (isPaused: boolean) => void) {
    this.#pause = pause;
  }

  /** Whether the peer is not being read. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Accepts a message from the peer. */
  add(message: Message): void {
    if (this.#isOver) return;
    if (this.#listener) return this.#listener(message);
    const taker = this.#takers.shift();
    if (taker) return taker({ done: false, value: message });
    if (this.#isUnread) return;
    this.#waiting.push(message);
    this.#size += message.length;
    if (this.#size > MAX_BYTES || this.#waiting.length > MAX_MESSAGES) this.#flow(false);
  }

  /** Calls a function with each message from now on, beginning with those that wait. */
  listen(listener: (message: Message) => void): void {
    this.#listener = listener;
    // Each call may close the connection, which drops the others, or put another listener in its place, which takes them.
    while (this.#waiting.length > 0 && this.#listener === listener) listener(this.#takeOne());
  }

  /** A loop over the messages; it ends with the connection. Messages it leaves are there for the next one. */
  iterate(): AsyncIterator<Message, undefined> {
    this.#loops++;
    let isDone = false;
    const finish = (): void => {
      if (isDone) return;
      isDone = true;
      this.#loops--;
      if (this.#isUnread) this.#dropAll();
    };
    return {
      next: () => {
        if (isDone) return Promise.resolve({ done: true, value: undefined });
        return this.#take().then((result) => {
          if (result.done) finish();
          return result;
        });
      },
      return: () => {
        finish();
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  /** `onOpen` has settled: a handler that wants to read has begun to by now. */
  settle(): void {
    this.#isSettled = true;
    if (this.#isUnread) this.#dropAll();
  }

  /** No more will come. @param isDropped Whether what waits is dropped as well. */
  end(isDropped: boolean): void {
    this.#isOver = true;
    if (isDropped) this.#dropAll();
    for (const taker of this.#takers.splice(0)) taker({ done: true, value: undefined });
  }

  get #isUnread(): boolean {
    return this.#isSettled && this.#loops === 0 && !this.#listener;
  }

  #take(): Promise<IteratorResult<Message, undefined>> {
    if (this.#waiting.length > 0) return Promise.resolve({ done: false, value: this.#takeOne() });
    if (this.#isOver) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  /** The oldest message that waits. There must be one. */
  #takeOne(): Message {
    const message = this.#waiting.shift() as Message;
    this.#size -= message.length;
    if (this.#waiting.length === 0) this.#flow(true);
    return message;
  }

  #dropAll(): void {
    this.#waiting = [];
    this.#size = 0;
    this.#flow(true);
  }

  #flow(isWanted: boolean): void {
    if (this.#isPaused !== isWanted) return;
    this.#isPaused = !isWanted;
    this.#pause(this.#isPaused);
  }
}
