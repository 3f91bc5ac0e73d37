/**
 * A chat over all workers. Each holds the websockets of its own visitors, and hears the lines of all: everyone gets the same lines in the same order.
 */
import { html, match, type Request, type Response } from 'filrouge';
import { createChannel } from 'filrouge/pubsub';
import { type WebSocketConnection, websocket } from 'filrouge/websocket';
import { page } from './layout.ts';
import { userOf } from './members.ts';

interface Line {
  readonly name: string;
  readonly text: string;
  readonly isNews: boolean;
  readonly pid: number;
}

const said = createChannel<Line>('chat');
/** The visitors of this worker. */
const room = new Set<WebSocketConnection>();
/** The last lines, for newcomers. */
const lines: string[] = [];
const SHOWN = 30;

said.subscribe((heard) => {
  const line = JSON.stringify(heard);
  lines.push(line);
  if (lines.length > SHOWN) lines.shift();
  for (const socket of room) socket.send(line);
});

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
  said.publish({ name, text, isNews, pid: process.pid });
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
