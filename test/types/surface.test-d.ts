/** The surface as the compiler sees it: `tsc` is the test. */
import type { Cluster, Redis } from 'ioredis';
import type { createClient, createCluster, createSentinel } from 'redis';
import { z } from 'zod';
import { type BlockingOptions, createBlocking, type FetchOptions } from '../../src/blocking.ts';
import type { CgiOptions } from '../../src/cgi.ts';
import type { GuestOptions } from '../../src/fetch.ts';
import type { RouteError } from '../../src/helpers/routes/params.ts';
import {
  assertOr400,
  type CompressOptions,
  type CookieOptions,
  type CorsPolicy,
  compress,
  createSessions,
  type EscapedHtml,
  type FormLimits,
  finish,
  type Handler,
  type Html,
  type HttpErrorOptions,
  html,
  type ListedRoute,
  type LogAccessOptions,
  listRoutes,
  logAccess,
  match,
  type RateLimiterOptions,
  type Request,
  type RequestInit,
  Response,
  type ResponseInit,
  type RouteParams,
  readForm,
  readFormAsync,
  readHeaders,
  readJson,
  readJsonAsync,
  readParams,
  readQuery,
  router,
  type SecureHeadersOptions,
  type ServeDirOptions,
  type ServerOptions,
  type SessionOptions,
  type SignedCookieOptions,
  secureHeaders,
  serveDir,
  signedCookies,
  startServer,
  type TlsOptions,
  tryOr400,
  tryOr404,
  type UploadedFile,
  withSignedCookie,
} from '../../src/index.ts';
import type { TraceOptions } from '../../src/opentelemetry.ts';
import type { ProxyOptions } from '../../src/proxy.ts';
import { type ChannelOptions, createChannel, type MessagesOptions, type SubscribeOptions } from '../../src/pubsub.ts';
import { type RedisRateStoreOptions, type RedisStoreOptions, redisRateStore, redisSessionStore } from '../../src/redis.ts';
import { createSocketIO } from '../../src/socket.io.ts';
import type { WebSocketOptions } from '../../src/websocket.ts';

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
// @ts-expect-error write '{id}'
match(request, 'GET /users/:id');
// @ts-expect-error write '{...rest}'
match(request, 'GET /files/*');
// @ts-expect-error write 'ANY /{...rest}'
match(request, '*');
same<RouteError<'GET /a/:id/b'>, "write '{id}' for ':id'">();
same<RouteError<'POST /v1/{id}:publish'>, never>();
match(request, 'POST /v1/x:publish');
// @ts-expect-error there is no such parameter
void match(request, 'GET /{a}')?.b;

router({ 'GET /a': () => Response.text(''), 'GET|POST /b/{id:int}': async ({ id }, inner) => Response.text(id.toFixed() + inner.path) });
// @ts-expect-error unknown method
router({ 'FETCH /': () => Response.empty() });
// @ts-expect-error a handler must return a Response
router({ 'GET /': () => 'text' });

// @ts-expect-error the global Response is another class, also here
router({ 'GET /': () => new globalThis.Response('') });
// @ts-expect-error this route gives a number
router({ 'GET /{id:int}': ({ id }: { id: string }) => Response.text(id) });
// @ts-expect-error write '{id}'
router({ 'GET /:id': () => Response.empty() });
// @ts-expect-error an unknown parameter type
router({ 'GET /{id:foo}': () => Response.empty() });

class Notes {
  readonly #texts = ['a'];
  'GET /notes/{n:uint}'({ n }: { n: number }): Response {
    return Response.text(this.#texts[n] ?? '');
  }
}
same<ReturnType<typeof notes>, Response | Promise<Response> | undefined>();
const notes = router(new Notes());
same<ReturnType<typeof listRoutes>, readonly ListedRoute[]>();
same<
  ListedRoute,
  { readonly method: string; readonly path: string; readonly file: string | undefined; readonly line: number | undefined }
>();
void listRoutes(notes);
// @ts-expect-error the routes themselves are no router
void listRoutes({ 'GET /a': () => Response.text('') });

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

const Page = z.object({ page: z.coerce.number().default(1), sort: z.enum(['asc', 'desc']).optional() });
interface PageRead {
  page: number;
  sort?: 'asc' | 'desc' | undefined;
}
same<ReturnType<typeof byQuery>, PageRead>();
const byQuery = () => readQuery(request, Page);
same<ReturnType<typeof byHeaders>, PageRead>();
const byHeaders = () => readHeaders(request, Page);
same<ReturnType<typeof byForm>, PageRead>();
const byForm = () => readForm(request, Page);
same<ReturnType<typeof byParams>, PageRead>();
const byParams = () => readParams({ page: '1' }, Page);
same<ReturnType<typeof byJsonAsync>, Promise<PageRead>>();
const byJsonAsync = () => readJsonAsync(request, Page);
same<ReturnType<typeof byFormAsync>, Promise<PageRead>>();
const byFormAsync = () => readFormAsync(request, Page);

const query = readQuery(request, { page: 'uint?', tag: 'string[]', deep: 'bool', q: 'string' });
same<typeof query, { page: number | undefined; tag: string[]; deep: boolean; q: string }>();
const fields = readHeaders(request, { 'X-Tenant': 'string', 'X-Depth': 'float?' });
same<typeof fields, { 'X-Tenant': string; 'X-Depth': number | undefined }>();
const form = readForm(request, { text: 'string', age: 'uint?', files: 'file[]' });
same<typeof form, { text: string; age: number | undefined; files: UploadedFile[] }>();
const day = match(request, 'GET /days/{year}/{month:int}');
if (day) {
  const read = readParams(day, { year: 'uint', month: 'int' });
  same<typeof read, { year: number; month: number }>();
  // @ts-expect-error the route has no such parameter
  readParams(day, { yaer: 'uint' });
}
// @ts-expect-error what match returned may be nothing
readParams(day, { year: 'uint' });
// @ts-expect-error a query has no files
readQuery(request, { photo: 'file' });
// @ts-expect-error an unknown kind
readHeaders(request, { a: 'number' });
// @ts-expect-error a schema is needed
void readJsonAsync(request);

declare const text: string | undefined;
assertOr400(text !== undefined);
same<typeof text, string>();
declare const maybe: Map<string, number | null>;
same<ReturnType<typeof found>, number>();
const found = () => tryOr404(() => maybe.get('a'));
same<ReturnType<typeof parsed>, URL>();
const parsed = () => tryOr400(() => new URL('http://a/'));

// @ts-expect-error a schema that is none
readJson(request, { limit: 5 });
// @ts-expect-error a limit is a number
readJson(request, undefined, { limit: '5' });

// @ts-expect-error the global Response is another class
logAccess(request, new globalThis.Response(''));
// @ts-expect-error no such format
logAccess(request, Response.text(''), { format: 'combined' });
// @ts-expect-error the global Response is another class: an import was forgotten
secureHeaders(request, new globalThis.Response(''));
// @ts-expect-error the global Request too
match(new globalThis.Request('http://a/'), 'GET /');

same<ReturnType<typeof finishedNow>, Response>();
const finishedNow = () => finish(request, () => Response.text(''), secureHeaders, logAccess, compress);
same<ReturnType<typeof finishedWeb>, Promise<Response>>();
const finishedWeb = () => finish(request, () => globalThis.Response.json({}));
same<ReturnType<typeof finishedLater>, Promise<Response>>();
const finishedLater = () => finish(request, async (asked) => Response.text(asked.path), secureHeaders);
same<ReturnType<typeof finishedEither>, Response | Promise<Response>>();
const finishedEither = () => finish(request, (asked) => (asked.secure ? Response.text('') : Promise.resolve(Response.text(''))));
const late = async (_asked: Request, response: Response): Promise<Response> => response;
// @ts-expect-error a finisher returns a Response at once
void finish(request, () => Response.text(''), late);
// @ts-expect-error an answer that may be nothing: `??` is missing
void finish(request, (asked) => serveDir(asked, 'public'));

// @ts-expect-error unknown option
void startServer(sync, { prot: 80 });
void startServer(sync, { port: 0, workers: 0, maxBodySize: (head) => (head.path === '/upload' ? 1e9 : 1e6) });

type Optional<T> = { [K in keyof T]-?: object extends Pick<T, K> ? K : never }[keyof T];
/** Fails to compile unless every option that may be left out takes undefined (`exactOptionalPropertyTypes`). */
function takesUndefined<T>(..._missing: Record<Optional<T>, undefined> extends Pick<T, Optional<T>> ? [] : [never]): void {}

takesUndefined<ServerOptions>();
takesUndefined<TlsOptions>();
takesUndefined<CookieOptions>();
takesUndefined<CorsPolicy>();
takesUndefined<CompressOptions>();
takesUndefined<FormLimits>();
takesUndefined<HttpErrorOptions>();
takesUndefined<LogAccessOptions>();
takesUndefined<RateLimiterOptions>();
takesUndefined<RequestInit>();
takesUndefined<ResponseInit>();
takesUndefined<SecureHeadersOptions>();
takesUndefined<ServeDirOptions>();
takesUndefined<SessionOptions>();
takesUndefined<SignedCookieOptions>();
takesUndefined<CgiOptions>();
takesUndefined<GuestOptions>();
takesUndefined<BlockingOptions>();
takesUndefined<FetchOptions>();
takesUndefined<ProxyOptions>();
takesUndefined<RedisStoreOptions>();
takesUndefined<RedisRateStoreOptions>();
takesUndefined<ChannelOptions>();
takesUndefined<MessagesOptions>();
takesUndefined<SubscribeOptions>();
takesUndefined<TraceOptions>();
takesUndefined<WebSocketOptions>();
// @ts-expect-error one that does not
takesUndefined<{ a?: number }>();

void startServer(sync, { port: undefined, threads: undefined, tls: undefined });
readJson(request, undefined, { limit: undefined });
same<ReturnType<typeof signedCookies>, Readonly<Record<string, string | undefined>>>();
withSignedCookie(request, Response.empty(), 'a', 'b', { secret: ['x', 'y'], maxAge: undefined });
signedCookies(request, { secret: '' });
// @ts-expect-error a secret is needed
withSignedCookie(request, Response.empty(), 'a', 'b', { maxAge: 1 });
// @ts-expect-error a value is text
withSignedCookie(request, Response.empty(), 'a', 5, { secret: '' });
// @ts-expect-error attributes are for setting
signedCookies(request, { secret: '', maxAge: 1 });
createSessions<{ user: string }>({ secret: '', store: undefined }).open(request).data.user = 'ada';

void [new Headers(request.headers), new Headers(Response.empty().headers), new Map(request.headers)];

const piece: Html = html`<p>${text}${1}${null}${[html`<br>`, 'a']}${text === 'a' && html`<hr>`}${new URL('http://a/')}</p>`;
void [Response.html(piece), Response.html('<p>'), Response.svg(piece), Response.html(new String('<p>')), html`${piece as EscapedHtml}`];
// @ts-expect-error the word is meant: String(…)
void html`<p aria-hidden="${true as boolean}">`;
// @ts-expect-error not awaited
void html`${Promise.resolve('a')}`;
// @ts-expect-error a plain object
void html`${{ a: 1 }}`;
// @ts-expect-error not awaited
Response.html(Promise.resolve('a'));
// @ts-expect-error not a text
Response.html(['a']);

// A module behind createBlocking: promises become values, streams iterables, and what is no function is not there.
interface Library {
  find(id: number): Promise<{ readonly id: number } | undefined>;
  rows(): AsyncIterable<string>;
  bytes(): Promise<Buffer>;
  readonly version: string;
}
const library = createBlocking<Library>('file:///library.js');
const one: { readonly id: number } | undefined = library.find(1);
const rows: Iterable<string> = library.rows();
const bytes: Uint8Array = library.bytes();
void [one, rows, bytes];
// @ts-expect-error an argument of the wrong type
library.find('1');
// @ts-expect-error not a function
void library.version;

interface ChatEvents {
  say: (text: string, done: (count: number) => void) => void;
}
interface ChatNews {
  said: (text: string) => void;
}
const chat = createSocketIO<ChatEvents, ChatNews>();
chat.on('connection', (socket) => socket.on('say', (text, done) => done(same<typeof text, string>() ?? 1)));
chat.emit('said', 'hello');
// @ts-expect-error the text is missing
chat.emit('said');
// @ts-expect-error a misspelled option
createSocketIO({ pingTimout: 1 });

// A channel of texts is a source of events as it is; of other values it is not.
const texts = createChannel<string>('texts');
void Response.events(texts.messages());
const numbers = createChannel<{ readonly n: number }>('numbers');
numbers.subscribe(({ n }) => same<typeof n, number>());
// @ts-expect-error a message of another type
numbers.publish('1');
// @ts-expect-error no event
void Response.events(numbers.messages());

// Each form of either Redis client does for stores and channels.
declare const redisForms: readonly [
  ReturnType<typeof createClient>,
  ReturnType<typeof createCluster>,
  ReturnType<typeof createSentinel>,
  Redis,
  Cluster,
];
for (const redis of redisForms) {
  void [redisSessionStore(redis), redisRateStore(redis, { unavailable: 'count-here' }), createChannel('news', { redis })];
}
