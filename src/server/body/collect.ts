/**
 * Decides how the body of a request is received: how much of it, and whether it is collected or passed on as it comes.
 *
 * @module
 */
import { bodyLimit } from '../../exchange/body-limit.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { RequestBody } from '../../http/body/request-body.ts';
import type { ProtocolError } from '../../http/errors/protocol-error.ts';
import { Request, type RequestHead } from '../../http/request.ts';
import type { Service } from '../service.ts';
import { IncomingBody, tooLarge } from './incoming-body.ts';

/**
 * Makes the collector of an announced body. Options that are functions are called with the head of the request.
 *
 * @param onReady See `IncomingBody`.
 * @throws ProtocolError 413 when more is announced than allowed, 503 when there is no room for it; TypeError when `maxBodySize` does not return a number.
 */
export function incomingBodyOf(
  { head, target, peer }: Exchange<RequestHead & { readonly length: number }>,
  { options, memory, disk }: Pick<Service, 'options' | 'memory' | 'disk'>,
  onReady: (error?: ProtocolError) => void,
): IncomingBody {
  const preview =
    typeof options.maxBodySize === 'function' || options.streamBody ? new Request(head, target, peer, RequestBody.EMPTY) : undefined;
  const maxSize = bodyLimit(options.maxBodySize, preview);
  if (head.length > maxSize) throw tooLarge(maxSize);
  const isLive = preview !== undefined && options.streamBody?.(preview) === true;
  if (head.length > options.bodyMemory && !isLive && !memory.fits(head.length)) disk.expect(head.length);
  const keeps = isLive && options.recorder?.keepsBeginnings ? options.bodyMemory : 0;
  return new IncomingBody(head.length, maxSize, options.bodyMemory, memory, disk, isLive, onReady, keeps);
}
