/**
 * What compression costs the others: 50 responses of 1 MiB are being compressed all the time, and beside them small requests are timed.
 *
 *     npm run build && node test/bench/compress.mjs [seconds]
 *
 * The server is a process of its own and measures the delay of its event loop. The same is done without compression and at rest, for comparison.
 * Nothing is asserted: look at the figures.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';

const SECONDS = Number(process.argv[2] ?? 5);
const LOADERS = 50;
const ENCODINGS = ['br', 'gzip', ...(process.versions.node.split('.')[0] >= 24 ? ['zstd'] : [])];

if (process.send) await serve();
else await measureAll();

async function serve() {
  const { compress, Response, startServer } = await import('../../dist/index.js');
  const line = (index) => JSON.stringify({ id: index, name: `item ${index * 7919}`, price: (index * 31.7) % 100, tags: ['a', 'b'] });
  const text = Array.from({ length: 17_000 }, (_, index) => line(index))
    .join('\n')
    .slice(0, 1024 * 1024);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  process.on('message', (what) => {
    if (what === 'reset') delay.reset();
    else {
      const { rss } = process.memoryUsage();
      process.send({ p50: delay.percentile(50) / 1e6, p99: delay.percentile(99) / 1e6, max: delay.max / 1e6, rss });
    }
  });
  const answer = (request) => {
    if (request.path === '/small') return Response.text('hello');
    return compress(request, Response.text(text)); // a new Response each time: nothing is kept
  };
  const server = await startServer(answer, { host: '127.0.0.1', port: 0, workers: 0 });
  delay.enable();
  process.send(server.address.port);
  process.on('disconnect', () => process.exit());
}

async function measureAll() {
  const child = fork(fileURLToPath(import.meta.url), [], { stdio: 'inherit' });
  const [port] = await once(child, 'message');
  const rows = [];
  for (const coding of ['(at rest)', 'identity', ...ENCODINGS]) rows.push(await measure(child, port, coding));
  child.disconnect();
  console.log(`Node ${process.version}, ${LOADERS} responses of 1 MiB at a time, ${SECONDS} s each; times in ms`);
  console.table(rows);
}

async function measure(child, port, coding) {
  const state = { isOver: false, count: 0, bytes: 0 };
  const large = new Agent({ keepAlive: true, maxSockets: LOADERS });
  const small = new Agent({ keepAlive: true, maxSockets: 1 });
  const loaders = coding === '(at rest)' ? [] : Array.from({ length: LOADERS }, () => load(port, coding, large, state));
  if (loaders.length > 0) await Promise.race(loaders.map((loader) => loader.first));
  child.send('reset');
  const times = [];
  for (const end = performance.now() + SECONDS * 1000; performance.now() < end; ) {
    const start = performance.now();
    await fetchOne(port, '/small', 'identity', small);
    times.push(performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  state.isOver = true;
  child.send('report');
  const [loop] = await once(child, 'message');
  await Promise.all(loaders.map((loader) => loader.done));
  large.destroy();
  small.destroy();
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.floor(times.length * share)].toFixed(1);
  return {
    coding,
    'large/s': (state.count / SECONDS).toFixed(0),
    'size, KiB': state.count > 0 ? (state.bytes / state.count / 1024).toFixed(0) : '-',
    'small p50': at(0.5),
    'small p99': at(0.99),
    'loop p50': loop.p50.toFixed(1),
    'loop p99': loop.p99.toFixed(1),
    'loop max': loop.max.toFixed(1),
    'rss, MiB': (loop.rss / 2 ** 20).toFixed(0),
  };
}

/** One client that asks again and again. */
function load(port, coding, agent, state) {
  const { promise: first, resolve } = withResolvers();
  const done = (async () => {
    while (!state.isOver) {
      const bytes = await fetchOne(port, '/large', coding, agent);
      state.bytes += bytes;
      state.count++;
      resolve();
    }
  })();
  return { first, done };
}

function fetchOne(port, path, coding, agent) {
  return new Promise((resolve, reject) => {
    const request = get({ host: '127.0.0.1', port, path, agent, headers: { 'Accept-Encoding': coding } }, (response) => {
      let bytes = 0;
      response.on('data', (piece) => {
        bytes += piece.length;
      });
      response.on('end', () => resolve(bytes));
      response.on('error', reject);
    });
    request.on('error', reject);
  });
}

function withResolvers() {
  let resolve;
  const promise = new Promise((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
