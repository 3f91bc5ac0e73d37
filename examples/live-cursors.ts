/**
 * The pointers of all visitors on one page, whichever worker they are connected to.
 *
 *     npm run build && npm run build:examples && node .build/examples/live-cursors.js
 *
 *     Open http://localhost:8000 in two windows side by side, and move the pointer. Each says which process it is connected to.
 *     $ curl -i http://localhost:8000/pointers      426 Upgrade Required, Upgrade: websocket
 */
import { randomUUID } from 'node:crypto';
import { match, type Request, Response, startServer } from 'filrouge';
import { createChannel } from 'filrouge/pubsub';
import { type WebSocketConnection, websocket } from 'filrouge/websocket';

/** Where somebody points, in thousandths of the page; without a place, somebody has come or gone. */
type Pointer = { readonly id: string; readonly at?: readonly [x: number, y: number]; readonly is?: 'new' | 'gone' };

const { PORT: port = '8000', HOST: host = 'localhost' } = process.env;
startServer(answer, { host, port: Number(port), workers: 4 });

const pointers = createChannel<Pointer>('pointers');
/** The visitors of this worker, and where they point. */
const visitors = new Map<WebSocketConnection, Pointer>();

pointers.subscribe((pointer) => {
  const text = JSON.stringify(pointer);
  for (const [socket, own] of visitors) if (own.id !== pointer.id) socket.send(text);
  if (pointer.is === 'new') for (const own of visitors.values()) if (own.at) pointers.publish(own); // so that newcomers see who is here
});

function answer(request: Request): Response {
  if (match(request, 'GET /')) return Response.html(PAGE);
  if (match(request, 'GET /pointers')) return websocket(request, enter, { maxMessageSize: 32 });
  return Response.empty(404);
}

function enter(socket: WebSocketConnection): void {
  const id = randomUUID();
  socket.send(JSON.stringify({ worker: process.pid }));
  visitors.set(socket, { id });
  pointers.publish({ id, is: 'new' });
  socket.onMessage((text) => {
    const [x = Number.NaN, y = Number.NaN] = String(text).split(' ').map(Number); // a client can send anything
    if (!(x >= 0 && x <= 1000 && y >= 0 && y <= 1000)) return socket.close(1008, 'two numbers from 0 to 1000');
    visitors.set(socket, { id, at: [x, y] });
    pointers.publish({ id, at: [x, y] });
  });
  socket.closed.finally(() => {
    visitors.delete(socket);
    pointers.publish({ id, is: 'gone' });
  });
}

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Pointers · filrouge</title>
<style>
  body { font: 1rem/1.5 system-ui; margin: 2rem; height: calc(100vh - 4rem) } h1 { color: #b3261e }
  .pointer { position: fixed; width: 1rem; height: 1rem; border-radius: 0 50% 50% 50%; transition: all .05s linear }
</style>
<h1>Pointers</h1>
<p>You are with worker <b id="worker">…</b>. Others here: <b id="count">0</b>.</p>
<script>
  const socket = new WebSocket(location.origin.replace(/^http/, 'ws') + '/pointers');
  const shown = new Map();
  socket.onmessage = ({ data }) => {
    const { worker: pid, id, at, is } = JSON.parse(data);
    if (pid) worker.textContent = pid;
    if (is === 'gone') (shown.get(id)?.remove(), shown.delete(id));
    if (at && !shown.has(id)) shown.set(id, document.body.appendChild(Object.assign(document.createElement('i'), { className: 'pointer' })));
    if (at) Object.assign(shown.get(id).style, { left: at[0] / 10 + '%', top: at[1] / 10 + '%', background: 'hsl(' + parseInt(id, 16) % 360 + ' 70% 45%)' });
    count.textContent = shown.size;
  };
  let place, frame;
  onpointermove = ({ clientX, clientY }) => { // sent once for each frame, and not while the socket has a backlog
    place = Math.round(clientX / innerWidth * 1000) + ' ' + Math.round(clientY / innerHeight * 1000);
    frame ??= requestAnimationFrame(() => { frame = undefined; if (socket.readyState === 1 && !socket.bufferedAmount) socket.send(place); });
  };
</script>
`;
