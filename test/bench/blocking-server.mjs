/** Sixteen handler threads for test/bench/lib/calls.mjs: each request makes as many calls as it says, one after the other. */

const { createBlocking, createFetch } = await import(process.env.BENCH_BLOCKING);
const { match, Response, startServer } = await import(process.env.BENCH_BLOCKING.replace(/blocking\.js$/, 'index.js'));

const get = createFetch();
const { ORIGIN } = process.env; // to read it there costs as much as a part of a call
const { nothing, select } = createBlocking(new URL('./blocking-select.mjs', import.meta.url));

const server = await startServer(
  (request) => {
    const asked = match(request, 'GET /{what}/{calls:uint}');
    if (!asked) return Response.empty(404);
    for (let i = 0; i < asked.calls; i++) {
      if (asked.what === 'get') get(ORIGIN).text();
      else if (asked.what === 'select') select();
      else nothing();
    }
    return Response.empty();
  },
  { host: '127.0.0.1', port: 0, workers: 0, threads: 16, handlerTimeout: 0 },
);
if (server.role === 'single') process.send(server.url);
