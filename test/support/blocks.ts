/**
 * The fenced blocks of a page of the docs.
 *
 * @module
 */

/** A fenced block: where it stands, what follows the fence, its code. */
export interface Block {
  readonly page: string;
  /** Of its first line of code, from 1. */
  readonly line: number;
  readonly info: string;
  readonly code: string;
}

/** The blocks of a page, in order. */
export function blocksOf(page: string, text: string): Block[] {
  const found = text.matchAll(/^([ \t]*)(`{3,})([^`\n]*)\n(?:([\s\S]*?)\n)?[ \t]*\2[ \t]*$/gm);
  return [...found].map((match) => {
    const [, indent = '', , info = '', code = ''] = match;
    const line = text.slice(0, match.index).split('\n').length + 1;
    return {
      page,
      line,
      info: info.trim(),
      code: code
        .split('\n')
        .map((row) => row.replace(indent, ''))
        .join('\n'),
    };
  });
}
