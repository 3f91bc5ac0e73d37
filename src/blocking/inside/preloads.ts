/**
 * What `node --import` loads before a program. Node itself loads it in threads whose code is a file, but not where the code is a text, as in I/O threads.
 *
 * @module
 */

/** The words of NODE_OPTIONS: parted by spaces, but not in double quotes, where `\` stands before a quote and itself. */
const WORD = /(?:[^\s"]|"(?:[^"\\]|\\.)*")+/g;

/**
 * The modules, in the order in which Node loads them.
 *
 * @param flags Those of the command line.
 * @param variable NODE_OPTIONS, which comes first.
 */
export function preloads(flags: readonly string[], variable: string | undefined): string[] {
  const all = [...(variable?.match(WORD) ?? []).map(unquoted), ...flags];
  return all.flatMap((flag, i) => {
    if (flag === '--import') return all[i + 1] ?? [];
    return flag.startsWith('--import=') ? flag.slice('--import='.length) : [];
  });
}

/** A word without its quotes, and without the backslashes between them. */
function unquoted(word: string): string {
  let text = '';
  let isQuoted = false;
  for (let at = 0; at < word.length; at++) {
    if (word[at] === '"') isQuoted = !isQuoted;
    else text += isQuoted && word[at] === '\\' ? (word[++at] ?? '') : (word[at] ?? '');
  }
  return text;
}
