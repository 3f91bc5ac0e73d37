/**
 * Trials: real processes, real sockets, and what must not happen to them. They measure, print, and fail when a bound does not hold; docs/trials.md
 * says what each does, and keeps what they printed.
 *
 *     npm run trial                              all of them
 *     npm run trial -- lines burst               these
 *     npm run trial -- --seconds=15 reload       shorter than the minute that counts
 *     npm run trial -- --over=h2 reload kills    their requests over HTTP/2, h2c without TLS
 *     npm run trial -- --write blocking          its table also goes into docs/benchmarks.md
 */
import { endAll } from './server.mjs';

const KNOWN = [
  'stuck',
  'lines',
  'reload',
  'kills',
  'leak',
  'burst',
  'blocking',
  'database',
  'slowlog',
  'certificates',
  'affinity',
  'socket-io',
  'busy',
  'hosts',
];

const asked = process.argv.slice(2);
const names = asked.filter((word) => !word.startsWith('--'));
const seconds = Number(/--seconds=(\d+)/.exec(asked.join(' '))?.[1] ?? 60);
const isWritten = asked.includes('--write');
/** @type {string[]} */
const failed = [];
for (const name of names.length > 0 ? names : KNOWN) {
  if (!KNOWN.includes(name)) throw new Error(`There is no trial "${name}", only ${KNOWN.join(', ')}`);
  console.log(`\n${name}`);
  const { run } = await import(`./${name}.mjs`);
  try {
    await run({ seconds, isWritten });
  } catch (error) {
    failed.push(name);
    console.error(`${name} failed:`, error instanceof Error ? error.message : error);
  } finally {
    endAll();
  }
}
console.log(failed.length === 0 ? '\nall bounds hold' : `\nfailed: ${failed.join(', ')}`);
process.exit(failed.length === 0 ? 0 : 1);
