// The server under stress, in a process of its own. Options come as JSON in OPTIONS.
import { createHash } from 'node:crypto';
import { match, Response, startServer } from 'filrouge';

const large = Buffer.alloc(10 * 1024 * 1024, 0x61);
const server = await startServer(
  (request) => {
    if (match(request, 'PUT /hash')) {
      const hash = createHash('sha256');
      for (const chunk of request.body.chunks()) hash.update(chunk);
      return Response.text(hash.digest('hex'));
    }
    if (match(request, 'GET /large')) return Response.bytes('application/octet-stream', large);
    if (match(request, 'GET /endless')) return Response.stream('text/plain', endless());
    if (match(request, 'GET /never')) {
      return new Promise((resolve) => request.signal.addEventListener('abort', () => resolve(Response.empty())));
    }
    if (match(request, 'GET /memory')) {
      globalThis.gc?.();
      const { heapUsed, rss } = process.memoryUsage();
      return Response.json({ heapUsed, rss });
    }
    return Response.text('hello');
  },
  { host: '127.0.0.1', port: 0, ...JSON.parse(process.env.OPTIONS ?? '{}') },
);
if (server.role !== 'worker') console.log(`listening on ${server.address.port}`);

async function* endless() {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    yield 'more ';
  }
}
