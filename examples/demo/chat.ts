/**
 * A chat over all workers. Each holds the websockets of its own visitors; each line goes to the primary, which sends it to all workers, so that
 * everyone gets the same lines in the same order. Node's own channel between them carries it: programs may use it beside the server.
 */
import cluster, { type Worker } from 'node:cluster';
import { html, match, type Request, type Response } from 'filrouge';
import { type WebSocketConnection, websocket } from 'filrouge/websocket';
import { page } from './layout.ts';
import { userOf } from './members.ts';

/** The visitors of this worker. */
const room = new Set<WebSocketConnection>();
/** The last lines, for newcomers. */
const lines: string[] = [];
const SHOWN = 30;

if (cluster.isPrimary) cluster.on('message', tellWorkers);
if (cluster.isWorker) process.on('message', tellRoom);

export function chat(request: Request): Response | undefined {
  if (match(request, 'GET /chat')) return chatPage();
  if (match(request, 'GET /chat/socket')) return websocket(request, (socket) => enter(socket, nameOf(request)), { maxMessageSize: 2000 });
  return undefined;
}

/** Called when a connection is open. It registers what is to happen, and returns. */
function enter(socket: WebSocketConnection, name: string): void {
  for (const line of lines) socket.send(line);
  room.add(socket);
  say(name, 'comes in', true);
  socket.onMessage((text) => say(name, String(text)));
  socket.closed.finally(() => {
    room.delete(socket);
    say(name, 'leaves', true);
  });
}

function say(name: string, text: string, isNews = false): void {
  const chatLine = JSON.stringify({ name, text, isNews, pid: process.pid });
  cluster.worker?.send({ chatLine }, () => undefined); // when the server stops, the primary may be gone
}

/** In the primary: a message from one worker. */
function tellWorkers(_from: Worker, message: unknown): void {
  if (lineOf(message) === undefined) return;
  for (const worker of Object.values(cluster.workers ?? {})) worker?.send(message as object, () => undefined); // one may be about to exit
}

/** In a worker: a message from the primary. */
function tellRoom(message: unknown): void {
  const line = lineOf(message);
  if (line === undefined) return;
  lines.push(line);
  if (lines.length > SHOWN) lines.shift();
  for (const socket of room) socket.send(line);
}

function lineOf(message: unknown): string | undefined {
  return (message as { chatLine?: string } | null)?.chatLine;
}

function nameOf(request: Request): string {
  return userOf(request) ?? `guest ${100 + Math.floor(Math.random() * 900)}`;
}

function chatPage(): Response {
  return page(
    'Chat',
    html`
      <h1>Chat</h1>
      <p class="lead">Open this page twice. Each line says which process took it: whoever you are connected to, all hear you. <a href="/login">Members</a> go by their names.</p>
      <div class="chat" role="log" aria-label="What was said" tabindex="0"><ol id="lines"></ol></div>
      <form class="row" id="form"><input id="text" aria-label="Say something" placeholder="Say something" maxlength="500" autocomplete="off" autofocus /><button class="button">Say</button></form>
      <p class="quiet" id="state">Connecting …</p>
      <script src="/chat.js" defer></script>`,
  );
}
