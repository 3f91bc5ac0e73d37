/**
 * `npm run test:over`: the tests that ask servers, once more over https, h2 and h2c, and in played threads.
 *
 *     npm run test:over                                  all four, all tests that ask
 *     npm run test:over -- h2 threads                    only these
 *     npm run test:over -- h2c -- test/helpers/proxy     only these tests
 *     npm run test:over -- --short                       over h2c, one file for each subject: a part of `npm test`
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const WAYS = {
  https: { FILROUGE_OVER: 'https' },
  h2: { FILROUGE_OVER: 'h2' },
  h2c: { FILROUGE_OVER: 'h2c' },
  threads: { FILROUGE_OVER: 'h2c', FILROUGE_PLAYED_THREADS: '1' },
};
/** Where servers are asked through `support/serve.ts`. */
const ASKING = ['test/exchange', 'test/guests', 'test/helpers', 'test/http'];
const OF_SERVERS = ['test/server/behind-proxies.test.ts', 'test/server/disk-budget.test.ts'];
/** Bytes of HTTP/1.1; under TLS they are the same. */
const OF_HTTP1 = ['test/rfc', 'test/server'];
const SHORT = [
  'test/exchange/context.test.ts',
  'test/exchange/respond.test.ts',
  'test/guests/answer-with-node.test.ts',
  'test/helpers/early-hints.test.ts',
  'test/helpers/proxy/interim.test.ts',
  'test/helpers/serve-dir/range.test.ts',
  'test/helpers/session/loss.test.ts',
  'test/http/response-sent.test.ts',
];

const args = process.argv.slice(2);
const [named, files] = args.includes('--') ? [args.slice(0, args.indexOf('--')), args.slice(args.indexOf('--') + 1)] : [args, []];
const isShort = named.includes('--short');
const ways = named.filter((name) => name !== '--short');
const unknown = ways.find((name) => !(name in WAYS));
if (unknown !== undefined) {
  console.error(`test:over: there is no "${unknown}", but ${Object.keys(WAYS).join(', ')}`);
  process.exit(1);
}
let status = 0;
for (const way of isShort ? ['h2c'] : ways.length > 0 ? ways : Object.keys(WAYS)) {
  const chosen = isShort ? SHORT : files.length > 0 ? files : way === 'https' ? [...ASKING, ...OF_HTTP1] : [...ASKING, ...OF_SERVERS];
  console.log(`\nOver ${way}${isShort ? ', in short' : ''}`);
  if (way !== 'https') {
    console.warn(`SKIPPED over ${way}: ${countIn(OF_HTTP1) - OF_SERVERS.length} files about the bytes of HTTP/1.1, or of HTTP/2 itself`);
  }
  const vitest = ['vitest', 'run', '--config', 'test/vitest.config.ts', ...chosen];
  const run = spawnSync('npx', vitest, { cwd: ROOT, stdio: 'inherit', env: { ...process.env, ...WAYS[way] } });
  status ||= run.status ?? 1;
}
process.exit(status);

function countIn(folders) {
  const names = folders.flatMap((folder) => readdirSync(`${ROOT}${folder}`, { recursive: true }));
  return names.filter((name) => name.endsWith('.test.ts')).length;
}
