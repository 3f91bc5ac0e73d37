/** examples/mcp by the client of the official SDK. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { expect, it, onTestFinished } from 'vitest';
import { accepting, freePort, type Program, start } from '../support/program.ts';

const CLIENTS = 200;
const WORKERS = 4;

async function run(): Promise<{ program: Program; url: URL }> {
  const port = await freePort();
  const program = start('.build/examples/mcp.js', { PORT: String(port), WORKERS: String(WORKERS) });
  await accepting(port);
  await program.prints(/serving on .* with 4 workers/);
  return { program, url: new URL(`http://localhost:${port}/mcp`) };
}

/** A client with a session of its own. */
class Guest {
  readonly client: Client = new Client({ name: 'test', version: '1' });
  readonly transport: StreamableHTTPClientTransport;

  private constructor(url: URL) {
    this.transport = new StreamableHTTPClientTransport(url);
  }

  static async come(url: URL): Promise<Guest> {
    const guest = new Guest(url);
    await guest.client.connect(guest.transport);
    onTestFinished(() => guest.client.close());
    return guest;
  }

  async call(name: string, given: Record<string, unknown> = {}, signal?: AbortSignal): Promise<string> {
    const { content } = await this.client.callTool({ name, arguments: given }, undefined, signal && { signal });
    return (content as { text: string }[]).map(({ text }) => text).join();
  }
}

it('examples/mcp keeps the sessions of two hundred clients apart, over four workers', async () => {
  const { url, program } = await run();
  const guests = await Promise.all(Array.from({ length: CLIENTS }, () => Guest.come(url)));
  expect(new Set(guests.map(({ transport }) => transport.sessionId)).size).toBe(CLIENTS);
  const heard = await Promise.all(
    guests.map(async (guest, i) => {
      const { tools } = await guest.client.listTools();
      const said = [await guest.call('remember', { text: `note ${i}` }), await guest.call('remember', { text: 'another' })];
      return [tools.map(({ name }) => name), said, await guest.call('recall')];
    }),
  );
  const names = ['remember', 'recall', 'primes'];
  expect(heard).toEqual(guests.map((_, i) => [names, ['1 notes', '2 notes'], `note ${i}\nanother`]));
  expect(program.stderr + program.stdout).not.toMatch(/\/mcp (?:4|5)\d\d |Error/);
}, 120_000);

it('examples/mcp computes in a thread, while the same session goes on, and stops when the client cancels', async () => {
  const { url } = await run();
  const guest = await Guest.come(url);
  const long = new AbortController();
  const cancelled = guest.call('primes', { limit: 10_000_000 }, long.signal);
  expect(await guest.call('remember', { text: 'meanwhile' })).toBe('1 notes');
  long.abort('enough');
  await expect(cancelled).rejects.toThrow('enough');
  expect(await guest.call('primes', { limit: 100_000 })).toBe('9592 primes');
});

it('examples/mcp ends a session when its client does, and knows none that it has not begun', async () => {
  const { url } = await run();
  const guest = await Guest.come(url);
  const session = guest.transport.sessionId ?? '';
  await guest.transport.terminateSession();
  const ask = (headers: Record<string, string>): Promise<Response> =>
    fetch(url, {
      method: 'POST',
      headers: { Accept: 'application/json, text/event-stream', 'Content-Type': 'application/json', 'Mcp-Session-Id': session, ...headers },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
    });
  expect((await ask({})).status).toBe(404);
  expect((await ask({ 'Mcp-Session-Id': 'invented' })).status).toBe(404);
  expect((await ask({ 'Sec-Fetch-Site': 'cross-site', Origin: 'https://elsewhere.example' })).status).toBe(403);
  await expect(guest.call('recall')).rejects.toThrow();
});
