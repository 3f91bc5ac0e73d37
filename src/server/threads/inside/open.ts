/**
 * What a handler thread keeps of a request that it has not done with.
 *
 * @module
 */
import type { StreamContent } from '../../../http/body/response-body.ts';
import type { Request } from '../../../http/request.ts';
import type { Response } from '../../../http/response.ts';
import type { ArrivedBody } from './arrived-body.ts';
import type { StreamPump } from './stream-pump.ts';
import type { TunnelSocket } from './tunnel-socket.ts';

/** What is left of a request that was not answered in one go. */
export interface Open {
  readonly request: Request;
  readonly large: ArrivedBody['large'];
  readonly live: ArrivedBody['live'];
  pump: StreamPump | undefined;
  take: Response['take'];
  tunnel: TunnelSocket | undefined;
  /** Aborted when a connection that was taken over is to end. */
  goodbye: AbortController | undefined;
  /** A body that may have no end of its own. */
  endless: StreamContent | undefined;
}

/** A request of which only the body is known. */
export function openFor(request: Request, large: ArrivedBody['large'], live: ArrivedBody['live']): Open {
  return { request, large, live, pump: undefined, take: undefined, tunnel: undefined, goodbye: undefined, endless: undefined };
}
