import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { processesBelow } from '../support/cgi/shell.ts';
import { accepting, freePort, type Program, start } from '../support/program.ts';
import { until } from '../support/until.ts';

const MIB = 1024 * 1024;
const isThere = String(spawnSync('git', ['http-backend'], { input: '' }).stdout).includes('Status: ');
if (!isThere) console.warn('SKIPPED: the tests of examples/git-http-backend need git (Debian: apt-get install git)');

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs git in a folder below ours. @returns What it printed on both outputs. */
function git(cwd: string, ...args: readonly string[]): Promise<string> {
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_TRACE_CURL: '1',
    GIT_TRACE_CURL_NO_DATA: '1',
  };
  const own = ['-c', 'user.name=t', '-c', 'user.email=t@example.org', '-c', 'init.defaultBranch=main', '-c', 'core.compression=0'];
  return new Promise((resolve, reject) => {
    execFile('git', [...own, ...args], { cwd: join(folder, cwd), env, maxBuffer: 64 * MIB }, (error, stdout, stderr) => {
      if (error) reject(new Error(stderr, { cause: error }));
      else resolve(stdout + stderr);
    });
  });
}

async function hash(cwd: string): Promise<string> {
  return (await git(cwd, 'rev-parse', 'HEAD^{tree}')).trim();
}

/** A bare repository with random files, and as many branches. It keeps packs as they come: git would compress what is random again for each clone. */
async function repository(megabytes: number): Promise<void> {
  await git('.', 'init', '--bare', 'served.git');
  await git('served.git', 'config', 'receive.unpackLimit', '1');
  await git('.', 'init', 'work');
  for (let i = 0; i < megabytes; i++) {
    writeFileSync(join(folder, 'work', `file${i}`), randomBytes(MIB));
    await git('work', 'add', '.');
    await git('work', 'commit', '-m', `commit ${i}`);
    await git('work', 'branch', `branch-${i}`);
  }
  await git('work', 'push', '--all', join(folder, 'served.git'));
}

async function run(): Promise<{ program: Program; port: number; url: (user?: string) => string }> {
  const port = await freePort();
  const program = start('.build/examples/git-http-backend.js', { PORT: String(port), GIT_PROJECT_ROOT: folder, GIT_PASSWORD: 'secret' });
  await accepting(port);
  return { program, port, url: (user = '') => `http://${user}localhost:${port}/served.git` };
}

describe.skipIf(!isThere && process.env['CI'] === undefined)('examples/git-http-backend', () => {
  it('serves clone, push and fetch --depth of a repository of 24 MiB', async () => {
    await repository(24);
    const { url } = await run();

    const cloned = await git('.', 'clone', url(), 'clone');
    expect(cloned).toContain('=> Send header: Content-Encoding: gzip'); // a request body that git has packed, and git unpacks again
    expect(await hash('clone')).toBe(await hash('work'));
    await git('clone', 'fsck', '--full');

    writeFileSync(join(folder, 'clone', 'large'), randomBytes(22 * MIB));
    await git('clone', 'add', '.');
    await git('clone', 'commit', '-m', 'large');
    const pushed = await git('clone', 'push', url('me:secret@'), 'HEAD:main', 'HEAD:pushed');
    expect(pushed).toMatch(/=> Send header: Transfer-Encoding: chunked/i);
    await git('served.git', 'fsck', '--full');

    await git('.', 'init', 'shallow');
    await git('shallow', 'fetch', '--depth', '1', url(), 'pushed');
    await git('shallow', 'reset', '--hard', 'FETCH_HEAD');
    expect(await hash('shallow')).toBe(await hash('clone'));
    expect((await git('shallow', 'log', '--oneline')).trim().split('\n')).toHaveLength(1);
    await git('shallow', 'fetch', '--deepen', '3', url(), 'pushed');
  });

  it('lets nobody push without the password, and nobody out of its folder', async () => {
    await repository(1);
    const { port, url } = await run();
    await git('work', 'commit', '--allow-empty', '-m', 'more');
    await expect(git('work', 'push', url(), 'HEAD:main')).rejects.toThrow(/could not read Username|Authentication failed/);
    await expect(git('work', 'push', url('me:wrong@'), 'HEAD:main')).rejects.toThrow(/Authentication failed/);
    await git('work', 'push', url('me:secret@'), 'HEAD:main');
    const outside = await fetch(`http://localhost:${port}/..%2f..%2fetc/info/refs?service=git-upload-pack`);
    expect(outside.status).toBe(404);
  });

  it('has no process left when a hundred clients have broken off their clone', async () => {
    await repository(8);
    const { program, port, url } = await run();
    const want = (await git('work', 'rev-parse', 'HEAD')).trim();
    const body = `0032want ${want}\n00000009done\n`;
    const request = `POST /served.git/git-upload-pack HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-git-upload-pack-request\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const socket = connect(port, 'localhost');
        socket.on('error', () => {});
        const closed = new Promise((resolve) => socket.on('close', resolve));
        socket.write(index % 4 === 0 ? request.slice(0, -1) : request); // never complete, or all of it
        if (index % 4 < 2) socket.end(() => socket.destroy());
        else socket.once('data', () => socket.resetAndDestroy()); // in the middle of the pack
        await closed;
      }),
    );
    await until(
      () => processesBelow(program.pid).every((name) => /^node$|MainThread$/.test(name)) || undefined,
      () => `the end of ${processesBelow(program.pid).join(', ')}`,
    );
    await git('.', 'clone', url(), 'clone'); // and it serves on
    expect(await hash('clone')).toBe(await hash('work'));
    expect(program.stderr).not.toContain('Error');
  });
});
