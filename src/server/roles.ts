/**
 * How a process or thread that we start learns which part it plays: from a variable in its environment, which is removed as soon as it is read, so
 * that programs started by a handler do not take themselves for workers.
 *
 * They run the script of the process that starts them, so there must be one that comes to `startServer`.
 *
 * @module
 */
import { badOption } from '../http/errors/bad-option.ts';

/**
 * Set by the primary for its workers: generation, port, the secret of session tickets, the name of its hub of channels, and with `affinity` its slot and
 * their number.
 */
export const WORKER_ROLE = 'FILROUGE_WORKER';
/** Set by a process for its handler threads: the slot of the worker and their number, or nothing. */
export const THREAD_ROLE = 'FILROUGE_THREAD';

/** Reads and removes a variable. */
export function takeRole(name: string): string | undefined {
  const value = process.env[name];
  if (value !== undefined) Reflect.deleteProperty(process.env, name);
  return value;
}

/** The program of a test runner: it is the script of the process in which tests run, and does not come to a test's `startServer` elsewhere. */
const TEST_RUNNER = /[\\/]node_modules[\\/](?:vitest|tinypool|jest(?:-[a-z]+)*)[\\/]/;
/** Flags of Node that bring the code themselves: what is in `argv[1]` is then an argument. */
const CODE_FLAG = /^(?:-[pe]+|--eval|--print)(?:=|$)/;

/**
 * Checks that there is a script for workers or threads to run.
 *
 * @param option The option that asks for them: `workers` or `threads`.
 * @returns The script, as Node was given it.
 * @throws TypeError (code `bad-option`) when the code came from standard input, `--eval` or the REPL, or when the script is that of a test runner, or a
 *   file of tests for `node --test`.
 */
export function checkScript(option: 'workers' | 'threads'): string {
  const script = process.argv[1];
  const rule = `${option} run the script of this process`;
  if (script === undefined || script === '-' || process.execArgv.some((flag) => CODE_FLAG.test(flag))) {
    throw badOption(
      'Cannot start server',
      `${rule}, and there is none: its code came from standard input, --eval or the REPL; put it into a file, or use ${option}: 0`,
    );
  }
  if (TEST_RUNNER.test(script)) {
    throw badOption('Cannot start server', `${rule}, and that is a test runner (${script}): use ${option}: 0 in tests, or start a process`);
  }
  if (isTestFile()) {
    throw badOption(
      'Cannot start server',
      `${rule}, and that is a file of tests (${script}), which would all run again: use ${option}: 0 in tests, or start a process`,
    );
  }
  return script;
}

/**
 * Whether node:test is loaded: the script is then a file of tests. The environment would not say it: programs that a test starts have it, too.
 * `moduleLoadList` is not documented, but is there in all versions of Node.
 */
function isTestFile(): boolean {
  const { moduleLoadList } = process as { readonly moduleLoadList?: readonly string[] };
  return moduleLoadList?.includes('NativeModule test') ?? false;
}
