/**
 * Prints what a script writes to its standard error on ours, line by line, after its name and process id.
 *
 * @module
 */
import { StringDecoder } from 'node:string_decoder';
import { escaped } from '../../http/escaped.ts';

/** Longest line, in characters; the rest of it is cut. */
const MAX_LINE = 2000;
/** Most characters printed for one script: one that complains in a loop must not fill the log. */
const MAX_TEXT = 64 * 1024;

/** Prints the lines of one script. */
export class ErrorLines {
  readonly #prefix: string;
  readonly #decoder = new StringDecoder('utf8');
  #line = '';
  #printed = 0;

  /** @param prefix Printed before each line. */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Adds a piece of the script's output, and prints the lines that it completes. */
  add(piece: Buffer): void {
    const [first = '', ...others] = this.#decoder.write(piece).split('\n');
    this.#append(first);
    for (const text of others) {
      this.print(this.#line);
      this.#line = '';
      this.#append(text);
    }
  }

  /** Prints the last line, if it had no line end. */
  end(): void {
    this.#append(this.#decoder.end());
    if (this.#line !== '') this.print(this.#line);
    this.#line = '';
  }

  /**
   * Prints a line of the script, or ours about it. Control characters are escaped, so that it cannot forge a line or control a terminal.
   */
  print(line: string): void {
    if (this.#printed > MAX_TEXT) return;
    this.#printed += line.length + 1;
    const text = line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)}…` : line.replace(/\r$/, '');
    console.error(`${this.#prefix} ${text.split('\t').map(escaped).join('\t')}`);
    if (this.#printed > MAX_TEXT) console.error(`${this.#prefix} has written more than ${MAX_TEXT} characters; the rest is left out`);
  }

  #append(text: string): void {
    if (this.#line.length <= MAX_LINE) this.#line += text.slice(0, MAX_LINE + 1);
  }
}
