import { execFile } from 'node:child_process';
import { describe, expect, it } from 'vitest';

describe('random clients of HTTP/2', () => {
  it.each([
    ['the shared read buffer and direct writes', ''],
    ["plain 'data' events and writes to the stream", '1'],
  ])(
    'are each sent what is in order, and nothing is left behind, with %s',
    async (_what, plain) => {
      const script = ['test/fuzz/http2-sockets.mjs', '--seed', '7', '--count', '1500'];
      const env = { ...process.env, FILROUGE_PLAIN_READS: plain, FILROUGE_PLAIN_WRITES: plain };
      const { stdout, code } = await new Promise<{ stdout: string; code: unknown }>((resolve) => {
        execFile(process.execPath, script, { env, timeout: 300_000 }, (error, printed) =>
          resolve({ stdout: printed, code: error?.code ?? 0 }),
        );
      });
      expect(stdout).toContain('left behind: 0 connections, 0 requests');
      expect(stdout).toMatch(/\d+ {2}answered/);
      expect(stdout).not.toContain('WRONG');
      expect(code).toBe(0);
    },
    310_000,
  );
});
