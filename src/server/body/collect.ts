/**
 * What takes the body of a request in: how much of it, and whether it is collected or passed on as it comes.
 *
 * @module
 */
import type { ProtocolError } from '../../http/protocol-error.ts';
import { Request } from '../../http/request.ts';
import { RequestBody } from '../../http/request-body.ts';
import type { Exchange } from '../http1/turn.ts';
import type { ResolvedOptions } from '../options.ts';
import { IncomingBody, tooLarge } from './incoming-body.ts';

/**
 * Makes the collector of an announced body. The options' functions are asked with the head of the request.
 *
 * @param onReady See `IncomingBody`.
 * @throws ProtocolError 413 when more is announced than allowed; TypeError when `maxBodySize` gives no number.
 */
export function incomingBodyOf(exchange: Exchange, options: ResolvedOptions, onReady: (error?: ProtocolError) => void): IncomingBody {
  const { head, target, peer } = exchange;
  const preview =
    typeof options.maxBodySize === 'function' || options.streamBody ? new Request(head, target, peer, RequestBody.EMPTY) : undefined;
  const maxSize = typeof options.maxBodySize === 'function' ? options.maxBodySize(preview as Request) : options.maxBodySize;
  if (!(maxSize >= 0)) throw new TypeError(`Cannot read body: maxBodySize gave ${maxSize}, not a number of bytes`);
  if (head.length > maxSize) throw tooLarge(maxSize);
  const isLive = preview !== undefined && options.streamBody?.(preview) === true;
  return new IncomingBody(head.length, maxSize, options.bodyMemory, isLive, onReady);
}
