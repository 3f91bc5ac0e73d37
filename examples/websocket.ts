/**
 * A chat over websockets: every page sees what one page says.
 *
 *     npm run build && npm run build:examples && node .build/examples/websocket.js
 *
 *     Open http://localhost:8000 in two windows and talk to yourself. The address gives a name:
 *     http://localhost:8000/?name=ada
 *
 *     $ curl -i http://localhost:8000/chat      426 Upgrade Required, Upgrade: websocket
 *
 *     Ctrl-C: the server closes the pages' websockets (close code 1001).
 */
import { match, type Request, Response, startServer } from 'filrouge';
import { type WebSocketConnection, websocket } from 'filrouge/websocket';

// One worker: each is a process with a memory of its own, so two would hold two separate chats. With more, a channel carries
// messages between them (filrouge/pubsub), and `say` below is the place to publish them from.
const { PORT: port = '8000', HOST: host = 'localhost' } = process.env;
startServer(answer, { host, port: Number(port), workers: 1 });

/** Everybody who is here. */
const room = new Set<WebSocketConnection>();

function answer(request: Request): Response {
  if (match(request, 'GET /')) return Response.html(PAGE);

  // Only our own page may connect, a message has at most 2 KiB, a client that does not answer pings is cut off: all this is the default.
  if (match(request, 'GET /chat')) return websocket(request, (socket) => enter(socket, nameOf(request)), { maxMessageSize: 2048 });

  return Response.empty(404);
}

/** Called when a connection is open. It registers what is to happen, and returns. */
function enter(socket: WebSocketConnection, name: string): void {
  room.add(socket);
  say(`${name} comes in, ${room.size} here`);
  socket.onMessage((text) => say(`${name}: ${String(text)}`));
  socket.closed.finally(() => {
    room.delete(socket);
    say(`${name} leaves`);
  });
}

function say(line: string): void {
  for (const socket of room) socket.send(line);
}

function nameOf(request: Request): string {
  return request.query.get('name')?.slice(0, 20) || 'somebody';
}

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Chat · filrouge</title>
<style>
  body { font: 1rem/1.5 system-ui; max-width: 36rem; margin: 2rem auto; padding: 0 1rem }
  h1 { color: #b3261e }
  ol { list-style: none; padding: 0; min-height: 12rem; border-left: 3px solid #b3261e; padding-left: 1rem }
  input { font: inherit; width: 100%; box-sizing: border-box; padding: .5rem }
</style>
<h1>Chat</h1>
<ol id="lines"></ol>
<form id="form"><input id="text" placeholder="Say something" maxlength="500" autocomplete="off" autofocus></form>
<script>
  const socket = new WebSocket(location.origin.replace(/^http/, 'ws') + '/chat' + location.search);
  const show = (line) => lines.append(Object.assign(document.createElement('li'), { textContent: line }));
  socket.onmessage = (event) => show(event.data);
  socket.onclose = (event) => show('The line is cut: ' + event.code + ' ' + event.reason);
  form.onsubmit = (event) => {
    event.preventDefault();
    if (text.value) socket.send(text.value);
    text.value = '';
  };
</script>
`;
