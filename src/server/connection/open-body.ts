/**
 * The body of a response, opened when it is about to be sent: the same for every version of HTTP.
 *
 * @module
 */
import { after } from '../../exchange/after.ts';
import { CheckedPieces, openSource } from '../../http/body/body-source.ts';
import { type FileContent, StreamContent } from '../../http/body/response-body.ts';
import type { Response } from '../../http/response.ts';

/** A body that is read while it is sent. */
export interface OpenBody {
  /** The response whose head is to be sent: one of a file that has changed makes no claims about the file as it was. */
  readonly response: Response;
  /** Bytes; undefined when nobody knows. */
  readonly size: number | undefined;
  readonly pieces: CheckedPieces;
}

/**
 * Opens a body.
 *
 * @param isDraining Whether the server stops: then a body without an end of its own is ended.
 * @throws What the file system says, or a TypeError for a stream that was sent before. Nothing has been sent yet: another answer may take its place.
 */
export async function openBody(response: Response, content: FileContent | StreamContent, isDraining: boolean): Promise<OpenBody> {
  if (isDraining && content instanceof StreamContent) content.stop();
  const source = await openSource(content, after);
  const size = source.size ?? response.list.wire.contentLength;
  const sent = source.isChanged ? response.withoutHeader('ETag').withoutHeader('Last-Modified') : response;
  return { response: sent, size, pieces: new CheckedPieces(source.pieces, size) };
}
