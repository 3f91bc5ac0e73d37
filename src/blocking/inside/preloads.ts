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
  const words = (variable?.match(WORD) ?? []).map((word) =>
    word.replace(/"((?:[^"\\]|\\.)*)"/g, (_, quoted: string) => quoted.replace(/\\(.)/g, '$1')),
  );
  const all = [...words, ...flags];
  return all.flatMap((flag, i) => {
    if (flag === '--import') return all[i + 1] ?? [];
    return flag.startsWith('--import=') ? flag.slice('--import='.length) : [];
  });
}
