import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { describeInChromium, launchChromium, SCREENSHOTS } from '../support/chromium.ts';
import { accepting, freePort, type Program, start } from '../support/program.ts';
import { until } from '../support/until.ts';

async function run(): Promise<{ program: Program; port: number }> {
  const port = await freePort();
  const program = start('.build/examples/websocket.js', { PORT: String(port) });
  await accepting(port);
  return { program, port };
}

/** A guest, what it has heard, and a way to wait for the next line. */
async function guest(port: number, name: string): Promise<{ client: WebSocket; heard: string[]; hears(line: string): Promise<string> }> {
  const client = new WebSocket(`ws://localhost:${port}/chat?name=${name}`, { origin: `http://localhost:${port}` });
  const heard: string[] = [];
  client.on('message', (data: Buffer) => heard.push(data.toString()));
  await once(client, 'open');
  return {
    client,
    heard,
    hears: (line) =>
      until(
        () => heard.find((one) => one === line),
        () => `"${line}" among ${JSON.stringify(heard)}`,
      ),
  };
}

describe('examples/websocket', () => {
  it('does what its first comment shows', async () => {
    const { port } = await run();
    const plain = await fetch(`http://localhost:${port}/chat`);
    expect([plain.status, plain.headers.get('upgrade')]).toEqual([426, 'websocket']);
    const ada = await guest(port, 'ada');
    await ada.hears('ada comes in, 1 here');
    const bob = await guest(port, 'bob');
    await ada.hears('bob comes in, 2 here');
    bob.client.send('hello <b>');
    await ada.hears('bob: hello <b>');
    await bob.hears('bob: hello <b>');
    bob.client.close();
    await ada.hears('bob leaves');
    ada.client.terminate();
  });

  it('cuts off who says more than 2 KiB, and nobody else', async () => {
    const { port } = await run();
    const ada = await guest(port, 'ada');
    const bob = await guest(port, 'bob');
    const end = once(bob.client, 'close');
    bob.client.send('x'.repeat(2049));
    expect((await end)[0]).toBe(1009);
    await ada.hears('bob leaves');
    ada.client.send('still here');
    await ada.hears('ada: still here');
    ada.client.terminate();
  });

  it('tells its guests when it is asked to end, and ends with code 0', async () => {
    const { program, port } = await run();
    const { client } = await guest(port, 'ada');
    const end = once(client, 'close');
    program.child.kill('SIGTERM');
    const [code, reason] = (await end) as [number, Buffer];
    expect([code, reason.toString()]).toEqual([1001, 'The server is stopping']);
    expect(await program.ended).toBe(0);
  });
});

describeInChromium('the chat in Chromium', () => {
  it('carries what one page says to the other, and refuses a page of another origin', async () => {
    const { port } = await run();
    const browser = await launchChromium();
    try {
      const ada = await browser.newPage();
      const bob = await browser.newPage();
      const complaints: string[] = [];
      for (const page of [ada, bob]) page.on('pageerror', (error) => complaints.push(error.message));
      await ada.goto(`http://localhost:${port}/?name=ada`);
      await ada.waitForSelector('text=ada comes in, 1 here');
      await bob.goto(`http://localhost:${port}/?name=bob`);
      await ada.waitForSelector('text=bob comes in, 2 here');
      await ada.fill('#text', 'hello, <i>Bob</i> ❤');
      await ada.press('#text', 'Enter');
      await bob.waitForSelector('text=ada: hello, <i>Bob</i> ❤');
      await bob.fill('#text', 'hello yourself');
      await bob.press('#text', 'Enter');
      await ada.waitForSelector('text=bob: hello yourself');
      await ada.screenshot({ path: join(SCREENSHOTS, 'chat-ada.png') });
      await bob.screenshot({ path: join(SCREENSHOTS, 'chat-bob.png') });
      expect(await ada.locator('li').allTextContents()).toEqual([
        'ada comes in, 1 here',
        'bob comes in, 2 here',
        'ada: hello, <i>Bob</i> ❤',
        'bob: hello yourself',
      ]);

      // The same page under another name is another origin.
      await bob.goto(`http://127.0.0.1:${port}/`);
      const code = bob.evaluate(
        `new Promise((resolve) => { new WebSocket('ws://localhost:${port}/chat').onclose = (event) => resolve(event.code); })`,
      );
      expect(await code).toBe(1006);
      await ada.waitForSelector('text=bob leaves');
      await bob.close();
      expect(complaints).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});
