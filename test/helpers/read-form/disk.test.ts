/** Temporary files on a disk that does not play along. */
import type * as NodeFs from 'node:fs';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { readForm } from '../../../src/helpers/read-form.ts';
import { failure, multipart, onDisk } from '../../support/forms.ts';

const disk = vi.hoisted(() => ({ error: undefined as string | undefined }));

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof NodeFs>();
  const writeSync = (...args: Parameters<typeof fs.writeSync>): number => {
    if (disk.error !== undefined) throw Object.assign(new Error(disk.error), { code: disk.error });
    // As a busy disk may: fewer bytes than it was given.
    const [descriptor, bytes, offset, length, position] = args as unknown as [number, Buffer, number, number, number | null];
    return fs.writeSync(descriptor, bytes, offset, Math.ceil(length / 2), position);
  };
  return { ...fs, writeSync };
});

const BODY = multipart([['name="f"; filename="f"', Buffer.alloc(200_000, 'abc')]]);

afterEach(() => {
  disk.error = undefined;
  vi.unstubAllEnvs();
});

describe('a disk', () => {
  it('that takes fewer bytes than it was given gets the rest', () => {
    const folder = mkdtempSync(join(tmpdir(), 'filrouge-disk-'));
    const { f } = readForm(onDisk(BODY), { f: 'file' });
    expect(f.bytes().equals(Buffer.alloc(200_000, 'abc'))).toBe(true);
    f.saveTo(join(folder, 'f'));
    expect(readdirSync(folder)).toEqual(['f']);
    rmSync(folder, { recursive: true });
  });

  it('that is full is answered 507, and frees its descriptor', () => {
    const request = onDisk(BODY);
    const before = readdirSync('/dev/fd').length;
    for (const error of ['ENOSPC', 'EDQUOT']) {
      disk.error = error;
      expect(failure(() => readForm(request, { f: 'file' }))).toMatchObject({ status: 507, code: 'storage-full' });
    }
    expect(readdirSync('/dev/fd')).toHaveLength(before);
  });

  it('that fails otherwise is our error, not the client’s: it goes to onError as it is', () => {
    const request = onDisk(BODY);
    disk.error = 'EIO';
    expect(() => readForm(request, { f: 'file' })).toThrow(expect.objectContaining({ code: 'EIO' }));
    disk.error = undefined;
    vi.stubEnv('TMPDIR', '/nonexistent');
    expect(() => readForm(request, { f: 'file' })).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });

  it('that fails while a file is saved leaves nothing beside it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'filrouge-disk-'));
    const { f } = readForm(onDisk(BODY), { f: 'file' });
    disk.error = 'ENOSPC';
    expect(() => f.saveTo(join(folder, 'f'))).toThrow('ENOSPC');
    expect(readdirSync(folder)).toEqual([]);
    rmSync(folder, { recursive: true });
  });
});
