/**
 * Chromium for tests: where it is, how it is started, where its pictures go.
 */
import { existsSync, mkdirSync } from 'node:fs';
import axe from 'axe-core';
import { type Browser, chromium } from 'playwright-core';
import { describe } from 'vitest';

const CHROMIUM = '/usr/bin/chromium';
/** It asks nobody but the server under test for anything, and draws without a screen. */
const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The folder for what the pages looked like. It is there as soon as a browser is. */
export const SCREENSHOTS = '.build/screenshots';

/** Evaluated in a page: what keeps people from using it, as far as axe finds it, each rule with the elements that break it. */
export const BARRIERS: string = `${axe.source};
  axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)]))`;

const isThere = existsSync(CHROMIUM);
if (!isThere) console.warn(`SKIPPED: the browser tests need ${CHROMIUM} (Debian: apt-get install chromium)`);

/** A `describe` that is skipped where there is no Chromium; in CI it fails instead. */
export const describeInChromium = describe.skipIf(!isThere && process.env['CI'] === undefined);

/** Starts a browser. Whoever does so closes it. */
export async function launchChromium(): Promise<Browser> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  return chromium.launch({ executablePath: CHROMIUM, args: QUIET });
}
