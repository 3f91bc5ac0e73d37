/**
 * A hundred handlers that never return, each in its own way at its own line: how often does the log name the right one?
 *
 *     npm run trial -- lines
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bounds } from './bounds.mjs';
import { Line } from './client.mjs';
import { manyHandlers } from './handlers.mjs';
import { Server, until } from './server.mjs';

const COUNT = 100;
/** How long the line may come after the answer, ms: a handler that blocks behind an await is known by its silence only. */
const PATIENCE = 3000;

export async function run() {
  const folder = mkdtempSync(join(tmpdir(), 'filrouge-trial-'));
  const file = join(folder, 'handlers.mjs');
  const { script, expected } = manyHandlers(new URL('../../dist/index.js', import.meta.url).href, COUNT);
  writeFileSync(file, script);
  const server = new Server(file, { workers: 0, threads: 4, handlerTimeout: 250, log: 'json' });
  const port = await server.port;
  const line = new Line(port);
  /** @type {{ handler: string, logged: string, expected: string }[]} */
  const wrong = [];
  let refused = 0;
  for (const { path, places } of expected) {
    const { status } = await line.ask(path).catch(() => ({ status: 0 }));
    if (status !== 503) refused++;
    const logged = await until(() => server.events.find((event) => event.path === path && event.place !== undefined), PATIENCE);
    const place = shortPlace(logged?.place);
    if (!places.some((allowed) => isSame(place, allowed))) {
      const last = server.events.findLast((event) => event.path === path)?.message;
      wrong.push({ handler: path, logged: place === '' ? `no place: ${last ?? 'no line'}` : place, expected: places.join(' or ') });
    }
  }
  line.close();
  await server.stop();
  rmSync(folder, { recursive: true });
  console.table([{ handlers: COUNT, 'named with function and line': COUNT - wrong.length, 'not answered 503': refused }]);
  if (wrong.length > 0) console.table(wrong);
  const bounds = new Bounds();
  bounds.atMost('answers that were not 503', refused, 0);
  bounds.atLeast('right functions and lines of 100', COUNT - wrong.length, 99);
  bounds.end();
}

/** `at work (src/server.ts:12:5)` as `work:12`. @param {string | undefined} place */
function shortPlace(place = '') {
  const [, name, line] = /^at (.+) \(.*:(\d+):\d+\)$/.exec(place) ?? [];
  return name === undefined ? '' : `${name}:${line}`;
}

/** @param {string} place @param {string} allowed `*:12` is any function at this line. */
function isSame(place, allowed) {
  return allowed.startsWith('*:') ? place.endsWith(allowed.slice(1)) : place === allowed;
}
