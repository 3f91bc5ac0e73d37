/**
 * Another certificate every two seconds, under clients that stay and clients that come: does any request fail, and is each certificate seen?
 *
 *     npm run trial -- --over=h2 certificates
 */
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { Bounds } from './bounds.mjs';
import { askAtRate, quantile, tellFailures } from './client.mjs';
import { isSecure, makeCertificate } from './over.mjs';
import { pause, Server } from './server.mjs';

const SECONDS = 30;
const INTERVAL = 2000;
const RATE = 1000;
const LINES = 50;
/** How often somebody comes to see what certificate there is, ms. */
const LOOK = 50;

export async function run() {
  if (!isSecure) return console.warn('SKIPPED: certificates are for --over=h2');
  const folder = mkdtempSync(join(tmpdir(), 'filrouge-certificates-'));
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  makeCertificate(files);
  const server = new Server('test/cluster/fixtures/server.mjs', { workers: 2, tls: files });
  const port = await server.port;
  const end = new AbortController();
  const staying = askAtRate({ port, path: () => '/pid', rate: RATE, lines: LINES, until: end.signal });
  const coming = askAtRate({
    port,
    path: () => ({ path: '/pid', headers: 'Connection: close\r\n' }),
    rate: 50,
    lines: 10,
    until: end.signal,
  });
  /** @type {Set<string>} */
  const seen = new Set();
  const looking = (async () => {
    for (; !end.signal.aborted; await pause(LOOK)) seen.add(await serialOn(port));
  })();
  /** @type {string[]} */
  const made = [];
  for (const from = performance.now(); performance.now() - from < SECONDS * 1000; await pause(INTERVAL)) {
    const fresh = { cert: `${files.cert}.new`, key: `${files.key}.new` };
    makeCertificate(fresh);
    made.push(new X509Certificate(readFileSync(fresh.cert)).serialNumber);
    renameSync(fresh.key, files.key); // for a moment the key does not fit: the old pair must go on
    renameSync(fresh.cert, files.cert);
  }
  end.abort();
  const [stayed, came] = await Promise.all([staying, coming, looking]);
  await server.stop();
  rmSync(folder, { recursive: true });
  const failures = [...stayed.failures, ...came.failures];
  const unseen = made.filter((serial) => !seen.has(serial)).length;
  console.table([
    {
      certificates: made.length,
      'never seen': unseen,
      requests: stayed.times.length + came.times.length,
      'of them on new connections': came.times.length,
      failed: failures.length,
      'p99 ms': quantile(stayed.times, 0.99).toFixed(2),
    },
  ]);
  tellFailures(failures);
  const bounds = new Bounds();
  bounds.atLeast('certificates', made.length, (SECONDS * 1000) / INTERVAL - 3);
  bounds.atLeast('requests', stayed.times.length + came.times.length, (RATE * SECONDS) / 2);
  bounds.atMost('failed requests', failures.length, 0);
  bounds.atMost('certificates that nobody saw', unseen, 0);
  bounds.end();
}

/** @param {number} port @returns {Promise<string>} */
function serialOn(port) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'] }, () => {
      resolve(socket.getPeerX509Certificate()?.serialNumber ?? '');
      socket.destroy();
    });
    socket.on('error', reject);
  });
}
