/** Files saved to a disk that does not play along. */
import type * as NodeFs from 'node:fs';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { readForm } from '../../../src/helpers/read-form.ts';
import { multipart, onDisk } from '../../support/forms.ts';

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

  it('that fails while a file is saved leaves nothing beside it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'filrouge-disk-'));
    const { f } = readForm(onDisk(BODY), { f: 'file' });
    disk.error = 'ENOSPC';
    expect(() => f.saveTo(join(folder, 'f'))).toThrow('ENOSPC');
    expect(readdirSync(folder)).toEqual([]);
    rmSync(folder, { recursive: true });
  });
});
