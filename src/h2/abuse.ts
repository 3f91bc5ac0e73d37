/**
 * Frames that cost us something and bring nothing are counted, and whoever goes on with them is asked to calm down (RFC 9113 §10.5).
 *
 * Each kind has a bucket that fills with time and with useful work. Resets are apart from the rest: a stream that is started and reset makes a
 * handler run, whoever resets it: the client (CVE-2023-44487), or we, because it breaks a rule on it (CVE-2025-8671). A browser that leaves a page
 * resets a hundred at once.
 *
 * @module
 */
import { ConnectionError, ENHANCE_YOUR_CALM } from './errors.ts';

/** A bucket holds this many frames of no use, */
const MAX_NUISANCE = 1000;
/** gets back so many a second, */
const NUISANCE_PER_SECOND = 100;
/** so many for each request, */
const NUISANCE_PER_REQUEST = 4;
/** and one for so many bytes of body that were sent: a client gives windows back for them. */
const BYTES_PER_NUISANCE = 1024;

/** Streams that may be reset at once, and each second after that. */
const MAX_RESETS = 500;
const RESETS_PER_SECOND = 50;

/** Counts what one connection wastes. */
export class Abuse {
  #nuisance = MAX_NUISANCE;
  #resets = MAX_RESETS;
  #now = 0;
  /** Bytes sent that have not been counted yet. */
  #bytes = 0;

  /** Time has passed. @param now Monotonic ms. */
  advance(now: number): void {
    if (this.#now > 0) {
      const seconds = (now - this.#now) / 1000;
      this.#nuisance = Math.min(MAX_NUISANCE, this.#nuisance + seconds * NUISANCE_PER_SECOND);
      this.#resets = Math.min(MAX_RESETS, this.#resets + seconds * RESETS_PER_SECOND);
    }
    this.#now = now;
  }

  /** A request has come. */
  earn(): void {
    if (this.#nuisance < MAX_NUISANCE) this.#nuisance += NUISANCE_PER_REQUEST;
  }

  /** Bytes of a body have been sent. */
  earnBytes(count: number): void {
    this.#bytes += count;
    if (this.#bytes < BYTES_PER_NUISANCE) return;
    const whole = Math.floor(this.#bytes / BYTES_PER_NUISANCE);
    this.#nuisance = Math.min(MAX_NUISANCE, this.#nuisance + whole);
    this.#bytes -= whole * BYTES_PER_NUISANCE;
  }

  /** A frame of no use has come. @throws ConnectionError ENHANCE_YOUR_CALM. */
  nuisance(what: string, cost: number = 1): void {
    this.#nuisance -= cost;
    if (this.#nuisance < 0) throw new ConnectionError(ENHANCE_YOUR_CALM, `Too many ${what}`);
  }

  /** A stream has come to nothing. @throws ConnectionError ENHANCE_YOUR_CALM. */
  reset(): void {
    this.#resets--;
    if (this.#resets < 0) throw new ConnectionError(ENHANCE_YOUR_CALM, 'Too many streams were reset');
  }
}
