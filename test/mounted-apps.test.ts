/** The programs on docs/mounted-apps.md, started as they stand, against the built package. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createTRPCClient, httpBatchLink } from '@trpc/client';
import { build } from 'rolldown';
import { beforeAll, describe, expect, it } from 'vitest';
import { freePort, type Program, start } from './support/program.ts';

const WORK = resolve('.build/mounted-apps');
const PAGE = readFileSync('docs/mounted-apps.md', 'utf8');

beforeAll(() => {
  rmSync(WORK, { recursive: true, force: true });
  mkdirSync(WORK, { recursive: true });
});

/** Starts the one program below a heading. */
async function run(heading: string): Promise<{ origin: string; program: Program }> {
  const section = PAGE.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  const [, code = ''] = /^```ts\n([\s\S]*?)\n```$/m.exec(section) ?? [];
  expect(code).not.toBe('');
  const input = join(WORK, `${heading.replaceAll(' ', '-')}.ts`);
  const file = input.replace(/ts$/, 'mjs');
  writeFileSync(input, code);
  await build({ input, platform: 'node', external: /^(?:@?[a-z])/, output: { file } });
  const port = await freePort();
  const program = start(file, { PORT: String(port) });
  await program.prints(/serving on/);
  return { origin: `http://localhost:${port}`, program };
}

describe('docs/mounted-apps.md', () => {
  it('answers a query with GraphQL Yoga, names what is wrong with another, and shows GraphiQL to a browser', async () => {
    const { origin } = await run('GraphQL Yoga');
    const ask = async (query: string): Promise<unknown> => {
      const headers = { 'Content-Type': 'application/json' };
      return (await fetch(`${origin}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query }) })).json();
    };
    expect(await ask('{ hello(name: "ada") }')).toEqual({ data: { hello: 'hello, ada' } });
    expect(await ask('{ goodbye }')).toMatchObject({ errors: [{ message: expect.stringContaining('goodbye') as string }] });
    const page = await fetch(`${origin}/graphql`, { headers: { Accept: 'text/html' } });
    expect([page.status, page.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')]);
    expect((await fetch(`${origin}/elsewhere`)).status).toBe(404);
  });

  it('calls procedures of tRPC, several in one request, with who is asking in their context', async () => {
    const { origin } = await run('tRPC');
    const client = clientOf(`${origin}/trpc`);
    expect(await client('greet', 'ada')).toBe('hello, ada');
    await expect(client('greet', '')).rejects.toMatchObject({ data: { code: 'BAD_REQUEST', path: 'greet' } });
    await expect(client('me')).rejects.toMatchObject({ data: { httpStatus: 401 } });
    expect(await clientOf(`${origin}/trpc`, { Cookie: 'user=grace' })('me')).toBe('grace');
  });

  it('has better-auth take an account, and knows its session afterwards', async () => {
    const { origin } = await run('better-auth');
    const nobody = await fetch(`${origin}/`, { redirect: 'manual' });
    expect([nobody.status, nobody.headers.get('location')]).toEqual([303, '/login']);
    const answer = await fetch(`${origin}/api/auth/sign-up/email`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Origin: origin },
      body: JSON.stringify({ name: 'Ada', email: 'ada@example.org', password: 'a long password' }),
    });
    expect(answer.status, await answer.text()).toBe(200);
    const cookie = answer.headers
      .getSetCookie()
      .map((line) => line.split(';', 1)[0])
      .join('; ');
    expect(await (await fetch(`${origin}/`, { headers: { Cookie: cookie } })).text()).toBe('hello, Ada');
  });
});

/** Calls procedures by name, as the typed client does. */
function clientOf(url: string, headers: Readonly<Record<string, string>> = {}): (name: string, input?: unknown) => Promise<unknown> {
  const client = createTRPCClient({ links: [httpBatchLink({ url, headers })] }) as unknown as Record<
    string,
    { query(input?: unknown): Promise<unknown> }
  >;
  return async (name, input) => client[name]?.query(input);
}
