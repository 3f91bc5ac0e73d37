import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

describe('a folder behind a guard', () => {
  it('gives nothing out that it should not, whatever 8,000 random targets spell (npm run fuzz:paths for a million)', {
    timeout: 300_000,
  }, async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['test/fuzz/paths.mjs', '--seed', '7', '--count', '8000']);
    expect(stdout).toMatch(/8,000 targets, 8,000 answers in .* 0 leaks, 0 escapes, 0 odd answers, 0 errors/);
  });
});
