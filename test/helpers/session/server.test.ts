/** Sessions over real servers. */
import { Agent, request as send } from 'undici';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Program, start } from '../../support/program.ts';

const LOGINS = 1000;

function server(kind: string, workers: number): Program {
  return start('test/helpers/session/fixtures/sessions.mjs', { KIND: kind, WORKERS: String(workers) });
}

/** Logs in and follows the redirect at once. @returns Who the next page says one is. */
async function logIn(agent: Agent, origin: string, user: string): Promise<string> {
  const login = await send(`${origin}/login/${user}`, { dispatcher: agent, reset: true });
  await login.body.dump();
  const [cookie = ''] = String(login.headers['set-cookie']).split(';');
  const home = await send(origin + String(login.headers['location']), { dispatcher: agent, reset: true, headers: { Cookie: cookie } });
  return home.body.text();
}

describe('a login that is followed by a redirect at once', () => {
  it.each([
    ['sealed', 2],
    ['memory', 0],
  ])('is seen by the next request, each of a thousand times: %s sessions, %i workers', async (kind, workers) => {
    const [, origin = ''] = await server(kind, workers).prints(/listening on (http\S+)/);
    const agent = new Agent({ connections: 64 });
    onTestFinished(() => agent.destroy());
    const names = Array.from({ length: LOGINS }, (_, i) => `user${i}`);
    expect(await Promise.all(names.map((name) => logIn(agent, origin, name)))).toEqual(names);
    const stranger = await send(`${origin}/home`, { dispatcher: agent, headers: { Cookie: 'session=user1' } });
    expect(stranger.headers['set-cookie']).toBeUndefined();
    expect(await stranger.body.text()).toBe('nobody');
  });
});

describe('createMemorySessionStore', () => {
  it('keeps a server with several workers from starting, and says what to do', async () => {
    const program = server('memory', 2);
    expect(await program.ended).toBe(1);
    expect(program.stderr).toMatch(
      /2 workers serve, each with a memory of its own, and createMemorySessionStore .*sealed cookies.*filrouge\/redis/,
    );
    expect(program.stderr).not.toContain('worker-failed');
  });

  it('is refused where several workers serve already', async () => {
    const program = server('late', 2);
    expect(await program.ended).not.toBe(0);
    expect(program.stderr).toContain("code: 'bad-option'");
  });

  it('is content with one worker', async () => {
    await server('memory', 1).prints(/listening on/);
  });
});
