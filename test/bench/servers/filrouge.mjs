// The server under measurement. Every server of this folder answers the same three routes and prints its port.
import { Response, startServer } from '../../../dist/index.js';

const server = await startServer(
  (request) => {
    if (request.path === '/') return Response.text('Hello, World!');
    if (request.path === '/json') return Response.json({ message: 'Hello, World!', at: [1, 2, 3], user: { id: 7, name: 'Ada' } });
    if (request.path === '/echo') return Response.bytes('application/octet-stream', request.body.bytes());
    return Response.empty(404);
  },
  { host: '127.0.0.1', port: 0, workers: 0 },
);
console.log(server.address.port);
