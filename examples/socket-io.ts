/**
 * A chat with rooms, over all workers: who enters is told who is there, and what is said is acknowledged.
 *
 *     npm install socket.io
 *     npm run build && npm run build:examples && node .build/examples/socket-io.js
 *
 * Open http://localhost:8000/ in two windows, which may well be served by different workers. socket.io itself serves the script of the page.
 */
import { finish, html, logAccess, match, type Request, Response, startServer } from 'filrouge';
import { createSocketIO } from 'filrouge/socket.io';

interface FromClients {
  /** Enters a room. `done` is given the names of all who are there. */
  enter: (room: string, done: (names: string[]) => void) => void;
  /** Says something there. `done` is called when it is on its way. */
  say: (text: string, done: () => void) => void;
}
interface ToClients {
  said: (name: string, text: string) => void;
}
interface Visitor {
  name: string;
  room: string;
}

const { PORT: port = '8000', HOST: host = 'localhost' } = process.env;
const io = createSocketIO<FromClients, ToClients, Record<string, never>, Visitor>();

io.use((socket, next) => {
  const name: unknown = socket.handshake.auth['name'];
  if (typeof name !== 'string' || !/^\w{1,20}$/.test(name)) return next(new Error('a name is 1 to 20 letters'));
  socket.data.name = name;
  next();
});

io.on('connection', (socket) => {
  socket.on('enter', async (room, done) => {
    if (socket.data.room !== undefined) await socket.leave(socket.data.room);
    socket.data.room = room;
    await socket.join(room);
    const there = await io.in(room).fetchSockets(); // of all workers
    done(there.map(({ data }) => data.name).toSorted());
  });
  socket.on('say', (text, done) => {
    io.to(socket.data.room).emit('said', socket.data.name, text.slice(0, 1000));
    done();
  });
});

startServer((request) => finish(request, answer, logAccess), { host, port: Number(port) });

function answer(request: Request): Response | Promise<Response> {
  if (match(request, 'GET /')) return Response.html(PAGE);
  return io.answer(request) ?? Response.empty(404);
}

const PAGE = html`<!doctype html>
<title>Chat</title>
<p id="who"></p>
<ul id="said"></ul>
<form><input name="text" placeholder="say something" autocomplete="off" autofocus></form>
<script src="/socket.io/socket.io.js"></script>
<script>
  const socket = io({ auth: { name: 'guest' + Math.floor(Math.random() * 1000) } });
  const show = (text) => document.querySelector('#said').append(Object.assign(document.createElement('li'), { textContent: text }));
  socket.on('connect', async () => {
    document.querySelector('#who').textContent = 'in the room: ' + (await socket.emitWithAck('enter', 'lobby')).join(', ');
  });
  socket.on('said', (name, text) => show(name + ': ' + text));
  document.querySelector('form').onsubmit = async (event) => {
    event.preventDefault();
    await socket.emitWithAck('say', event.target.text.value);
    event.target.reset();
  };
</script>`;
