/**
 * Small files that are served from memory, and everything that must bring them back to the disk.
 */
import { mkdirSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OpenFile } from '../../../src/http/file/open-file.ts';
import { Request, type Response, serveDir } from '../../../src/index.ts';
import { folderWith, writeAt } from './folder.ts';

const get = (target: string, headers: Record<string, string> = {}, method = 'GET'): Request => new Request({ method, target, headers });
const opened = vi.spyOn(OpenFile, 'openSync');

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'performance'] });
  vi.setSystemTime(Date.now() + 60_000); // what a test writes, however long that takes, is old enough to be told from what is written later
  opened.mockClear();
});
afterEach(() => void vi.useRealTimers());

/** Asks so often that the file is in memory: that is at the third time. */
function heat(root: string, target: string, headers: Record<string, string> = {}): void {
  serveDir(get(target, headers), root);
  serveDir(get(target, headers), root);
  opened.mockClear();
}

/** How many files an answer has opened, and what it says. */
function ask(
  root: string,
  target: string,
  headers: Record<string, string> = {},
  method = 'GET',
): [opened: number, text: string | undefined] {
  opened.mockClear();
  const text = serveDir(get(target, headers, method), root)?.text();
  return [opened.mock.calls.length, text];
}

const said = (response: Response | undefined): unknown => [response?.status, response?.headers, response?.bytes()?.toString('latin1')];

describe('a small file', () => {
  it.each([
    ['of text', 'body { color: red }'],
    ['of other text', 'body::after { content: "é" }'],
    ['of bytes', Uint8Array.of(0xff, 0x00, 0x80, 0x0d, 0x0a)],
    ['of nothing', ''],
  ])('%s is opened twice, and from then on sent from memory as it was before', (_, content) => {
    const root = folderWith({ 'a.css': content });
    const first = said(serveDir(get('/a.css'), root));
    heat(root, '/a.css');
    expect(said(serveDir(get('/a.css'), root))).toEqual(first);
    expect(said(serveDir(get('/a.css'), root, { maxAge: 60 }))).toEqual(said(serveDir(get('/a.css'), folderCopy(content), { maxAge: 60 })));
    expect(opened.mock.calls.filter(([path]) => path.startsWith(root))).toEqual([]);
  });

  /** The same file where it has never been asked for. */
  function folderCopy(content: string | Uint8Array): string {
    return folderWith({ 'a.css': content });
  }

  it('answers conditions, HEAD and the index of a folder from memory', () => {
    const root = folderWith({ 'docs/index.html': '<p>index' });
    heat(root, '/docs/');
    const etag = serveDir(get('/docs/'), root)?.header('etag') ?? '';
    expect(serveDir(get('/docs/', { 'if-none-match': etag }), root)?.status).toBe(304);
    expect(serveDir(get('/docs/', { 'if-match': '"other"' }), root)?.status).toBe(412);
    expect(ask(root, '/docs/', {}, 'HEAD')).toEqual([0, '<p>index']);
    expect(serveDir(get('/docs'), root)?.status).toBe(301);
    expect(serveDir(get('/docs'), root, { index: false })).toBeUndefined();
  });

  it('is read from disk where a part is asked for', () => {
    const root = folderWith({ 'a.txt': '0123456789' });
    heat(root, '/a.txt');
    expect(ask(root, '/a.txt', { range: 'bytes=2-4' })).toEqual([1, '234']);
  });

  it('is chosen among its compressed forms, each of them from memory', () => {
    const root = folderWith({ 'a.js': 'plain', 'a.js.br': 'brotli', 'a.js.gz': 'gzip' });
    for (const coding of ['br', 'gzip', 'identity']) heat(root, '/a.js', { 'accept-encoding': coding });
    expect(ask(root, '/a.js', { 'accept-encoding': 'br' })).toEqual([0, 'brotli']);
    expect(ask(root, '/a.js', { 'accept-encoding': 'gzip' })).toEqual([0, 'gzip']);
    expect(ask(root, '/a.js', { 'accept-encoding': 'identity' })).toEqual([0, 'plain']);
    const response = serveDir(get('/a.js', { 'accept-encoding': 'br' }), root);
    expect([response?.header('content-encoding'), response?.header('vary'), response?.header('content-type')]).toEqual([
      'br',
      'Accept-Encoding',
      'text/javascript; charset=utf-8',
    ]);
    heat(root, '/a.js.br');
    expect(serveDir(get('/a.js.br'), root)?.header('content-encoding')).toBeUndefined(); // the same file under its own name
  });

  it('cannot be changed by whoever got it', () => {
    const bytes = Uint8Array.of(1, 2, 3, 0xff);
    const root = folderWith({ 'a.bin': bytes });
    const ruin = (): void => void serveDir(get('/a.bin'), root)?.bytes()?.fill(0);
    for (let times = 0; times < 4; times++) ruin();
    opened.mockClear();
    expect([...(serveDir(get('/a.bin'), root)?.bytes() ?? [])]).toEqual([...bytes]);
    expect(opened).not.toHaveBeenCalled();
  });
});

describe('is read again', () => {
  it.each<[string, (path: string) => void, string | undefined]>([
    ['written over, with the same size and time', (path) => writeAt(path, 'new'), 'new'],
    [
      'replaced by another of the same size and time',
      (path) => {
        writeAt(`${path}.new`, 'new');
        renameSync(`${path}.new`, path);
      },
      'new',
    ],
    ['removed', (path) => rmSync(path), undefined],
    ['touched', (path) => utimesSync(path, new Date(), new Date()), 'old'],
    [
      'made a folder',
      (path) => {
        rmSync(path);
        mkdirSync(path);
      },
      undefined,
    ],
  ])('at once, when it was %s', (_, change, expected) => {
    const root = folderWith({ 'a.txt': 'old' });
    heat(root, '/a.txt');
    expect(ask(root, '/a.txt')).toEqual([0, 'old']);
    change(join(root, 'a.txt'));
    expect(ask(root, '/a.txt')[1]).toBe(expected);
  });

  it('at once, when a compressed form appears beside it', () => {
    const root = folderWith({ 'a.js': 'plain' });
    heat(root, '/a.js', { 'accept-encoding': 'br' });
    writeFileSync(join(root, 'a.js.br'), 'brotli');
    expect(ask(root, '/a.js', { 'accept-encoding': 'br' })[1]).toBe('brotli');
  });

  it('at once, when the root is a link that now leads elsewhere', () => {
    const before = folderWith({ 'a.txt': 'before' });
    const after = folderWith({ 'a.txt': 'after!' });
    const links = folderWith({ 'a.txt': '' });
    const root = join(links, 'current');
    symlinkSync(before, root);
    heat(root, '/a.txt');
    expect(ask(root, '/a.txt')).toEqual([0, 'before']);
    rmSync(root);
    symlinkSync(after, root);
    expect(ask(root, '/a.txt')[1]).toBe('after!');
  });

  it('after a second, when its folder was moved out of the root and linked back', () => {
    const root = folderWith({ 'docs/a.txt': 'inside' });
    const outside = folderWith({});
    heat(root, '/docs/a.txt');
    expect(ask(root, '/docs/a.txt')).toEqual([0, 'inside']);
    renameSync(join(root, 'docs'), join(outside, 'docs'));
    symlinkSync(join(outside, 'docs'), join(root, 'docs'));
    vi.advanceTimersByTime(1001);
    expect(ask(root, '/docs/a.txt')).toEqual([1, undefined]);
    expect(ask(root, '/docs/a.txt')[1]).toBeUndefined();
  });

  it('after a second, and is kept then without being asked for twice', () => {
    const root = folderWith({ 'a.txt': 'a' });
    heat(root, '/a.txt');
    vi.advanceTimersByTime(1001);
    expect(ask(root, '/a.txt')).toEqual([1, 'a']);
    expect(ask(root, '/a.txt')).toEqual([0, 'a']);
  });
});

describe('is not kept', () => {
  it('when it was written within the last two seconds: another write may look the same', () => {
    const root = folderWith({ 'a.txt': 'a' });
    vi.setSystemTime(statSync(join(root, 'a.txt')).mtimeMs + 500);
    heat(root, '/a.txt');
    expect(ask(root, '/a.txt')).toEqual([1, 'a']);
  });

  it('when it is asked for less than once in a second', () => {
    const root = folderWith({ 'a.txt': 'a' });
    for (let times = 0; times < 4; times++) {
      expect(ask(root, '/a.txt')).toEqual([1, 'a']);
      vi.advanceTimersByTime(1001);
    }
  });

  it('when it has more than 64 KiB', () => {
    const root = folderWith({ 'a.txt': 'a'.repeat(64 * 1024 + 1) });
    heat(root, '/a.txt');
    expect(ask(root, '/a.txt')[0]).toBe(1);
  });

  it('when four megabytes of others were asked for since', () => {
    const names = Array.from({ length: 66 }, (_, n) => `${n}.txt`);
    const root = folderWith(Object.fromEntries(names.map((name) => [name, name.padEnd(64 * 1024)])));
    for (const name of names) heat(root, `/${name}`);
    expect(ask(root, '/65.txt')[0]).toBe(0);
    expect(ask(root, '/0.txt')[0]).toBe(1);
  });

  it('when a thousand others were asked for since', () => {
    const names = Array.from({ length: 1001 }, (_, n) => `${n}.txt`);
    const root = folderWith(Object.fromEntries(names.map((name) => [name, ''])));
    for (const name of names) heat(root, `/${name}`);
    expect(ask(root, '/1000.txt')[0]).toBe(0);
    expect(ask(root, '/0.txt')[0]).toBe(1);
  });
});
