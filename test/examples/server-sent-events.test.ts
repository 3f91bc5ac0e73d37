import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { describeInChromium, launchChromium, SCREENSHOTS } from '../support/chromium.ts';
import { accepting, freePort, type Program, start } from '../support/program.ts';
import { until } from '../support/until.ts';

const curls: ReturnType<typeof spawn>[] = [];
afterEach(() => {
  for (const curl of curls.splice(0)) curl.kill('SIGKILL');
});

async function run(port?: number): Promise<{ program: Program; port: number }> {
  const chosen = port ?? (await freePort());
  const program = start('.build/examples/server-sent-events.js', { PORT: String(chosen) });
  await accepting(chosen);
  return { program, port: chosen };
}

/** A curl that prints what comes as it comes, and when each piece came. */
function curl(...args: readonly string[]): { text: () => string; ended: Promise<number> } {
  let text = '';
  const child = spawn('curl', ['-sSN', '--max-time', '8', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  curls.push(child);
  child.stdout.on('data', (bytes: Buffer) => {
    text += bytes.toString();
  });
  return { text: () => text, ended: new Promise((resolve) => child.on('close', (code) => resolve(code ?? -1))) };
}

const lapsIn = (text: string): number[] => [...text.matchAll(/^id: (\d+)$/gm)].map(([, lap]) => Number(lap));

describe('examples/server-sent-events', () => {
  it.each([
    ['as it is', []],
    ['compressed', ['--compressed']],
  ])('gives curl one lap after another, %s, and ends after five', async (_, options) => {
    const { port } = await run();
    const client = curl(...options, `http://localhost:${port}/laps`);
    const first = await until(
      () => (lapsIn(client.text()).length > 0 ? client.text() : undefined),
      () => 'the first lap',
    );
    expect(lapsIn(first).length).toBeLessThan(5); // it came while the others had still to be run
    expect(first).toContain('event: lap\nid: 1\nretry: 100\ndata: lap 1\ndata: ●\n\n');
    expect(await client.ended).toBe(0);
    expect(lapsIn(client.text())).toEqual([1, 2, 3, 4, 5]);
  });

  it('goes on after the last event that the client has seen', async () => {
    const { port } = await run();
    const client = curl('-H', 'Last-Event-ID: 5', `http://localhost:${port}/laps`);
    const confused = curl('-H', 'Last-Event-ID: 5; drop', `http://localhost:${port}/laps`);
    await Promise.all([client.ended, confused.ended]);
    expect(lapsIn(client.text())).toEqual([6, 7, 8, 9, 10]);
    expect(lapsIn(confused.text())).toEqual([1, 2, 3, 4, 5]);
  });
});

describeInChromium('examples/server-sent-events in Chromium', () => {
  it('misses no lap and sees none twice, when the response ends and when the server dies', async () => {
    const { program, port } = await run();
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      const codings: (string | undefined)[] = [];
      page.on('response', (response) => {
        if (response.url().endsWith('/laps')) codings.push(response.headers()['content-encoding']);
      });
      await page.goto(`http://localhost:${port}/`);
      const seen = (): Promise<number[]> => page.evaluate('seen');
      const past = (lap: number): Promise<number[]> =>
        until(
          async () => ((await seen()).length > lap ? seen() : undefined),
          () => `lap ${lap}`,
        );
      expect((await past(7)).slice(0, 8)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
      await page.screenshot({ path: join(SCREENSHOTS, 'server-sent-events.png') });

      await program.kill();
      const before = await seen();
      await run(port);
      const after = await past(before.length + 2);
      expect(after).toEqual(after.map((_, index) => index + 1));
      expect(Number(await page.textContent('#times'))).toBeGreaterThan(2);
      expect(new Set(codings)).toEqual(new Set(['gzip']));
    } finally {
      await browser.close();
    }
  });
});
