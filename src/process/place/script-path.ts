/**
 * The file of a script.
 *
 * @module
 */
import { fileURLToPath } from 'node:url';

/** The path of a script by its name; undefined where that is a URL which no file can have: whoever compiles code calls it what they like. */
export function scriptPath(name: string): string | undefined {
  if (!name.startsWith('file:')) return name;
  try {
    return fileURLToPath(name);
  } catch {
    return undefined;
  }
}
