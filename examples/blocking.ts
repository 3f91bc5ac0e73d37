/**
 * Handlers that block, and one that never returns: each holds one thread, and no other request waits.
 *
 *     $ node blocking.ts &
 *     $ curl localhost:8000/            # at once, even while the others are running
 *     hello
 *     $ curl localhost:8000/disk        # runs a program and waits for it
 *     Filesystem …
 *     $ curl localhost:8000/regex       # would outlast the sun
 *     The request took too long
 *     $ curl localhost:8000/loop        # for(;;)
 *     The request took too long
 *
 * and in the log, a second after the last two:
 *
 *     filrouge: GET "/loop" has taken 1010 ms and stands at forEver (blocking.ts:37:3); its thread is replaced
 */
import { execFileSync } from 'node:child_process';
import { match, type Request, Response, startServer } from 'filrouge';

const { PORT: port = '8000', HOST: host = 'localhost' } = process.env;
startServer(answer, {
  host,
  port: Number(port),
  workers: 1,
  threads: { min: 4, max: 16 },
  handlerTimeout: 1000,
});

function answer(request: Request): Response {
  if (match(request, 'GET /')) return Response.text('hello\n');
  if (match(request, 'GET /disk')) return Response.text(execFileSync('df', ['-h', '.'], { encoding: 'utf8' }));
  if (match(request, 'GET /regex')) return Response.text(String(/^(a+)+$/.test(`${'a'.repeat(60)}!`)));
  if (match(request, 'GET /loop')) return forEver();
  return Response.empty(404);
}

function forEver(): Response {
  for (;;);
}
