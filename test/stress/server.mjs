// The server under stress, in a process of its own. Options come as JSON in OPTIONS.
import { createHash } from 'node:crypto';
import { match, Response, startServer } from 'filrouge';

const large = Buffer.alloc(10 * 1024 * 1024, 0x61);
const piece = Buffer.alloc(64 * 1024, 0x61);
/** Pieces that streams have been asked for. */
let made = 0;
let release = () => {};

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
    if (match(request, 'POST /count')) return count(request);
    const some = match(request, 'GET /pieces/{count:uint}');
    if (some) return Response.stream('application/octet-stream', pieces(some.count));
    if (match(request, 'GET /made')) return Response.text(String(made));
    if (match(request, 'GET /held')) {
      return new Promise((resolve) => {
        release = () => resolve(Response.text('held'));
      });
    }
    if (match(request, 'GET /release')) release();
    if (match(request, 'GET /memory')) {
      globalThis.gc?.();
      const { heapUsed, rss } = process.memoryUsage();
      return Response.json({ heapUsed, rss });
    }
    return Response.text('hello');
  },
  { host: '127.0.0.1', port: 0, streamBody: ({ path }) => path === '/count', ...JSON.parse(process.env.OPTIONS ?? '{}') },
);
if (server.role !== 'worker') console.log(`listening on ${server.address.port}`);

async function* endless() {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    yield 'more ';
  }
}

async function count(request) {
  let size = 0;
  for await (const bytes of request.body.stream()) size += bytes.length;
  return Response.text(String(size));
}

function* pieces(most) {
  for (made = 0; made < most; made++) yield piece;
}
