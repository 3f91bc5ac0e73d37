/** What the requests of a trial go over: `--over=h2c` or `--over=h2`; HTTP/1.1 without it. What else a trial opens, websockets say, stays in HTTP/1.1. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const WAYS = ['http', 'h2c', 'h2'];
const OVER = /--over=(\w+)/.exec(process.argv.join(' '))?.[1] ?? 'http';
if (!WAYS.includes(OVER)) throw new Error(`--over=${OVER} is none of ${WAYS.join(', ')}`);

export const isHttp2 = OVER !== 'http';
export const isSecure = OVER === 'h2';

/** What a server needs for it. @returns {Record<string, unknown>} */
export function optionsOver() {
  if (OVER === 'h2c') return { h2c: true };
  return isSecure ? { tls: makePair() } : {};
}

/** @type {{ cert: string, key: string } | undefined} */
let pair;

function makePair() {
  if (pair) return pair;
  const folder = mkdtempSync(join(tmpdir(), 'filrouge-trial-tls-'));
  process.on('exit', () => rmSync(folder, { recursive: true }));
  pair = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  makeCertificate(pair);
  return pair;
}

/** Writes a new certificate, with a key of its own. @param {{ cert: string, key: string }} files */
export function makeCertificate({ cert, key }) {
  const kind = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost'.split(' ');
  execFileSync('openssl', ['req', ...kind, '-keyout', key, '-out', cert], { stdio: 'ignore' });
}
