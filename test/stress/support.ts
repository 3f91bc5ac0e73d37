/**
 * Load from outside, and what it leaves behind. The tests run in a shortened form with all the others; with `FILROUGE_STRESS=full` they run with
 * the numbers that docs/server.md speaks of, and print what they measure:
 *
 *     npm run build && FILROUGE_STRESS=full npx vitest run --config test/vitest.config.ts test/stress
 */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import type { ServerOptions } from '../../src/index.ts';
import { type Program, start } from '../support/program.ts';

export const IS_FULL: boolean = process.env['FILROUGE_STRESS'] === 'full';

/** A number of the full run, or of the short one. */
export function times(full: number, short: number): number {
  return IS_FULL ? full : short;
}

/** Prints a figure of a full run. */
export function figure(text: string): void {
  if (IS_FULL) console.log(`  ${text}`);
}

export async function startServer(
  options: ServerOptions,
  env: Readonly<Record<string, string>> = {},
): Promise<{ program: Program; port: number }> {
  const program = start('test/stress/server.mjs', {
    OPTIONS: JSON.stringify({ workers: 0, ...options }),
    NODE_OPTIONS: '--expose-gc',
    ...env,
  });
  const [, port] = await program.prints(/listening on (\d+)/);
  return { program, port: Number(port) };
}

/** Resident memory of a process, bytes. */
export function residentMemory(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

/** Sends bytes and gives all that comes back until the other side ends; errors end it too. */
export function exchange(port: number, ...pieces: readonly (string | Buffer)[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
    socket.setTimeout(20_000, () => socket.destroy());
    for (const piece of pieces) socket.write(piece);
  });
}

/** Opens a connection; resolves when it is open or has failed. */
export function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  return new Promise((resolve) => {
    socket.on('connect', () => resolve(socket));
    socket.on('error', () => resolve(socket));
  });
}

/** Does something a number of times, a few at once. */
export async function repeat<T>(count: number, atOnce: number, act: (i: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (next < count) results.push(await act(next++));
    }),
  );
  return results;
}
