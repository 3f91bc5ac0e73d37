/**
 * Scripts for tests of `cgi`, written where they are used, and processes that are looked at from outside.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { type CgiOptions, cgi } from '../../../src/helpers/cgi.ts';
import { Request, type Response } from '../../../src/index.ts';
import { until } from '../until.ts';

/** Answers a request by a script of the shell. */
export function shell(script: string, request: Request = new Request(), options: CgiOptions = {}): Promise<Response> {
  return cgi(request, 'sh', { ...options, args: ['-c', script] });
}

/** The same with a script of Node. */
export function node(script: string, request: Request = new Request(), options: CgiOptions = {}): Promise<Response> {
  return cgi(request, process.execPath, { ...options, args: ['-e', script] });
}

/** The environment that a script sees. */
export async function environmentOf(request: Request, options: CgiOptions = {}): Promise<Readonly<Record<string, string | undefined>>> {
  const script = "process.stdout.write('Content-Type: application/json\\n\\n' + JSON.stringify(process.env))";
  const response = await node(script, request, options);
  return JSON.parse((await response.collect()).toString()) as Record<string, string>;
}

/** The whole body as text. */
export async function textOf(response: Response): Promise<string> {
  return (await response.collect()).toString();
}

/** Whether a process runs. One that has ended and was not waited for (a zombie) does not. */
export function isRunning(pid: number): boolean {
  const state = stateOf(pid);
  return state !== undefined && state.letter !== 'Z';
}

/** Waits until a process has ended. */
export async function ended(pid: number): Promise<true> {
  return until(
    () => (isRunning(pid) ? undefined : true),
    () => `the end of process ${pid}`,
  );
}

/** The children of this process, those too that have ended and were not waited for. */
export function children(): number[] {
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return processes.map(Number).filter((pid) => stateOf(pid)?.parent === process.pid);
}

/** Waits until this process has no children. */
export async function childless(): Promise<true> {
  return until(
    () => children().length === 0 || undefined,
    () => `the end of ${children().join(', ')}`,
  );
}

/** The names of all processes that come from a process, zombies too. */
export function processesBelow(pid: number): string[] {
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const own = processes.map(Number).filter((other) => stateOf(other)?.parent === pid);
  return own.flatMap((child) => [stateOf(child)?.name ?? 'ended'].concat(processesBelow(child)));
}

function stateOf(pid: number): { readonly name: string; readonly letter: string; readonly parent: number } | undefined {
  try {
    // pid (name) state parent …; the name may hold anything, a parenthesis too
    const [, name = '', letter = '', parent] = /^\d+ \((.*)\) (\S) (\d+) /s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    return { name, letter, parent: Number(parent) };
  } catch {
    return undefined; // it has ended
  }
}
