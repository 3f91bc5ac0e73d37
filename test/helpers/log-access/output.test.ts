/** The log of a real process, whose output is closed, full, or read by nobody. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { Agent, request as send } from 'undici';
import { describe, expect, it, onTestFinished } from 'vitest';
import { start } from '../../support/program.ts';
import { DEADLINE, until } from '../../support/until.ts';

const FILE = 'test/helpers/log-access/fixtures/logged.mjs';
const LONG = `/${'long'.repeat(1000)}`;

/** Asks a hundred times, with targets that make 400 KB of log. @returns The statuses that came, each once. */
async function ask(origin: string, path: string = LONG): Promise<number[]> {
  const agent = new Agent({ connections: 8 });
  onTestFinished(() => agent.destroy());
  const answers = Array.from({ length: 100 }, async () => {
    const { statusCode, body } = await send(origin + path, { dispatcher: agent, headersTimeout: DEADLINE });
    await body.dump();
    return statusCode;
  });
  return [...new Set(await Promise.all(answers))];
}

describe.each([0, 2])('a server that logs, with %i workers,', (workers) => {
  it('serves on when nobody is there any more to read its output, as behind `| head -1`', async () => {
    const program = start(FILE, { WORKERS: String(workers) });
    const [, origin = ''] = await program.prints(/listening on (http\S+)/);
    expect(await ask(origin)).toEqual([200]);
    program.child.stdout?.destroy();
    expect(await ask(origin)).toEqual([200]);
    expect([program.child.exitCode, program.child.signalCode]).toEqual([null, null]);
  });

  it('serves on when nobody is there any more to read its errors', async () => {
    const program = start(FILE, { WORKERS: String(workers) });
    const [, origin = ''] = await program.prints(/listening on (http\S+)/);
    program.child.stderr?.destroy();
    for (let i = 0; i < 3; i++) expect(await ask(origin, '/throw')).toEqual([500]);
    expect(await ask(origin)).toEqual([200]);
    expect([program.child.exitCode, program.child.signalCode]).toEqual([null, null]);
  });

  it('serves on when the disk that it logs to is full', async () => {
    const full = openSync('/dev/full', 'w');
    const child = spawn(process.execPath, [FILE], {
      env: { ...process.env, WORKERS: String(workers) },
      stdio: ['ignore', full, 'pipe'],
    });
    closeSync(full);
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await once(child, 'close');
    });
    let text = '';
    child.stderr?.on('data', (bytes: Buffer) => {
      text += bytes.toString();
    });
    const origin = await until(
      () => /listening on (http\S+)/.exec(text)?.[1],
      () => `a server that listens; it printed ${text}`,
    );
    expect(await ask(origin)).toEqual([200]);
    expect(await ask(origin)).toEqual([200]);
    expect(child.exitCode).toBeNull();
  });

  it('serves on when its output is a pipe that nobody reads', async () => {
    const program = start(FILE, { WORKERS: String(workers) });
    const [, origin = ''] = await program.prints(/listening on (http\S+)/);
    program.child.stdout?.pause();
    expect(await ask(origin)).toEqual([200]);
    expect(await ask(origin)).toEqual([200]);
  });
});
