/**
 * A response prepared for another sender: fields, a length where one is known, and the body in pieces of exactly that length.
 *
 * @module
 */
import { CheckedPieces, openSource } from '../http/body/body-source.ts';
import { FileContent, StreamContent } from '../http/body/response-body.ts';
import { withoutHopByHop } from '../http/fields/hop-by-hop.ts';
import type { Response } from '../http/response.ts';
import { isBodyless, lengthWithoutBody } from '../http/status.ts';
import { after } from './after.ts';

/** What is to be sent. */
export interface Outgoing {
  readonly status: number;
  /** The fields, without those that frame the message or belong to the connection. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The value of Content-Length; undefined when the length is unknown, or the field must not be sent. */
  readonly length: number | undefined;
  /** Undefined: there is none, as for HEAD. */
  readonly body: Uint8Array | CheckedPieces | undefined;
}

/**
 * Prepares a response for sending.
 *
 * @throws The error of opening a file, or a TypeError for a stream that was sent before: nothing is out yet, so another answer may take its
 *   place.
 */
export async function outgoingOf(response: Response, isHead: boolean): Promise<Outgoing> {
  const { status, content, list } = response;
  const headers = withoutConnection(response.headers);
  const announced = list.wire.contentLength;
  if (isHead || isBodyless(status)) {
    response.dispose();
    const length = isHead && !isBodyless(status) ? sizeOf(response) : lengthWithoutBody(status, announced);
    return { status, headers, length, body: undefined };
  }
  if (content instanceof FileContent || content instanceof StreamContent) {
    const source = await openSource(content, after);
    const length = source.size ?? announced;
    return { status, headers, length, body: new CheckedPieces(source.pieces, length) };
  }
  const body = typeof content === 'string' ? Buffer.from(content) : content;
  return { status, headers, length: body?.length ?? 0, body };
}

/** The size of the body for GET, if it is known before the body is opened: what HEAD announces (RFC 9110 §9.3.2). */
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
