import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

describe('beside node:http', () => {
  it('shows the handler the same requests, but for differences that have a name', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['test/fuzz/differential.mjs', '--seed', '7', '--count', '2000'], {
      timeout: 300_000,
    });
    expect(stdout).toMatch(/\d+ {2}the same/);
    expect(stdout).not.toContain('UNEXPLAINED');
  }, 310_000);
});
