/** What is told of requests in real workers and handler threads, also of those whose thread has died. */
import { expect, it } from 'vitest';
import { start } from '../support/program.ts';

const FILE = 'test/cluster/fixtures/watched.mjs';

async function ask(origin: string, path: string): Promise<number> {
  const response = await fetch(origin + path);
  await response.text().catch(() => {});
  return response.status;
}

it.each([
  ['in a worker', { WORKERS: '1', THREADS: '0' }, 'main'],
  ['in a handler thread', { WORKERS: '0', THREADS: '1' }, 'thread'],
])('requests are told of where they are handled, %s', async (_where, env, place) => {
  const program = start(FILE, env);
  const [, origin = ''] = await program.prints(/listening on (http\S+)/);
  expect(await ask(origin, '/')).toBe(200);
  await program.prints(new RegExp(`${place} start /\n${place} response /\n${place} sent / 200 5 sent true`));
  expect(await ask(origin, '/asked')).toBe(200);
  await program.prints(new RegExp(`${place} asked 5`));
  expect(await ask(origin, '/broken')).toBe(200);
  await program.prints(new RegExp(`${place} sent /broken 200 4 failed true`));
  expect(await ask(origin, '/late')).toBe(503);
  await program.prints(new RegExp(`${place} sent /late 503 \\d+ sent true`));
});

it.each([
  ['/exit', 500],
  ['/stuck', 503],
])('the thread with the connection tells of a request whose handler thread has ended: %s', async (path, status) => {
  const program = start(FILE, { WORKERS: '0', THREADS: '1' });
  const [, origin = ''] = await program.prints(/listening on (http\S+)/);
  expect(await ask(origin, path)).toBe(status);
  await program.prints(new RegExp(`main response ${path}\nmain sent ${path} ${status} \\d+ sent true`));
});
