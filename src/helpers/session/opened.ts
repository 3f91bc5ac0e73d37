/**
 * What sealed texts hold, of those that this process has made or opened last.
 *
 * A browser sends the cookie that it was given last, most often to the process that gave it. A text that we have made, or opened, holds what it
 * held then: there is nothing to decrypt. Any other text, were it other in one bit, is not found here.
 *
 * @module
 */
import type { KeptSession } from './draft.ts';

/** Characters of texts and data in one half: 2 MiB for each `createSessions` at the very most, and some 4,000 small sessions. */
const HALF = 512 * 1024;
/** What an entry takes besides its characters, as so many of them. */
const ENTRY = 100;

interface Opened {
  readonly name: string;
  readonly kept: KeptSession;
}

/** A bounded map. When its newer half is full, the older one is forgotten: no use has to be noted. */
export class OpenedTexts {
  #newer = new Map<string, Opened>();
  #older = new Map<string, Opened>();
  #size = 0;

  /** What a text holds. @param name Of its cookie: under another nothing is found. */
  get(name: string, text: string): KeptSession | undefined {
    const found = this.#newer.get(text) ?? this.#older.get(text);
    return found?.name === name ? found.kept : undefined;
  }

  /** @param text No slice of a longer one, which it would keep alive. */
  set(name: string, text: string, kept: KeptSession): void {
    this.#size += text.length + kept.data.length + ENTRY;
    if (this.#size > HALF) {
      this.#older = this.#newer;
      this.#newer = new Map();
      this.#size = text.length + kept.data.length + ENTRY;
    }
    this.#newer.set(text, { name, kept });
  }
}
