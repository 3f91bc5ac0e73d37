/**
 * What records requests in a handler thread: it sends word to the main thread, which has head and body.
 *
 * @module
 */
import type { RequestRecorder } from '../../http/request/peer.ts';
import type { ErrorAnswers, Request } from '../../http/request.ts';
import { whyOf } from '../../http/request-file/why.ts';
import { idFor } from '../../process/requests/ids.ts';
import type { FromThread } from '../threads/wire.ts';
import type { ResolvedRecording } from './options.ts';

/** Sends word of requests that fail. What takes too long is seen by the main thread itself. */
export class WordOfFailure implements RequestRecorder<Request> {
  /** Sends it: known as soon as the thread speaks. */
  post: (item: FromThread) => void = () => {};

  failed(request: Request, why: unknown): void {
    const { original } = request;
    const { id } = original.peer;
    if (id === undefined) return; // it is none of ours
    this.post(['failing', id, whyOf(why), idFor(original)]); // what is printed of it names the file
  }

  timedOut(): void {}

  slow(): void {}
}

/** How a thread answers errors: with word of them, where requests are recorded. */
export function withWord(options: ErrorAnswers & { readonly record: ResolvedRecording | undefined }): {
  readonly answers: ErrorAnswers;
  readonly word: WordOfFailure;
} {
  const word = new WordOfFailure();
  return { answers: options.record ? { ...options, recorder: word } : options, word };
}
