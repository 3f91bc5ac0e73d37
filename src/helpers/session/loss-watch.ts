/**
 * Tells the programmer of a session that was changed and never saved: otherwise the change would be lost in silence.
 *
 * @module
 */
import { quoted } from '../../http/escaped.ts';
import type { Request } from '../../http/request.ts';

/** Looks at sessions when their requests are over, until it has found one. In production (`NODE_ENV`) it does not look. */
export class LossWatch {
  #isOff: boolean = process.env['NODE_ENV'] === 'production';

  /** Watches a session. A request made by hand is never over. */
  watch(request: Request, session: { readonly isLost: boolean }): void {
    if (this.#isOff) return;
    request.onEnd(() => {
      if (this.#isOff || !session.isLost || request.signal.aborted) return; // a handler whose client has left may have stopped midway
      this.#isOff = true;
      console.error(
        `[session] The session of ${request.method} ${quoted(request.path)} was changed and not saved: the change is lost. ` +
          'Answer with session.save(response). This is said once, and not with NODE_ENV=production',
      );
    });
  }
}
