/** Tells code, comments and literals apart: enough of the syntax for the rules of the house, and no more. */

/** What may stand before a `/` that begins a regular expression and does not divide. */
const BEFORE_REGEXP = /(?:^|[([{,;:=!&|?+\-*%<>~^}]|\b(?:return|typeof|case|in|of|void|do|else))\s*$/;

/**
 * Replaces comments by blanks, and in `code` literals as well. Line breaks and offsets stay.
 *
 * @param {string} text The text of a file.
 * @returns {{ code: string; withStrings: string }} Without comments and literals, and without comments only.
 */
export function blank(text) {
  let code = '';
  let withStrings = '';
  const openTemplates = []; // depth of braces at each `${` that is open
  let depth = 0;
  let at = 0;
  const take = (length, kind) => {
    const piece = text.slice(at, at + length);
    const gap = piece.replace(/[^\n]/g, ' ');
    code += kind === 'code' ? piece : gap;
    withStrings += kind === 'comment' ? gap : piece;
    at += length;
  };
  while (at < text.length) {
    const rest = text.slice(at, at + 2);
    const char = rest[0] ?? '';
    if (rest === '//') take(lengthOf(/[^\n]*/y, text, at), 'comment');
    else if (rest === '/*') take(lengthOf(/\/\*[\s\S]*?(?:\*\/|$)/y, text, at), 'comment');
    else if (char === "'" || char === '"') take(lengthOf(/(['"])(?:\\[\s\S]|(?!\1)[^\\\n])*\1?/y, text, at), 'literal');
    else if (char === '/' && BEFORE_REGEXP.test(code.slice(-40))) {
      take(lengthOf(/\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y, text, at), 'literal');
    } else if (char === '`' || (char === '}' && openTemplates.at(-1) === depth)) {
      if (char === '}') openTemplates.pop();
      const length = lengthOf(/[`}](?:\\[\s\S]|\$(?!\{)|[^\\`$])*(?:`|\$\{|$)/y, text, at);
      if (text.startsWith('${', at + length - 2) && length > 2) openTemplates.push(depth);
      take(length, 'literal');
    } else {
      if (char === '{') depth++;
      if (char === '}') depth--;
      take(1, 'code');
    }
  }
  return { code, withStrings };
}

function lengthOf(pattern, text, at) {
  pattern.lastIndex = at;
  return Math.max(1, pattern.exec(text)?.[0].length ?? 1);
}
