/**
 * Chromium for tests: where it is, how it is started, where its pictures go.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import axe from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';
import { describe, expect } from 'vitest';

/** The same browser twice: without the parts for a screen, which take as long again to start, and whole. */
const PLACES = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'] as const;
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

/** The widths and heights of a desk's screen and of a phone's. */
const SCREENS = { desk: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } } as const;

/** Its path. */
export const CHROMIUM: string = PLACES.find((path) => existsSync(path)) ?? PLACES[1];
const isThere = existsSync(CHROMIUM);
if (!isThere) console.warn(`SKIPPED: the browser tests need ${CHROMIUM} (Debian: apt-get install chromium)`);

/** Whether tests may ask for it: in CI they do, and fail where it is missing. */
export const hasChromium: boolean = isThere || process.env['CI'] !== undefined;
/** A `describe` that is skipped where there is no Chromium; in CI it fails instead. */
export const describeInChromium = describe.skipIf(!hasChromium);

/** Starts a browser. Whoever does so closes it. */
export async function launchChromium(): Promise<Browser> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  return chromium.launch({ executablePath: CHROMIUM, args: QUIET });
}

/** What keeps people from using a page, as far as axe finds it: each rule with the elements that break it. */
export async function barriers(page: Page): Promise<unknown> {
  if (!(await page.evaluate('"axe" in globalThis'))) await page.evaluate(axe.source);
  return page.evaluate('axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)]))');
}

/** Looks at a page on a desk and on a phone, by day and by night: leaves a picture of each, and expects no barrier and nothing to be moved sideways. */
export async function lookAt(page: Page, name: string, { fullPage = false } = {}): Promise<void> {
  const before = page.viewportSize();
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    for (const [screen, size] of Object.entries(SCREENS)) {
      await page.setViewportSize(size);
      await page.screenshot({ path: join(SCREENSHOTS, `${name}-${screen}-${colorScheme}.png`), fullPage });
      expect(await barriers(page)).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(size.width);
    }
  }
  if (before) await page.setViewportSize(before);
}
