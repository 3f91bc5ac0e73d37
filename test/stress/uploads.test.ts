import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { descriptors } from '../support/program.ts';
import { until } from '../support/until.ts';
import { exchange, figure, open, repeat, residentMemory, startServer, times } from './support.ts';

const MiB = 1024 * 1024;
const UPLOADS = times(20, 5);
const SIZE = times(200, 24) * MiB;
const HEAD = `PUT /hash HTTP/1.1\r\nHost: a\r\nContent-Length: ${SIZE}\r\nConnection: close\r\n\r\n`;

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A body that differs for each upload, made of one piece. */
function pieceOf(i: number): Buffer {
  return createHash('sha512').update(String(i)).digest().toString('hex').repeat(8192).slice(0, MiB) as unknown as Buffer;
}

async function upload(port: number, i: number): Promise<{ sent: string; answered: string }> {
  const piece = Buffer.from(String(pieceOf(i)), 'latin1');
  const hash = createHash('sha256');
  const socket = await open(port);
  let text = '';
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1');
  });
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.write(HEAD);
  for (let at = 0; at < SIZE; at += piece.length) {
    hash.update(piece);
    if (!socket.write(piece)) await new Promise((resolve) => socket.once('drain', resolve));
  }
  await closed;
  return { sent: hash.digest('hex'), answered: text.slice(text.indexOf('\r\n\r\n') + 4) };
}

describe('large uploads', () => {
  it('are hashed from disk, right, in little memory, and leave no file', async () => {
    const temporary = folder();
    const { program, port } = await startServer({ maxBodySize: 300 * MiB }, { TMPDIR: temporary });
    await exchange(port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const before = residentMemory(program.pid);
    let most = before;
    const watch = setInterval(() => {
      most = Math.max(most, residentMemory(program.pid));
    }, 20);
    const began = performance.now();
    const results = await Promise.all(Array.from({ length: UPLOADS }, (_, i) => upload(port, i)));
    clearInterval(watch);
    figure(
      `${UPLOADS} uploads of ${SIZE / MiB} MiB in ${((performance.now() - began) / 1000).toFixed(1)} s; resident memory grew by ${((most - before) / MiB).toFixed(1)} MiB at most`,
    );
    for (const { sent, answered } of results) expect(answered).toBe(sent);
    expect(most - before).toBeLessThan(64 * MiB);
    expect(readdirSync(temporary)).toEqual([]);
    await until(
      () => descriptors(program.pid).every((name) => !name.includes('filrouge-')) || undefined,
      () => 'closed temporary files',
    );
  }, 300_000);

  it('of middling size wait in memory that is bounded for all of them together, the rest on disk, beside slow ones and some that vanish', async () => {
    const temporary = folder();
    const { program, port } = await startServer({ maxMemoryForBodies: 32 * MiB }, { TMPDIR: temporary });
    await exchange(port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const base = descriptors(program.pid).length;
    const before = residentMemory(program.pid);
    let most = before;
    const watch = setInterval(() => {
      most = Math.max(most, residentMemory(program.pid));
    }, 20);
    const body = Buffer.alloc(5 * MiB, 'x');
    const expected = createHash('sha256').update(body).digest('hex');
    const head = `PUT /hash HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
    const slow = await Promise.all(Array.from({ length: 4 }, () => open(port)));
    for (const socket of slow) socket.write(Buffer.concat([Buffer.from(head), body.subarray(0, MiB)]));
    const answers = await repeat(times(400, 60), 40, async (i) => {
      if (i % 4 > 0) return exchange(port, head, body);
      const socket = await open(port);
      socket.write(Buffer.concat([Buffer.from(head), body.subarray(0, 2 * MiB)]), () => socket.destroy());
      return undefined;
    });
    clearInterval(watch);
    figure(`uploads of 5 MiB, 40 at once: resident memory grew by ${((most - before) / MiB).toFixed(1)} MiB at most`);
    for (const answer of answers) if (answer !== undefined) expect(answer.slice(9, 12) + answer.slice(-64)).toBe(`200${expected}`);
    expect(most - before).toBeLessThan((32 + 64) * MiB);
    for (const socket of slow) socket.destroy();
    await until(
      () => descriptors(program.pid).length <= base || undefined,
      () => `${base} descriptors; there are ${descriptors(program.pid).join(' ')}`,
    );
    expect(readdirSync(temporary)).toEqual([]);
  }, 120_000);

  it('leave nothing when clients vanish half-way', async () => {
    const temporary = folder();
    const { program, port } = await startServer({ maxBodySize: 300 * MiB }, { TMPDIR: temporary });
    const base = descriptors(program.pid).length;
    await repeat(times(100, 20), 10, async (i) => {
      const socket = await open(port);
      socket.write(HEAD);
      for (let at = 0; at < 4; at++) {
        if (!socket.write(Buffer.alloc(MiB / 4, i))) await new Promise((resolve) => socket.once('drain', resolve));
      }
      socket.destroy();
    });
    await until(
      () => descriptors(program.pid).length <= base || undefined,
      () => `${base} descriptors; there are ${descriptors(program.pid).join(' ')}`,
    );
    expect(readdirSync(temporary)).toEqual([]);
    expect(await exchange(port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).toContain('hello');
    expect(program.stderr.replaceAll(/^filrouge: (?:refused|serving on) .*\n/gm, '')).toBe('');
  });

  it('leave nothing when the process is killed', async () => {
    const temporary = folder();
    const { program, port } = await startServer({ maxBodySize: 300 * MiB }, { TMPDIR: temporary });
    const socket = await open(port);
    socket.write(HEAD + 'x'.repeat(MiB));
    await until(
      () => descriptors(program.pid).some((name) => name.includes('(deleted)')) || undefined,
      () => 'a temporary file',
    );
    await program.kill();
    expect(readdirSync(temporary)).toEqual([]);
    socket.destroy();
  });

  const canMount = process.getuid?.() === 0;
  it.skipIf(!canMount && process.env['CI'] === undefined)(
    'are told 507 when the disk is full, and the next request is served',
    async () => {
      const disk = join(folder(), 'disk');
      mkdirSync(disk);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]);
      onTestFinished(() => void execFileSync('umount', ['-l', disk]));
      const { program, port } = await startServer(
        { maxBodySize: 300 * MiB, maxMemoryForBodies: 0, maxDiskForBodies: 1024 * MiB, onError: undefined },
        { TMPDIR: disk },
      );
      const answers = await repeat(5, 5, () =>
        exchange(port, `PUT /hash HTTP/1.1\r\nHost: a\r\nContent-Length: ${5 * MiB}\r\n\r\n`, Buffer.alloc(5 * MiB)),
      );
      expect(answers.map((answer) => answer.slice(9, 12))).toEqual(['507', '507', '507', '507', '507']);
      await until(
        () => descriptors(program.pid).every((name) => !name.includes('filrouge-')) || undefined,
        () => 'closed temporary files',
      );
      expect(await exchange(port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).toContain('hello');
    },
  );

  it('are told 500 when there is no folder for them, and the next request is served', async () => {
    const { program, port } = await startServer({ maxBodySize: 300 * MiB, maxMemoryForBodies: 0 }, { TMPDIR: '/nonexistent' });
    const answer = await exchange(port, `PUT /hash HTTP/1.1\r\nHost: a\r\nContent-Length: ${MiB}\r\n\r\n`, Buffer.alloc(MiB));
    expect(answer).toMatch(/^HTTP\/1\.1 500 /);
    await program.prints(/ENOENT/);
    expect(await exchange(port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).toContain('hello');
  });
});
