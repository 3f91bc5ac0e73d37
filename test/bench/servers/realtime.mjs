/**
 * One of the servers whose clients stay and listen: `node --expose-gc realtime.mjs <filrouge | ws | filrouge-io | socket.io>`. Prints its port.
 *
 *     /go?messages=10   says a text to all clients, ten times, each in a turn of its own
 *     /heap             how much of V8's heap is in use, after a collection
 *
 * @module
 */
import { createServer } from 'node:http';
import { MESSAGE } from '../content.mjs';
import { announce, heapUsed } from './common.mjs';

const filrouge = async () => {
  const { match, Response, startServer } = await import(process.env.BENCH_DIST);
  const serve = async (inner, tell) => {
    const handler = (request) => {
      if (match(request, 'GET /heap')) return Response.text(heapUsed());
      if (!match(request, 'GET /go')) return inner(request);
      repeat(Number(request.query.get('messages')), tell);
      return Response.empty();
    };
    const { address } = await startServer(handler, { host: '127.0.0.1', port: 0, workers: 0, log: 'off', maxConnections: 20_000 });
    console.log(address.port);
  };
  return { serve, doorOf: (name) => import(new URL(`${name}.js`, `file://${process.env.BENCH_DIST}`).href) };
};

const SERVERS = {
  async filrouge() {
    const { serve, doorOf } = await filrouge();
    const { websocket } = await doorOf('websocket');
    const sockets = new Set();
    const join = (socket) => {
      sockets.add(socket);
      void socket.closed.then(() => sockets.delete(socket));
    };
    await serve(
      (request) => websocket(request, join),
      () => {
        for (const socket of sockets) socket.send(MESSAGE);
      },
    );
  },
  async ws() {
    const { WebSocket, WebSocketServer } = await import('ws');
    const sockets = new WebSocketServer({ noServer: true });
    const server = listen(() => {
      for (const socket of sockets.clients) if (socket.readyState === WebSocket.OPEN) socket.send(MESSAGE);
    });
    server.on('upgrade', (req, socket, head) => sockets.handleUpgrade(req, socket, head, (ws) => sockets.emit('connection', ws, req)));
  },
  async 'filrouge-io'() {
    const { serve, doorOf } = await filrouge();
    const { createSocketIO } = await doorOf('socket.io');
    const io = createSocketIO();
    await serve(
      (request) => io.answer(request),
      () => io.emit('news', MESSAGE),
    );
  },
  async 'socket.io'() {
    const { Server } = await import('socket.io');
    const io = new Server({ serveClient: false });
    io.attach(listen(() => io.emit('news', MESSAGE)));
  },
};

/** A server of node:http that answers what all of them do. @param {() => void} tell */
function listen(tell) {
  const server = createServer((req, res) => {
    const { pathname, searchParams } = new URL(req.url, 'http://a');
    if (pathname === '/go') repeat(Number(searchParams.get('messages')), tell);
    res.end(pathname === '/heap' ? heapUsed() : '');
  });
  server.listen(0, '127.0.0.1');
  announce(server);
  return server;
}

/** @param {number} times @param {() => void} tell */
function repeat(times, tell) {
  if (times === 0) return;
  setImmediate(() => {
    tell();
    repeat(times - 1, tell);
  });
}

await SERVERS[process.argv[2]]();
