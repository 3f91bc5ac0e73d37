/**
 * The Content-Disposition field of a download (RFC 6266, RFC 8187).
 *
 * @module
 */

/**
 * Makes `attachment; filename="…"`, with `filename*` beside it when the name is more than plain ASCII.
 *
 * @param filename As the user shall see it; folders in front are cut off.
 */
export function serializeAttachment(filename: string): string {
  const name = filename.slice(Math.max(filename.lastIndexOf('/'), filename.lastIndexOf('\\')) + 1);
  // A quote could be escaped (RFC 9110 §5.6.4), but RFC 6266 appendix D warns of it: some clients drop such a name, others keep the backslash.
  const plain = name.replace(/[^\x20-\x7e]|"/g, '?');
  const isPlain = plain === name && !name.includes('%'); // some clients decode % in the plain form
  return isPlain ? `attachment; filename="${plain}"` : `attachment; filename="${plain}"; filename*=UTF-8''${extendedValue(name)}`;
}

/** RFC 8187 §3.2.1: all but attr-char is percent-encoded. */
function extendedValue(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
