/**
 * Where things are, and what must be there before anything can be measured.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HELLO, LARGE, makeLarge, makePage, makeText } from '../content.mjs';

/** The project. */
export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/** This folder's parent: test/bench. */
export const BENCH = fileURLToPath(new URL('..', import.meta.url));
/** What the benchmark makes for itself. */
export const BUILD = join(ROOT, '.build/bench');

/** Whether they are there, and none has been added since. */
function arePeersInstalled() {
  const installed = statSync(join(BENCH, 'node_modules/.package-lock.json'), { throwIfNoEntry: false });
  return installed !== undefined && installed.mtimeMs > statSync(join(BENCH, 'package-lock.json')).mtimeMs;
}

/**
 * Makes the files and the certificate, and installs the peers.
 *
 * @param {string} dist Where the build to measure lies.
 * @throws When something cannot be had that nothing goes without.
 */
export function prepareFiles(dist) {
  if (!existsSync(join(dist, 'index.js'))) throw new Error(`${dist} holds no build: npm run build`);
  if (spawnSync('wrk', ['--version']).error) throw new Error('wrk is not installed (Debian: apt-get install wrk)');
  if (!arePeersInstalled()) {
    console.log('Installing the peers (npm ci in test/bench) …');
    const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: BENCH, stdio: 'inherit' });
    if (status !== 0) throw new Error('The peers cannot be installed');
  }
  mkdirSync(join(BUILD, 'static'), { recursive: true });
  writeFileSync(join(BUILD, 'static/page.html'), makePage());
  writeFileSync(join(BUILD, 'static/text.txt'), makeText());
  writeFileSync(join(BUILD, 'static/large.bin'), LARGE);
  for (const mib of [1, 16]) writeFileSync(join(BUILD, `static/file${mib}.bin`), makeLarge(mib * 1024 * 1024));
  // nghttpd takes what a body is sent to for a file as well
  mkdirSync(join(BUILD, 'nghttpd'), { recursive: true });
  for (const [name, bytes] of Object.entries({ 'index.html': HELLO, large: LARGE, echo: '' })) {
    writeFileSync(join(BUILD, 'nghttpd', name), bytes);
  }
  makeCertificate();
}

function makeCertificate() {
  const [key, cert] = [join(BUILD, 'key.pem'), join(BUILD, 'cert.pem')];
  if (existsSync(cert)) return;
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '3650', '-subj', '/CN=localhost'];
  const { status, error } = spawnSync('openssl', ['req', ...kind, '-keyout', key, '-out', cert]);
  if (status === 0) return;
  console.warn(`SKIPPED: TLS, there is no openssl to make a certificate (${error?.message ?? `it ended with ${status}`})`);
}

/** Whether there is a certificate to serve TLS with. */
export function hasCertificate() {
  return existsSync(join(BUILD, 'cert.pem'));
}
