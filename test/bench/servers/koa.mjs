// koa, with the router, body parser, compression and static files of its own organisation.
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { bodyParser } from '@koa/bodyparser';
import { Router } from '@koa/router';
import Koa from 'koa';
import compress from 'koa-compress';
import serveStatic from 'koa-static';
import { announce, HELLO, JSON_VALUE, ROOT, ROUTES, TEXT, TLS } from './common.mjs';

const app = new Koa();
app.silent = true; // it would print each client that goes away while it is answered
const router = new Router();
const files = serveStatic(ROOT);
router.get('/', (ctx) => {
  ctx.body = HELLO;
});
router.get('/json', (ctx) => {
  ctx.body = JSON_VALUE;
});
router.post('/echo', async (ctx) => {
  ctx.body = await buffer(ctx.req);
});
router.post('/form', bodyParser(), (ctx) => {
  const { name, age } = ctx.request.body;
  ctx.body = `${name} is ${age}`;
});
router.get('/text', compress({ br: false }), (ctx) => {
  ctx.body = TEXT;
});
router.get('/static/page.html', (ctx, next) => {
  ctx.path = '/page.html';
  return files(ctx, next);
});
for (let n = 0; n < ROUTES; n++) {
  router.get(`/api/r${n}/:id`, (ctx) => {
    ctx.body = `${n} ${ctx.params.id}`;
  });
}
app.use(router.routes());

const server = TLS ? createTlsServer(TLS, app.callback()) : createServer(app.callback());
announce(server);
server.listen(0, '127.0.0.1');
