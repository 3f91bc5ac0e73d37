/** What someone sees whose server does not start. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Response, startServer } from '../../src/index.ts';
import { type Program, start, startCommand } from '../support/program.ts';

const program = (how: string, options: object): Program =>
  start('test/cluster/fixtures/start.mjs', { HOW: how, OPTIONS: JSON.stringify(options) });

/** A port on which something listens until the test ends. */
async function takenPort(): Promise<number> {
  const occupant = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void occupant.close());
  await once(occupant, 'listening');
  return (occupant.address() as { port: number }).port;
}

describe('a port that is in use', () => {
  it.each([
    ['awaited', 0],
    ['awaited', 2],
    ['not awaited', 0],
    ['not awaited', 2],
  ])('is one sentence and exit code 1, when startServer is %s, with %i workers', async (how, workers) => {
    const port = await takenPort();
    const failed = program(how, { host: '127.0.0.1', port, workers });
    expect(await failed.ended).toBe(1);
    expect(failed.stderr).toBe(
      `Cannot start server: port ${port} of 127.0.0.1 is in use (EADDRINUSE): end the program that listens there, or choose another port\n`,
    );
  });

  it('is an error to be caught', async () => {
    const caught = program('caught', { host: '127.0.0.1', port: await takenPort(), workers: 2 });
    expect([await caught.ended, caught.stdout, caught.stderr]).toEqual([0, 'caught EADDRINUSE\n', '']);
  });

  it('is an error for a program that listens for uncaught ones', async () => {
    const heard = program('listened for', { host: '127.0.0.1', port: await takenPort(), workers: 0 });
    expect([await heard.ended, heard.stdout, heard.stderr]).toEqual([0, 'heard EADDRINUSE\n', '']);
  });
});

it.each([0, 2])('a host of another machine is one sentence and exit code 1, with %i workers', async (workers) => {
  const foreign = program('awaited', { host: '192.0.2.1', port: 0, workers });
  expect(await foreign.ended).toBe(1);
  expect(foreign.stderr).toMatch(/^Cannot start server: host 192\.0\.2\.1 is not an address of this machine \(EADDRNOTAVAIL\).*\n$/);
});

it.each([1, 2])('a unix socket has the rights of pathMode, with %i workers', async (workers) => {
  const folder = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const running = program('for a moment', { path: join(folder, 'socket'), pathMode: 0o660, workers, log: 'off' });
  expect([await running.ended, running.stdout, running.stderr]).toEqual([0, 'umask is back 660\n', '']);
});

describe('a worker that does not come to startServer', () => {
  const REASON =
    /^Cannot start server: a worker has run this script without calling startServer, and has nothing left to do: .*workers: 0\n$/;

  it.each(['in the primary only', 'in the primary only, and workers end'])('is the end, with the reason: %s', async (how) => {
    const failed = program(how, { host: '127.0.0.1', port: 0, workers: 2 });
    expect(await failed.ended).toBe(1);
    expect(failed.stderr).toMatch(REASON);
  });

  it.each(['after a while', 'when the primary says so', 'after a call into the system'])(
    'is waited for while something may bring it there: %s',
    async (how) => {
      const slow = program(how, { host: '127.0.0.1', port: 0, workers: 1, log: 'off' });
      expect([await slow.ended, slow.stdout, slow.stderr]).toEqual([0, 'it came to it\nit came to it\n', '']);
    },
  );
});

describe('a process without a script', () => {
  const CODE = "import('filrouge').then(({ Response, startServer }) => startServer(() => Response.empty(), OPTIONS))";

  it.each(['workers', 'threads'])('is refused %s at once', async (option) => {
    const options = option === 'workers' ? '{ workers: 2 }' : '{ workers: 0, threads: 2 }';
    const evaluated = startCommand(process.execPath, ['-e', CODE.replace('OPTIONS', options), 'an argument']);
    expect(await evaluated.ended).toBe(1);
    expect(evaluated.stderr).toContain(
      `Cannot start server: ${option} run the script of this process, and there is none: its code came from standard input, --eval or the REPL`,
    );
  });

  it.each(['workers', 'threads'] as const)('is refused %s when it is that of a test runner', async (option) => {
    const options = option === 'workers' ? { workers: 2 } : { workers: 0, threads: 2 };
    await expect(startServer(() => Response.empty(), { port: 0, ...options })).rejects.toMatchObject({
      code: 'bad-option',
      message: expect.stringMatching(new RegExp(`${option} run the script .* test runner .*: use ${option}: 0 in tests`)) as string,
    });
  });

  it.each(['workers', 'threads'] as const)('is refused %s when it is a file of tests, which then runs once', async (option) => {
    const options = option === 'workers' ? { workers: 2 } : { workers: 0, threads: 2 };
    const tested = start('test/cluster/fixtures/node-test.mjs', { OPTIONS: JSON.stringify(options) });
    expect(await tested.ended).toBe(1);
    expect(tested.stdout).toMatch(new RegExp(`${option} run the script .* file of tests .*: use ${option}: 0 in tests`));
    expect(tested.stdout.split('the file runs')).toHaveLength(2);
  });
});
