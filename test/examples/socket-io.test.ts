import { join } from 'node:path';
import { io as connect, type Socket } from 'socket.io-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { describeInChromium, launchChromium, SCREENSHOTS } from '../support/chromium.ts';
import { accepting, freePort, start } from '../support/program.ts';
import { until } from '../support/until.ts';

async function run(): Promise<number> {
  const port = await freePort();
  start('.build/examples/socket-io.js', { PORT: String(port) });
  await accepting(port);
  return port;
}

/** A guest, and what it has heard. */
function guest(port: number, name: string): { client: Socket; heard: string[] } {
  const client = connect(`http://localhost:${port}`, { forceNew: true, auth: { name } });
  onTestFinished(() => void client.disconnect());
  const heard: string[] = [];
  client.on('said', (who: string, text: string) => heard.push(`${who}: ${text}`));
  return { client, heard };
}

describe('examples/socket-io', () => {
  it('tells who enters a room who is there, and everybody there what is said, whichever worker has them', async () => {
    const port = await run();
    const guests = Array.from({ length: 6 }, (_, i) => guest(port, `guest${i}`));
    for (const { client } of guests) await client.timeout(10_000).emitWithAck('enter', 'lobby');
    const elsewhere = guest(port, 'eve');
    expect(await elsewhere.client.timeout(10_000).emitWithAck('enter', 'cellar')).toEqual(['eve']);
    const names = (await guests[0]?.client.timeout(10_000).emitWithAck('enter', 'lobby')) as string[];
    expect(names).toEqual(guests.map((_, i) => `guest${i}`));
    await guests[3]?.client.timeout(10_000).emitWithAck('say', 'hello');
    await until(
      () => guests.every(({ heard }) => heard.includes('guest3: hello')) || undefined,
      () => `the greeting: ${JSON.stringify(guests.map(({ heard }) => heard))}`,
    );
    expect(elsewhere.heard).toEqual([]);
  });

  it('refuses a name that is none', async () => {
    const { client } = guest(await run(), 'a name, with signs');
    const error = await new Promise<Error>((resolve) => client.once('connect_error', resolve));
    expect(error.message).toBe('a name is 1 to 20 letters');
  });
});

describeInChromium('examples/socket-io in Chromium', () => {
  it('is a page that says who is there, and shows what is said', async () => {
    const port = await run();
    const browser = await launchChromium();
    onTestFinished(() => browser.close());
    const page = await browser.newPage();
    await page.goto(`http://localhost:${port}/`);
    await page.waitForSelector('#who:not(:empty)');
    const other = guest(port, 'ada');
    await other.client.timeout(10_000).emitWithAck('enter', 'lobby');
    await page.fill('input', 'hello');
    await page.press('input', 'Enter');
    await page.waitForSelector('li');
    await until(
      () => other.heard[0],
      () => 'what the page has said',
    );
    await other.client.timeout(10_000).emitWithAck('say', 'welcome');
    await page.waitForSelector('text=ada: welcome');
    await page.screenshot({ path: join(SCREENSHOTS, 'socket-io.png') });
  });
});
