/**
 * An MCP server by the official SDK: streamable HTTP with sessions in memory, over all cores.
 *
 *     npm install @modelcontextprotocol/sdk zod
 *     npm run build && npm run build:examples && node .build/examples/mcp.js
 *     npx @modelcontextprotocol/inspector                              Streamable HTTP, http://localhost:8000/mcp: remember, recall, primes
 *
 * A session lives in the worker that has begun it. Its id leads there (`affinityKeyHere`), whichever worker accepts the connection (`affinity`). When the
 * worker is replaced, its sessions are unknown (404), and clients begin new ones.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { WebStandardStreamableHTTPServerTransport as Transport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import { affinityKeyHere, finish, HttpError, isCrossSite, logAccess, match, type Request, Response, startServer } from 'filrouge';
import { answerWithFetch } from 'filrouge/fetch';
import { z } from 'zod';

/** The sessions of this worker, and when each was used last. */
const sessions = new Map<string, { readonly transport: Transport; usedAt: number }>();
setInterval(endIdle, 60_000).unref();

const { PORT: port = '8000', HOST: host = 'localhost' } = process.env;
const { WORKERS: workers = '4' } = process.env;
const affinity = (head: Request): string | undefined => head.header('mcp-session-id');
startServer((request) => finish(request, answer, logAccess), { host, port: Number(port), workers: Number(workers), affinity });

async function answer(request: Request): Promise<Response> {
  if (request.path !== '/mcp') return Response.empty(404);
  if (isCrossSite(request)) throw new HttpError(403, 'A page of another site may not use these tools');
  const id = request.header('mcp-session-id');
  const session = id === undefined ? undefined : sessions.get(id);
  if (id !== undefined && !session) throw new HttpError(404, 'This session has ended'); // the client begins a new one
  if (session) session.usedAt = Date.now();
  const transport = session?.transport ?? (await begin());
  // The stream of events has no end of its own: when the server stops, the client opens it again.
  if (match(request, 'GET /mcp')) request.stopping.addEventListener('abort', () => transport.closeStandaloneSSEStream());
  return answerWithFetch(request, (web) => transport.handleRequest(web));
}

/** A new session, which is kept when the client has initialized it. */
async function begin(): Promise<Transport> {
  const transport: Transport = new Transport({
    sessionIdGenerator: () => affinityKeyHere(),
    onsessioninitialized: (id) => void sessions.set(id, { transport, usedAt: Date.now() }),
    onsessionclosed: (id) => void sessions.delete(id),
  });
  await tools().connect(transport);
  return transport;
}

function tools(): McpServer {
  const server = new McpServer({ name: 'example', version: '1.0.0' });
  const notes: string[] = []; // of this session
  server.registerTool('remember', { description: 'Keeps a note', inputSchema: { text: z.string() } }, ({ text }) => {
    notes.push(text);
    return say(`${notes.length} notes`);
  });
  server.registerTool('recall', { description: 'All notes of this session' }, () => say(notes.join('\n')));
  const upTo = { description: 'How many primes there are', inputSchema: { limit: z.number().int().max(10_000_000) } };
  server.registerTool('primes', upTo, async ({ limit }, { signal }) => {
    const thread = new Worker(new URL('mcp/primes.js', import.meta.url), { workerData: { limit } }); // nobody else waits for it
    signal.addEventListener('abort', () => void thread.terminate()); // the client has cancelled the call
    const [count] = (await once(thread, 'message', { signal })) as [number];
    return say(`${count} primes`);
  });
  return server;
}

function say(text: string): { content: { type: 'text'; text: string }[] } {
  return { content: [{ type: 'text', text }] };
}

function endIdle(): void {
  for (const [id, { transport, usedAt }] of sessions) if (Date.now() - usedAt > 30 * 60_000 && sessions.delete(id)) void transport.close();
}
