/** What someone sees whose server does not start. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Program, start } from '../support/program.ts';

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
