/**
 * What a response with a whole file consists of.
 *
 * @module
 */
import { wallClock } from '../../process/wall-clock.ts';
import type { HeaderList } from '../header-list.ts';
import { typeList } from '../type-list.ts';
import { FileContent, lookAtFile } from './file-content.ts';
import { fileValidators } from './file-validators.ts';
import { mediaTypeOf } from './media-type.ts';

/** The fields that describe a file, and the file as a body. */
export interface WholeFile {
  readonly fields: HeaderList;
  readonly content: FileContent;
}

/**
 * Looks at a file and describes it as it is now.
 *
 * @param contentType Default: by extension.
 * @throws AbsentFile when there is no regular file at `path`; any other failure as it comes.
 */
export function wholeFile(path: string, contentType: string = mediaTypeOf(path)): WholeFile {
  const version = lookAtFile(path);
  const { etag, lastModified } = fileValidators(version, wallClock());
  const fields = typeList(contentType).with('ETag', etag).with('Last-Modified', lastModified);
  return { fields, content: new FileContent(path, version.size, version) };
}
