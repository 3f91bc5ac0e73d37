/** The path of undici's main file. */
export function undiciFile(): string;
