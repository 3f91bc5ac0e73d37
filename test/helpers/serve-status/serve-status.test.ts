import { describe, expect, it } from 'vitest';
import { type ObservedServer, Request, type Response, type ServeStatusOptions, serveStatus } from '../../../src/index.ts';
import { DURATION_BOUNDS } from '../../../src/process/durations.ts';
import { NO_TOTALS } from '../../../src/process/server-status.ts';

/** A server that does nothing, and how often it was asked. */
function idle(): ObservedServer & { asked: number } {
  return {
    asked: 0,
    async status() {
      this.asked++;
      return { ...NO_TOTALS, generation: 1, restarts: 0, bounds: DURATION_BOUNDS, workers: [] };
    },
    activity: async () => ({ workers: [], marks: [] }),
    stackOf: async (pid, thread) => (pid === 7 ? [`at work (a.ts:${thread}:1)`] : undefined),
  };
}

function ask(query = '', init: { method?: string; headers?: Record<string, string> } = {}, server = idle()): Promise<Response> {
  return serveStatus(new Request({ target: `/status${query}`, ...init }), server, { allow: true });
}

describe('serveStatus', () => {
  it('refuses everybody unless it is told who may see it, also whoever comes from this machine: that may be a proxy', async () => {
    const local = (headers: Record<string, string>) => new Request({ target: '/status', remoteAddress: '127.0.0.1', headers });
    const told = (options: unknown) => (request: Request) => serveStatus(request, idle(), options as ServeStatusOptions);
    for (const request of [local({}), local({ 'X-Forwarded-For': '203.0.113.9' }), local({ Forwarded: 'for=127.0.0.1' })]) {
      for (const options of [{}, undefined]) {
        await expect(told(options)(request)).rejects.toThrow('Cannot serve status: allow does not say who may see it');
      }
      expect((await told({ allow: false })(request)).status).toBe(403);
    }
  });

  it('takes nothing but a boolean for a permission, and nothing but a server', async () => {
    const request = new Request({ target: '/status' });
    const wrong = (options: unknown, server: unknown = idle()) =>
      serveStatus(request, server as ObservedServer, options as ServeStatusOptions);
    await expect(wrong({ allow: Promise.resolve(false) })).rejects.toMatchObject({ code: 'bad-option' });
    await expect(wrong({ allow: true, every: 1 })).rejects.toMatchObject({ code: 'bad-option' });
    await expect(wrong({ allow: true }, { workers: [] })).rejects.toThrow('the server is object, not what startServer gave');
    await expect(wrong({ allow: true }, null)).rejects.toMatchObject({ code: 'bad-option' });
  });

  it('answers with a page that loads nothing but its own parts, under a policy that forbids everything else', async () => {
    const page = await ask();
    expect(page.status).toBe(200);
    const html = page.text() ?? '';
    const parts = [...html.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, address]) => address);
    expect(parts).toEqual(['?icon.svg', '?style.css', '?script.js']);
    expect(html).not.toMatch(/<script>|style=| on\w+=/);
    expect(page.header('content-security-policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(page.header('cache-control')).toBe('no-store');
    const types = await Promise.all(parts.map(async (part) => (await ask(part)).header('content-type')));
    expect(types).toEqual(['image/svg+xml; charset=utf-8', 'text/css; charset=utf-8', 'text/javascript; charset=utf-8']);
  });

  it('answers 405 for other methods and 404 for other parts', async () => {
    const refused = await ask('', { method: 'POST' });
    expect([refused.status, refused.header('allow')]).toEqual([405, 'GET, HEAD']);
    expect((await ask('', { method: 'HEAD' })).status).toBe(200);
    expect((await ask('?nothing')).status).toBe(404);
    expect((await ask('?stack=7.x')).status).toBe(404);
  });

  it('tells the stack of a thread, and null where there is none to tell', async () => {
    expect((await ask('?stack=7.2')).json()).toEqual({ stack: ['at work (a.ts:2:1)'] });
    expect((await ask('?stack=8.2')).json()).toEqual({ stack: null });
  });

  it('does nothing for a page of another site', async () => {
    const foreign = { headers: { 'Sec-Fetch-Site': 'cross-site' } };
    expect([(await ask('?stack=7.2', foreign)).status, (await ask('?events', foreign)).status]).toEqual([403, 403]);
    expect((await ask('?stack=7.2', { headers: { 'Sec-Fetch-Site': 'same-origin' } })).status).toBe(200);
  });

  it('sends events, and has asked the server nothing before they are read', async () => {
    const server = idle();
    const response = await ask('?events', {}, server);
    expect(response.header('content-type')).toBe('text/event-stream');
    expect(server.asked).toBe(0);
    response.dispose();
  });
});
