import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type FileParts, FileReading } from '../../../src/http/file/file-reading.ts';
import { OpenFile } from '../../../src/http/file/open-file.ts';
import { READ_SIZE } from '../../../src/process/large-buffers.ts';
import { until } from '../../support/until.ts';

const SMALL = 64 * 1024;
const SIZE = 2 * 1024 * 1024 + 12_345;
const BYTES = randomBytes(SIZE);

/** Begins to read a file of random bytes. */
function begin(parts: FileParts = [{ start: 0, end: SIZE }]): { reading: FileReading; path: string } {
  const folder = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'file.bin');
  writeFileSync(path, BYTES);
  const reading = new FileReading(OpenFile.openSync(path) as OpenFile, parts);
  onTestFinished(() => void reading.return());
  return { reading, path };
}

/** Takes all pieces. @param isIdle What the sender says after each. @returns Copies of them. */
async function all(reading: FileReading, isIdle: boolean | undefined): Promise<Buffer[]> {
  const pieces: Buffer[] = [];
  for (let step = await reading.next(); !step.done; step = await reading.next()) {
    pieces.push(Buffer.from(step.value));
    if (isIdle) step.value.fill(0); // whoever has it next
    if (isIdle !== undefined) reading.recycle(isIdle);
  }
  return pieces;
}

function longest(pieces: readonly Uint8Array[]): number {
  return Math.max(...pieces.map(({ length }) => length));
}

describe('the reading of a file', () => {
  it('gives pieces of 64 KiB to a sender that does not say how it is doing', async () => {
    const pieces = await all(begin().reading, undefined);
    expect(Buffer.concat(pieces).equals(BYTES)).toBe(true);
    expect(longest(pieces)).toBe(SMALL);
  });

  it('gives large pieces, each byte right, to one that says that they are out', async () => {
    const { reading } = begin();
    reading.recycle(true);
    const pieces = await all(reading, true);
    expect(Buffer.concat(pieces).equals(BYTES)).toBe(true);
    expect(pieces).toHaveLength(Math.ceil(SIZE / READ_SIZE));
  });

  it('never changes a piece that is not out yet, and gives small ones then', async () => {
    const { reading } = begin();
    reading.recycle(true);
    const kept: Uint8Array[] = [];
    for (let step = await reading.next(); !step.done; step = await reading.next()) {
      kept.push(step.value);
      reading.recycle(false);
    }
    expect(Buffer.concat(kept).equals(BYTES)).toBe(true);
    expect(kept[0]).toHaveLength(READ_SIZE);
    expect(longest(kept.slice(2))).toBe(SMALL);
  });

  it('keeps the ranges, and bytes of our own between them, in order', async () => {
    const between = Buffer.from('between');
    const { reading } = begin([{ start: 5, end: 300_000 }, Buffer.from(between), { start: 1_000_000, end: 1_000_001 }]);
    reading.recycle(true);
    const right = Buffer.concat([BYTES.subarray(5, 300_000), between, BYTES.subarray(1_000_000, 1_000_001)]);
    expect(Buffer.concat(await all(reading, true)).equals(right)).toBe(true);
  });

  it('has no more than 8 MiB of large pieces out in a process: further clients get small ones, one at a time', async () => {
    const read = vi.spyOn(OpenFile.prototype, 'read');
    onTestFinished(() => read.mockRestore());
    const readings = Array.from({ length: 40 }, () => begin().reading);
    for (const reading of readings) reading.recycle(true);
    const first = await Promise.all(readings.map((reading) => reading.next()));
    const sizes = first.map(({ value }) => value?.length);
    expect(sizes.filter((size) => size === READ_SIZE)).toHaveLength(32);
    expect(sizes.filter((size) => size === SMALL)).toHaveLength(8);
    expect(read).toHaveBeenCalledTimes(40 + 32);
    await Promise.all(readings.map((reading) => reading.return()));
    const { reading } = begin();
    reading.recycle(true);
    expect((await reading.next()).value).toHaveLength(READ_SIZE); // those that were left count no more
  });

  it('that is left while the next piece is being read closes the file, and gives nothing more', async () => {
    const before = readdirSync('/dev/fd').length;
    const { reading } = begin();
    reading.recycle(true);
    await reading.next();
    await reading.return();
    expect(await reading.next()).toEqual({ done: true, value: undefined });
    await until(
      () => (readdirSync('/dev/fd').length <= before ? true : undefined),
      () => 'the file to be closed',
    );
  });

  it('that is left in the middle of a call answers it with the end', async () => {
    const { reading } = begin();
    reading.recycle(true);
    const step = reading.next();
    await reading.return();
    expect(await step).toEqual({ done: true, value: undefined });
  });

  it('ends early where the file has been truncated', async () => {
    const { reading, path } = begin();
    reading.recycle(true);
    await reading.next();
    truncateSync(path, READ_SIZE);
    reading.recycle(false);
    expect(Buffer.concat(await all(reading, false)).length).toBeLessThan(SIZE - READ_SIZE);
  });
});
