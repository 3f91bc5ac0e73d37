/**
 * The body of a request as it has come into a thread.
 *
 * @module
 */
import { RequestBody } from '../../../http/body/request-body.ts';
import { LiveStream } from '../../body/live-stream.ts';
import type { FromThread, WireBody } from '../wire.ts';

/** A body, and what has to be done about it later. */
export interface ArrivedBody {
  readonly body: RequestBody;
  /** The body, when it lies on disk or is large: the main thread waits for its release. */
  readonly large: RequestBody | undefined;
  /** The body, when it is streamed. */
  readonly live: ArrivingBody | undefined;
}

/** A body that comes piece by piece. Its pieces are reported as taken when the handler wants more: what it does not read waits elsewhere. */
export class ArrivingBody {
  readonly stream: LiveStream;
  readonly #id: number;
  readonly #post: (item: FromThread) => void;
  /** Bytes that have not been reported; -1 until the first are wanted. */
  #owed = -1;

  constructor(id: number, post: (item: FromThread) => void) {
    this.#id = id;
    this.#post = post;
    this.stream = new LiveStream(() => this.#onDemand());
  }

  deliver(bytes: Uint8Array): void {
    this.stream.deliver(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    this.#owed += bytes.length;
    if (this.stream.wantsMore) this.#report();
  }

  #onDemand(): void {
    if (this.stream.destroyed) this.#post(['dropped', this.#id]);
    else if (this.#owed !== 0) this.#report();
  }

  #report(): void {
    this.#post(['taken', this.#id, Math.max(0, this.#owed)]);
    this.#owed = 0;
  }
}

/**
 * Makes the body of a request.
 *
 * @param wire As it came, or a body that was made where the thread is.
 * @param memory A body above it is large, bytes.
 */
export function arrivedBody(id: number, wire: WireBody | RequestBody, memory: number, post: (item: FromThread) => void): ArrivedBody {
  if (wire === undefined) return { body: RequestBody.EMPTY, large: undefined, live: undefined };
  if (wire instanceof RequestBody) return { body: wire, large: wire, live: undefined };
  if (wire instanceof Uint8Array) {
    const bytes = new RequestBody(Buffer.from(wire.buffer, wire.byteOffset, wire.byteLength));
    return { body: bytes, large: wire.length > memory ? bytes : undefined, live: undefined };
  }
  const [what, size] = wire;
  if (what === true) {
    const live = new ArrivingBody(id, post);
    return { body: new RequestBody({ stream: live.stream, size: size === -1 ? undefined : size }), large: undefined, live };
  }
  const spooled = new RequestBody({ descriptor: what, size });
  return { body: spooled, large: spooled, live: undefined };
}
