import { describe, expect, it, type MockInstance, onTestFinished, vi } from 'vitest';
import { createMemorySessionStore, createSessions, Response, type Session } from '../../../src/index.ts';
import { serve, talk } from '../../support/serve.ts';

const options = { secret: 'k'.repeat(32) };

/** Serves as many requests as said, one after the other, and returns what was printed. */
async function printedBy(
  handle: (session: Session<{ user: string }>) => Response,
  { count = 1, open = createSessions<{ user: string }>(options).open } = {},
): Promise<string[]> {
  const printed: MockInstance = vi.spyOn(console, 'error').mockImplementation(() => {});
  onTestFinished(() => printed.mockRestore());
  const { port, server } = await serve((request) => handle(open(request)));
  const client = await talk(port);
  for (let i = 1; i <= count; i++) {
    client.send('POST /login HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.answers(i);
  }
  await server.close({ timeout: 0 });
  return printed.mock.calls.map(([line]) => String(line));
}

const page = Response.text('page');

describe('a session that is changed and not saved', () => {
  it.each<[string, (session: Session<{ user: string }>) => void]>([
    ['data', (session) => void (session.data.user = 'ada')],
    ['regenerate', (session) => session.regenerate()],
    ['destroy', (session) => session.destroy()],
    [
      'data after save',
      (session) => {
        session.save(page);
        session.data = { user: 'ada' };
      },
    ],
  ])('is told of in the log, once: %s', async (_what, change) => {
    const lines = await printedBy(
      (session) => {
        change(session);
        return page;
      },
      { count: 3 },
    );
    expect(lines).toEqual([
      '[session] The session of POST "/login" was changed and not saved: the change is lost. ' +
        'Answer with session.save(response). This is said once, and not with NODE_ENV=production',
    ]);
  });

  it('is told of when it lies in a store', async () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => printed.mockRestore());
    const sessions = createSessions<{ user: string }>({ ...options, store: createMemorySessionStore() });
    const { port, server } = await serve(async (request) => {
      (await sessions.open(request)).data.user = 'ada';
      return page;
    });
    const client = await talk(port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.answers(1);
    await server.close({ timeout: 0 });
    expect(printed).toHaveBeenCalledTimes(1);
  });

  it('is not one that was saved, or looked at', async () => {
    expect(await printedBy((session) => Response.text(String(session.data.user)))).toEqual([]);
    expect(
      await printedBy((session) => {
        session.regenerate();
        session.data.user = 'ada';
        return session.save(page);
      }),
    ).toEqual([]);
  });

  it('is not looked for in production', async () => {
    vi.stubEnv('NODE_ENV', 'production');
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(
      await printedBy((session) => {
        session.data.user = 'ada';
        return page;
      }),
    ).toEqual([]);
  });
});
