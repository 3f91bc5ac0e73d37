/** The surface as the compiler sees it: `tsc` is the test. */
import { z } from 'zod';
import {
  type Handler,
  match,
  type Request,
  Response,
  type RouteParams,
  readJson,
  router,
  secureHeaders,
  startServer,
} from '../../src/index.ts';

declare const request: Request;

/** Fails to compile unless both types are the same. */
function same<A, B>(..._equal: (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? [] : [never]): void {}

same<RouteParams<'GET /users/{id:int}/{name}/{...rest}'>, { id: number; name: string; rest: string }>();
same<RouteParams<'GET /v{n:uint}/{ok:bool}/{x:float}/{u:uuid}.json'>, { n: number; ok: boolean; x: number; u: string }>();

const user = match(request, 'GET /users/{id:int}');
if (user) same<typeof user.id, number>();

// @ts-expect-error unknown parameter type
match(request, 'GET /{a:foo}');
// @ts-expect-error method in lower case
match(request, 'get /');
// @ts-expect-error no method
match(request, '/a');
// @ts-expect-error there is no such parameter
void match(request, 'GET /{a}')?.b;

router({ 'GET /a': () => Response.text(''), 'GET|POST /b/{id:int}': async ({ id }, inner) => Response.text(id.toFixed() + inner.path) });
// @ts-expect-error unknown method
router({ 'FETCH /': () => Response.empty() });
// @ts-expect-error a handler must return a Response
router({ 'GET /': () => 'text' });

const sync: Handler = () => Response.text('');
const promised: Handler = async () => Response.text('');
const web: Handler = () => new globalThis.Response('x');
void [sync, promised, web];
// @ts-expect-error nothing returned
const nothing: Handler = () => {};
// @ts-expect-error no Response
const other: Handler = () => ({});
void [nothing, other];

const note = readJson(request, z.object({ text: z.string() }));
same<typeof note, { text: string }>();
same<ReturnType<typeof readJson>, unknown>();

// @ts-expect-error the global Response is another class: an import was forgotten
secureHeaders(new globalThis.Response(''));
// @ts-expect-error the global Request too
match(new globalThis.Request('http://a/'), 'GET /');

// @ts-expect-error unknown option
void startServer(sync, { prot: 80 });
void startServer(sync, { port: 0, workers: 0, maxBodySize: (head) => (head.path === '/upload' ? 1e9 : 1e6) });
