import { describe, expect, it } from 'vitest';
import { accepting, freePort, type Program, start } from '../support/program.ts';

/** Two ports in a row that are free: the second one is the upstream's. */
async function run(env: Readonly<Record<string, string>> = {}): Promise<{ program: Program; origin: string }> {
  const port = await freePort();
  const program = start('.build/examples/reverse-proxy.js', { PORT: String(port), ...env });
  await accepting(port);
  return { program, origin: `http://localhost:${port}` };
}

async function textOf(url: string, init?: RequestInit): Promise<[number, string]> {
  const response = await fetch(url, init);
  return [response.status, await response.text()];
}

describe('examples/reverse-proxy', () => {
  it('answers its own page, sends the rest on without the prefix, and guards what it sends', async () => {
    const { origin } = await run();
    expect(await textOf(`${origin}/health`)).toEqual([200, 'ok\n']);
    const [status, text] = await textOf(`${origin}/api/users?page=2`);
    expect([status, text]).toEqual([200, expect.stringMatching(/^GET \/users\?page=2 for (?:127\.0\.0\.1|::1)\n/)]);
    expect((await textOf(`${origin}/api/users`, { method: 'POST', body: 'name=Ada' }))[1]).toMatch(/^POST \/users for .*\nname=Ada\n$/);
    expect((await textOf(`${origin}/other`))[1]).toMatch(/^GET \/other for /);
    expect((await textOf(`${origin}/%61dmin/x`))[0]).toBe(403);
    expect((await textOf(`${origin}//admin`))[0]).toBe(403);
  });

  it('says 502 when nobody listens, and prints why', async () => {
    const { program, origin } = await run();
    expect(await textOf(`${origin}/down/`)).toEqual([502, 'Bad Gateway']);
    await program.prints(/\[proxy http:\/\/localhost:1\] Cannot answer GET "\/down\/": .*ECONNREFUSED/);
  });

  it('stands in front of another server that it is told', async () => {
    const behind = await run();
    const { origin } = await run({ UPSTREAM: behind.origin });
    expect(await textOf(`${origin}/health`)).toEqual([200, 'ok\n']);
    expect((await textOf(`${origin}/api/api/x`))[1]).toMatch(/^GET \/x for /); // two prefixes, two proxies, and no loop
  });
});
