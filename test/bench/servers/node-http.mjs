// node:http, with nothing on top.
import { createServer } from 'node:http';

const server = createServer((request, response) => {
  if (request.url === '/') return send(response, 'text/plain; charset=utf-8', 'Hello, World!');
  if (request.url === '/json') {
    return send(
      response,
      'application/json; charset=utf-8',
      JSON.stringify({ message: 'Hello, World!', at: [1, 2, 3], user: { id: 7, name: 'Ada' } }),
    );
  }
  if (request.url === '/echo') {
    const pieces = [];
    request.on('data', (piece) => pieces.push(piece));
    request.on('end', () => send(response, 'application/octet-stream', Buffer.concat(pieces)));
    return;
  }
  response.writeHead(404).end();
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));

function send(response, type, body) {
  response.writeHead(200, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) }).end(body);
}
