/** Requests that are recorded by real processes, in workers and threads, and played again with curl, as they are, and in a test. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ServerOptions } from '../../src/index.ts';
import { requestFromFile } from '../../src/testing.ts';
import { multipart } from '../support/forms.ts';
import { shared, startCommand } from '../support/program.ts';
import { newFolder, records, recordsIn } from '../support/records.ts';
import { type Cluster, startCluster } from './support.ts';

const MiB = 1024 * 1024;
const BYTES = Buffer.from(Array.from({ length: 5 * MiB }, (_, i) => (i * 7 + (i >> 8)) & 0xff));
const FORM = multipart([
  ['name="title"', 'A boat'],
  ['name="password"', 'hidden'],
  ['name="file"; filename="boat.bin"\r\nContent-Type: application/octet-stream', BYTES],
]);
const FORM_TYPE = { 'Content-Type': 'multipart/form-data; boundary=b' };
/** The function `replay` of docs/testing.md. */
const REPLAY = /^```bash\n(replay\(\) [\s\S]*?)^```$/m.exec(readFileSync('docs/testing.md', 'utf8'))?.[1] ?? '';

interface Recording {
  readonly cluster: Cluster;
  readonly onError: string;
  readonly slow: string;
  readonly refused: string;
}

type Folders = Omit<Recording, 'cluster'>;

async function start(options: ServerOptions = {}, env: Readonly<Record<string, string>> = {}): Promise<Recording> {
  const folders = { onError: newFolder(), slow: newFolder(), refused: newFolder() };
  return { cluster: await startIn(folders, options, env), ...folders };
}

function startIn(folders: Folders, options: ServerOptions, env: Readonly<Record<string, string>> = {}): Promise<Cluster> {
  const record = { ...folders, mask: ['password'] };
  const set: ServerOptions = { workers: 0, threads: 2, handlerTimeout: 20_000, slowRequest: 200, maxBodySize: 6 * MiB, record, ...options };
  return startCluster(set, { fixture: 'recording', env });
}

/** A server for all tests of a `describe`. Its folders are empty when a test begins. */
function sharedRecording(options: ServerOptions): () => Recording {
  const root = mkdtempSync(join(tmpdir(), 'filrouge-recording-'));
  const folders = { onError: join(root, 'errors'), slow: join(root, 'slow'), refused: join(root, 'refused') };
  for (const folder of Object.values(folders)) mkdirSync(folder);
  const server = shared(() => startIn(folders, options));
  afterAll(() => rmSync(root, { recursive: true }));
  beforeEach(() => {
    for (const folder of Object.values(folders)) for (const name of readdirSync(folder)) rmSync(join(folder, name));
  });
  return () => ({ cluster: server(), ...folders });
}

async function post(cluster: Cluster, path: string, body: Buffer | string, headers: Record<string, string> = {}): Promise<number> {
  const response = await fetch(cluster.origin + path, { method: 'POST', body, headers: { Cookie: 'sid=hidden', ...headers } });
  await response.text();
  return response.status;
}

/** Plays a file again with the function on docs/testing.md, by the real curl. @returns The status. */
async function withCurl(path: string): Promise<number> {
  const program = startCommand('bash', ['-c', `${REPLAY}\nreplay "$1" -s -o /dev/null -w '%{http_code}'`, 'bash', path]);
  expect([await program.ended, program.stderr]).toEqual([0, '']);
  return Number(program.stdout);
}

/** Sends all of a file but its comments. @returns The status. */
function asItIs(path: string, cluster: Cluster): Promise<number> {
  const tail = execFileSync('tail', ['-n', '+7', path], { maxBuffer: 16 * MiB });
  const socket = connect(Number(new URL(cluster.origin).port), '127.0.0.1');
  socket.write(tail);
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('data', (answer) => {
      socket.destroy();
      resolve(Number(answer.toString('latin1', 9, 12)));
    });
  });
}

function textOf(path: string): string {
  return readFileSync(path, 'latin1');
}

describe.each([
  ['in threads of a worker', { workers: 1, threads: 2 }],
  ['in threads of a single process', {}],
  ['on the thread of the process', { threads: 0, slowRequest: 300 }],
] as const)('%s', (_where, options) => {
  const recording = sharedRecording(options);

  // The first, as others may be slow as well.
  it('a slow request is recorded, and is slow again', async () => {
    const { cluster, slow, onError } = recording();
    expect(await post(cluster, '/slow', 'body')).toBe(200);
    const [path = ''] = await records(slow);
    expect(textOf(path)).toMatch(/^# why: slow, \d+ ms/m);
    expect(await withCurl(path)).toBe(200);
    await records(slow, 2);
    expect(recordsIn(onError)).toEqual([]);
  });

  it('a request whose handler throws is recorded, and fails the same in a test, with curl, and as it is', async () => {
    const { cluster, onError } = recording();
    expect(
      await post(cluster, '/throw?password=hidden', '{"items": null, "password": "hidden"}', { 'Content-Type': 'application/json' }),
    ).toBe(500);
    const [path = ''] = await records(onError);
    expect(textOf(path)).not.toContain('hidden');
    expect(textOf(path)).toMatch(/^# why: TypeError at .*recording\.mjs:6:\d+\)?\r$/m);
    const { answer } = (await import('./fixtures/recording.mjs')) as { answer: (request: unknown) => unknown };
    expect(() => answer(requestFromFile(path))).toThrow(/null/);
    expect(await withCurl(path)).toBe(500);
    expect(await asItIs(path, cluster)).toBe(500);
    const [, ...again] = await records(onError, 3);
    for (const one of again) {
      const [first, second] = [requestFromFile(path), requestFromFile(one)];
      expect(second.body.text()).toBe(first.body.text());
      expect(second.target.replace(/^http:\/\/localhost:\d+/, '')).toBe(first.target);
    }
  });

  it('an upload of 5 MB is recorded byte by byte, and fails the same in a test, with curl, and as it is', async () => {
    const { cluster, onError } = recording();
    expect(await post(cluster, '/upload', FORM, FORM_TYPE)).toBe(500);
    const [path = ''] = await records(onError);
    expect(textOf(path)).not.toContain('hidden');
    expect(
      requestFromFile(path)
        .body.bytes()
        .equals(Buffer.from(FORM.toString('latin1').replace('hidden', '***'), 'latin1')),
    ).toBe(true);
    const { answer } = (await import('./fixtures/recording.mjs')) as { answer: (request: unknown) => unknown };
    expect(() => answer(requestFromFile(path))).toThrow(`A boat: ${5 * MiB} bytes, the last is ${BYTES.at(-1)}`);
    expect(await withCurl(path)).toBe(500);
    expect(await asItIs(path, cluster)).toBe(500);
    const all = await records(onError, 3);
    expect(all.map((one) => requestFromFile(one).body.bytes().equals(requestFromFile(path).body.bytes()))).toEqual([true, true, true]);
  });

  it('a request whose promise never settles is recorded, and has its 503 again', async () => {
    const { cluster, onError } = await start({ ...options, handlerTimeout: 1000 });
    expect(await post(cluster, '/never', 'body')).toBe(503);
    const [path = ''] = await records(onError);
    expect(textOf(path)).toContain('# why: 503, no answer within handlerTimeout');
    expect(requestFromFile(path).body.text()).toBe('body');
    expect(await withCurl(path)).toBe(503);
    await records(onError, 2);
  });

  it('a body that is too large is recorded, and is refused again', async () => {
    const { cluster, refused } = recording();
    const client = connect(Number(new URL(cluster.origin).port), '127.0.0.1');
    client.write('POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 20000000\r\n\r\n');
    await new Promise((resolve) => client.once('data', resolve));
    client.destroy();
    const [path = ''] = await records(refused);
    expect(await withCurl(path)).toBe(413);
    expect(await asItIs(path, cluster)).toBe(413);
    expect((await records(refused, 3)).map((one) => requestFromFile(one, { partial: true }).header('content-length'))).toEqual([
      '20000000',
      '20000000',
      '20000000',
    ]);
  });
});

describe('a handler that is stuck in its thread', () => {
  it('is recorded by the process, with its body and the line where it stands, and is stuck again', async () => {
    const { cluster, onError } = await start({ maxMemoryForBodies: MiB, handlerTimeout: 1000 });
    for (const [before, body] of [
      [0, 'small'],
      [2, 'x'.repeat(3 * MiB)],
    ] as const) {
      expect(await post(cluster, '/stuck', body)).toBe(503);
      const path = (await records(onError, before + 1))[before] ?? '';
      expect(textOf(path)).toMatch(/^# why: 503, no answer within handlerTimeout; it stands .*recording\.mjs:10/m);
      expect(requestFromFile(path).body.text()).toBe(body);
      expect(await withCurl(path)).toBe(503);
      const both = (await records(onError, before + 2)).slice(before);
      expect(both.map((one) => requestFromFile(one).body.size)).toEqual([body.length, body.length]);
    }
  });

  it('is recorded, and not those that have waited behind it', async () => {
    const { cluster, onError } = await start({ threads: 1, handlerTimeout: 1000 });
    const stuck = post(cluster, '/stuck', 'culprit');
    const victims = Promise.all(Array.from({ length: 30 }, (_, i) => post(cluster, `/victim/${i}`, 'victim')));
    expect(await stuck).toBe(503);
    await victims;
    await records(onError);
    cluster.child.kill('SIGTERM');
    await cluster.ended;
    expect(recordsIn(onError).map((path) => requestFromFile(path).body.text())).toEqual(['culprit']);
  });

  it('is recorded when its thread dies', async () => {
    const { cluster, onError } = await start({});
    expect(await post(cluster, '/die', 'last words')).toBe(500);
    const [path = ''] = await records(onError);
    expect(requestFromFile(path).body.text()).toBe('last words');
  });
});

describe('several processes that record into one folder', () => {
  it('keep together as many files as are allowed, each whole, and nothing else', async () => {
    const onError = newFolder();
    const options = { workers: 3, threads: 1, handlerTimeout: 20_000, slowRequest: 0, record: { onError, maxFiles: 7 } };
    const { cluster } = await start(options, { NODE_ENV: 'production' }); // a 500 that is explained takes a while
    const form = multipart([
      ['name="title"', 'A boat'],
      ['name="file"; filename="boat.bin"', BYTES.subarray(0, 300_000)],
    ]);
    const statuses = await Promise.all(Array.from({ length: 60 }, () => post(cluster, '/upload', form, FORM_TYPE)));
    expect(new Set(statuses)).toEqual(new Set([500]));
    cluster.child.kill('SIGTERM');
    expect(await cluster.ended).toBe(0);
    expect(readdirSync(onError)).toHaveLength(7);
    for (const path of recordsIn(onError)) expect(requestFromFile(path).body.bytes().equals(form)).toBe(true);
    expect(cluster.stderr.match(/more go wrong than the disk can take/g)?.length ?? 0).toBeLessThanOrEqual(3);
  });
});

describe('a disk that is full', () => {
  it('is logged once; every request is answered, and nothing is left behind', async () => {
    const onError = newFolder();
    const options = JSON.stringify({ workers: 0, record: { onError } });
    const program = startCommand('bash', ['-c', 'ulimit -f 64; exec node test/cluster/fixtures/recording.mjs'], { OPTIONS: options });
    const [, origin = ''] = await program.prints(/listening on (http\S+)/);
    for (let i = 0; i < 3; i++) {
      const response = await fetch(`${origin}/upload`, { method: 'POST', body: FORM, headers: FORM_TYPE });
      expect(response.status).toBe(500);
    }
    await program.prints(/EFBIG/);
    program.child.kill('SIGTERM');
    expect(await program.ended).toBe(0);
    expect(
      program.stderr.match(/cannot record requests in ".*": EFBIG: file too large, .*; said once, until it works again/g),
    ).toHaveLength(1);
    expect(readdirSync(onError)).toEqual([]);
  });
});

beforeAll(() => expect(REPLAY).toContain('curl'));
