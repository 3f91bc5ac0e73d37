import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

describe('random clients', () => {
  it.each([
    ['the shared read buffer', ''],
    ["plain 'data' events", '1'],
  ])(
    'are each answered in order, and nothing is left behind, with %s',
    async (_what, plain) => {
      const script = ['test/fuzz/sockets.mjs', '--seed', '7', '--count', '4000'];
      const env = { ...process.env, FILROUGE_PLAIN_READS: plain };
      const { stdout } = await promisify(execFile)(process.execPath, script, { env, timeout: 60_000 });
      expect(stdout).toContain('left behind: 0 connections, 0 requests');
      expect(stdout).toMatch(/\d+ {2}served/);
      expect(stdout).not.toContain('WRONG');
    },
    70_000,
  );
});
