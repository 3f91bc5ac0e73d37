/**
 * A response as somebody else is to send it: fields, a length where one is known, and the body in pieces that give no more and no less.
 *
 * @module
 */
import { CheckedPieces, openSource } from '../http/body/body-source.ts';
import { FileContent, StreamContent } from '../http/body/response-body.ts';
import { withoutHopByHop } from '../http/fields/hop-by-hop.ts';
import type { Response } from '../http/response.ts';
import { isBodyless } from '../http/status.ts';

/** What is to be sent. */
export interface Outgoing {
  readonly status: number;
  /** Without those that frame the message or belong to the connection. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** What Content-Length is to say; undefined when nobody knows, or when there is to be none. */
  readonly length: number | undefined;
  /** Undefined: there is none, as behind HEAD. */
  readonly body: Uint8Array | CheckedPieces | undefined;
}

/**
 * Makes a response ready.
 *
 * @throws What opening a file says, or a TypeError for a stream that was sent before: nothing is out yet, so another answer may take its place.
 */
export async function outgoingOf(response: Response, isHead: boolean): Promise<Outgoing> {
  const { status, content, list } = response;
  const headers = withoutConnection(response.headers);
  const announced = list.wire.contentLength;
  if (isHead || isBodyless(status)) {
    response.dispose();
    const length = isHead && !isBodyless(status) ? sizeOf(response) : status === 304 ? announced : undefined;
    return { status, headers, length, body: undefined };
  }
  if (content instanceof FileContent || content instanceof StreamContent) {
    const source = await openSource(content);
    const length = source.size ?? announced;
    return { status, headers, length, body: new CheckedPieces(source.pieces, length) };
  }
  const body = typeof content === 'string' ? Buffer.from(content) : content;
  return { status, headers, length: body?.length ?? 0, body };
}

/** Bytes of the body that GET would bring, as far as they are known before it is opened: what HEAD announces (RFC 9110 §9.3.2). */
export function sizeOf({ content, list }: Response): number | undefined {
  if (content === undefined) return list.wire.contentLength ?? 0;
  if (typeof content === 'string') return Buffer.byteLength(content);
  if (content instanceof Uint8Array) return content.length;
  return content.size ?? list.wire.contentLength;
}

/** Leaves out what belongs to the connection, and Content-Length: whoever sends the message on frames it anew (RFC 9110 §7.6.1). */
export function withoutConnection(headers: readonly (readonly [string, string])[]): (readonly [string, string])[] {
  return withoutHopByHop(headers).filter(([name]) => name.toLowerCase() !== 'content-length');
}
