// The server under measurement, with nothing switched off: its limits and time-outs are the defaults but for the number of connections.
import { pathToFileURL } from 'node:url';
import {
  FIELD_NAMES,
  HELLO,
  heapUsed,
  IS_HTTP2,
  ITEMS,
  JSON_VALUE,
  KEEP_ALIVE,
  LARGE,
  makeStream,
  ROOT,
  ROUTES,
  SECRET,
  TEXT,
  TLS,
  UPSTREAM,
} from './common.mjs';

// Another build can be measured: npm run bench -- --dist /elsewhere/dist
const given = process.env['BENCH_DIST'];
const DIST = given === undefined ? new URL('../../../dist/index.js', import.meta.url) : pathToFileURL(given);
const { compress, createSessions, html, Response, readForm, router, serveDir, startServer } = await import(DIST.href);
const { proxy } = UPSTREAM === undefined ? {} : await import(new URL('proxy.js', DIST).href);
const { websocket } = await import(new URL('websocket.js', DIST).href);
const sessions = createSessions({ secret: SECRET });
const fields = Object.fromEntries(FIELD_NAMES.map((name) => [name, 'string']));

const paths = Array.from({ length: ROUTES }, (_, n) => [`GET /api/r${n}/{id}`, ({ id }) => Response.text(`${n} ${id}`)]);
const api = router(Object.fromEntries(paths));

const inside = await mounted(process.env['BENCH_MOUNTED']);
const traced = process.env['BENCH_TRACED'] === 'hand' ? (await import('./by-hand.mjs')).traced : (handler) => handler;
const server = await startServer(
  inside ??
    traced((request) => {
      if (request.path === '/') return Response.text(HELLO);
      if (request.path === '/json') return Response.json(JSON_VALUE);
      if (request.path === '/echo') return Response.bytes('application/octet-stream', request.body.bytes());
      if (request.path === '/form') {
        const { name, age } = readForm(request, { name: 'string', age: 'int' });
        return Response.text(`${name} is ${age}`);
      }
      if (request.path === '/upload') {
        const { files } = readForm(request, { files: 'file[]' });
        return Response.text(String(files.reduce((sum, { size }) => sum + size, 0)));
      }
      if (request.path === '/fields') {
        const values = readForm(request, fields);
        return Response.text(String(FIELD_NAMES.reduce((sum, name) => sum + values[name].length, 0)));
      }
      if (request.path === '/login') {
        const session = sessions.open(request);
        session.regenerate();
        session.data = { user: readForm(request, { name: 'string' }).name, visits: 1 };
        return session.save(Response.text(`Hello, ${session.data.user}`));
      }
      if (request.path === '/page') {
        const session = sessions.open(request);
        session.data.visits++;
        return session.save(Response.html(catalogue(session.data)));
      }
      if (UPSTREAM !== undefined && request.path.startsWith('/up/')) return proxy(request.withoutPrefix('/up'), UPSTREAM);
      if (request.path === '/text') return compress(request, Response.text(TEXT));
      if (request.path === '/large') return Response.bytes('application/octet-stream', LARGE);
      if (request.path === '/stream') return Response.stream('application/octet-stream', makeStream());
      if (request.path === '/echo-socket') return websocket(request, (socket) => socket.onMessage((message) => socket.send(message)));
      if (request.path === '/heap') return Response.text(heapUsed());
      const file = request.withoutPrefix('/static');
      return (file && serveDir(file, ROOT)) ?? api(request) ?? Response.empty(404);
    }),
  {
    host: '127.0.0.1',
    port: 0,
    workers: Number(process.env['BENCH_WORKERS'] ?? 0),
    threads: Number(process.env['BENCH_THREADS'] ?? 0),
    maxConnections: 20_000,
    keepAliveTimeout: KEEP_ALIVE,
    ...(TLS && { tls: TLS }),
    ...(IS_HTTP2 && !TLS && { h2c: true }),
  },
);
if (server.role === 'single' || server.role === 'primary') console.log(server.address.port);

function catalogue({ user, visits }) {
  const items = ITEMS.map(({ id, name, price }) => html`<li><a href="/items/${id}">${name}</a> ${price}</li>`);
  return html`<!doctype html><html lang="en"><meta charset="utf-8"><title>Catalogue</title><h1>Hello, ${user}</h1><p>Visit ${visits}</p><ul>${items}</ul></html>`;
}

/** An application of another framework in our server: the routes that its scenario asks for. @returns A handler; undefined without a name. */
async function mounted(name) {
  const door = (file) => import(new URL(file, DIST).href);
  if (name === 'hono') {
    const [{ Hono }, { answerWithFetch }] = await Promise.all([import('hono'), door('fetch.js')]);
    const app = new Hono().get('/', (c) => c.text(HELLO));
    return (request) => answerWithFetch(request, app);
  }
  if (name === 'express') {
    const [{ default: express }, { answerWithNode }] = await Promise.all([import('express'), door('node.js')]);
    const app = express().get('/', (_request, response) => response.type('text/plain').send(HELLO));
    return (request) => answerWithNode(request, app);
  }
  return undefined;
}
