/**
 * Questions to another process or thread that are not answered yet.
 *
 * @module
 */

/** Who waits for an answer is told by the number of the question. */
export class Questions<T> {
  readonly #send: (id: number) => void;
  readonly #open: Map<number, { resolve: (answer: T) => void; reject: (error: Error) => void }> = new Map();
  #nextId = 0;

  /** @param send Sends the question with this number. */
  constructor(send: (id: number) => void) {
    this.#send = send;
  }

  ask(): Promise<T> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#open.set(id, { resolve, reject });
      this.#send(id);
    });
  }

  answered(id: number, answer: T): void {
    this.#open.get(id)?.resolve(answer);
    this.#open.delete(id);
  }

  /** Who was asked is gone. */
  abandon(why: string): void {
    for (const { reject } of this.#open.values()) reject(new Error(why));
    this.#open.clear();
  }
}
