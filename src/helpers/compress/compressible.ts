/**
 * Which media types become smaller by compression.
 *
 * @module
 */
import { parseContentType } from '../../http/fields/content-type.ts';

/**
 * Beside `text/…` and types ending in +json, +xml, +text and +yaml: what mime-db calls compressible, except disk images, and except
 * `application/octet-stream`, which says nothing: most often it is an archive or a program, compressed already.
 */
const COMPRESSIBLE: ReadonlySet<string> = new Set([
  'application/dart',
  'application/ecmascript',
  'application/javascript',
  'application/json',
  'application/ndjson',
  'application/postscript',
  'application/rtf',
  'application/sql',
  'application/tar',
  'application/toml',
  'application/vnd.dart',
  'application/vnd.ms-fontobject',
  'application/vnd.ms-opentype',
  'application/wasm',
  'application/x-httpd-php',
  'application/x-javascript',
  'application/x-ndjson',
  'application/x-ns-proxy-autoconfig',
  'application/x-sh',
  'application/x-tar',
  'application/x-www-form-urlencoded',
  'application/xml',
  'application/xml-dtd',
  'application/yaml',
  'font/otf',
  'font/ttf',
  'image/bmp',
  'image/vnd.adobe.photoshop',
  'image/vnd.microsoft.icon',
  'image/vnd.ms-dds',
  'image/x-icon',
  'image/x-ms-bmp',
  'message/rfc822',
  'model/gltf-binary',
  'x-shader/x-fragment',
  'x-shader/x-vertex',
]);

/** Whether a body of this Content-Type is worth the work. A body without a type, or with a malformed one, is left alone. */
export function isCompressible(contentType: string | undefined): boolean {
  const type = parseContentType(contentType)?.type;
  if (type === undefined) return false;
  return type.startsWith('text/') || COMPRESSIBLE.has(type) || /\+(?:json|xml|text|yaml)$/.test(type);
}
