/**
 * What a handler thread keeps of a request that it has not done with.
 *
 * @module
 */
import type { RequestBody } from '../../../http/body/request-body.ts';
import type { StreamContent } from '../../../http/body/response-body.ts';
import type { Request } from '../../../http/request.ts';
import type { Response } from '../../../http/response.ts';
import type { LiveStream } from '../../body/live-stream.ts';
import type { StreamPump } from './stream-pump.ts';
import type { TunnelSocket } from './tunnel-socket.ts';

/** What is left of a request that was not answered in one go. */
export interface Open {
  readonly request: Request;
  /** The body, when it lies on disk or is large: the main thread waits for its release. */
  readonly large: RequestBody | undefined;
  /** The body, when it is streamed. */
  readonly live: LiveStream | undefined;
  pump: StreamPump | undefined;
  take: Response['take'];
  tunnel: TunnelSocket | undefined;
  /** Aborted when a connection that was taken over is to end. */
  goodbye: AbortController | undefined;
  /** A body that may have no end of its own. */
  endless: StreamContent | undefined;
}

/** A request of which only the body is known. */
export function openFor(request: Request, large: RequestBody | undefined, live: LiveStream | undefined): Open {
  return { request, large, live, pump: undefined, take: undefined, tunnel: undefined, goodbye: undefined, endless: undefined };
}
