/**
 * The bodies that are produced while they are sent: files and streams, opened when their turn has come.
 *
 * @module
 */
import { type BodySource, FileContent } from '../http/file/file-content.ts';
import type { StreamContent } from '../http/response-body.ts';

export type { BodySource } from '../http/file/file-content.ts';

/** Opens a body. @throws What the file system says, or a TypeError for a stream that was sent before. */
export async function openSource(content: FileContent | StreamContent): Promise<BodySource> {
  return content instanceof FileContent ? content.open() : { pieces: content.take(), size: content.size };
}
