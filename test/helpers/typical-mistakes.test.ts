/** Typical mistakes: each is answered with what to do, and docs/errors.md lists them word for word. That table is the snapshot. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { toFetch } from '../../src/fetch.ts';
import {
  assertOr400,
  compress,
  createCors,
  createSessions,
  finish,
  match,
  Request,
  Response,
  readForm,
  readJson,
  readParams,
  router,
  startServer,
  tryOr404,
} from '../../src/index.ts';
import { proxy } from '../../src/proxy.ts';

const request = new Request();
const json = new Request({ method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' });
const answer = (): Response => Response.empty();
const late = async (): Promise<Response> => answer();

/** What a handler is told of its answer, by way of `onError`. */
async function answeredWith(make: () => unknown, times = 1): Promise<never> {
  let told: unknown;
  const serve = toFetch((asked) => (match(asked, 'GET /notes') ? (make() as Response) : answer()), {
    onError: (error) => void (told = error),
  });
  for (let i = 0; i < times; i++) {
    const response = await serve(new globalThis.Request('http://localhost/notes'));
    await response.text().catch((error: unknown) => (told = error));
  }
  throw told;
}

function sentAgain(): Promise<never> {
  const kept = Response.stream('text/plain', new Blob(['x']).stream());
  return answeredWith(() => kept, 2);
}

async function readBefore(): Promise<never> {
  const web = new globalThis.Response('x');
  await web.text();
  return answeredWith(() => web);
}

function largeSession(): Response {
  const session = createSessions<{ text: string }>({ secret: 'x'.repeat(32) }).open(request);
  session.data.text = 'x'.repeat(5000);
  return session.save(answer());
}

const MISTAKES: Readonly<Record<string, () => unknown>> = {
  'A branch of the handler without `return`': () => answeredWith(() => undefined),
  'A handler that returns a text': () => answeredWith(() => 'hello'),
  'A handler that returns a value': () => answeredWith(() => ({ id: 1 })),
  'A response with a stream that is kept and sent again': sentAgain,
  'A web-standard response whose body was read before': readBefore,
  '`compress(request, late())` without `await`': () => compress(request, late() as unknown as Response),
  '`compress` of a web-standard response': () => compress(request, new globalThis.Response('x') as unknown as Response),
  '`finish(request, answer(request), compress)`': () => finish(request, answer() as never, compress),
  '`Response.json(find(id))` of a promise': () => Response.json(Promise.resolve(1)),
  '`Response.json(request)`': () => Response.json(json),
  '`Response.json(request.body)`': () => Response.json(json.body),
  '`Response.text(page())` of a promise': () => Response.text(Promise.resolve('x') as never),
  '`Response.text({ id: 1 })`': () => Response.text({ id: 1 } as never),
  '`Response.json({ id: 1n })`': () => Response.json({ id: 1n }),
  '`Response.redirect(path, { status: 301 })`': () => Response.redirect('/', { status: 301 } as never),
  '`Response.events` of a generator function that is not called': () => Response.events(async function* () {} as never),
  '`withHeader` without a value': () => answer().withHeader('X-Next', undefined as never),
  '`withHeader` with what no field can hold': () => answer().withHeader('X-Title', '日本'),
  '`withCookie` with a number': () => answer().withCookie('count', 5 as never),
  '`withCookie` for other sites, without TLS': () => answer().withCookie('a', 'b', { sameSite: 'none' }),
  'A session that outgrows its cookie': largeSession,
  'A secret that is not set in the environment': () => createSessions({ secret: undefined as never }),
  'A secret that can be guessed': () => createSessions({ secret: 'keyboard cat' }),
  'A misspelled option': () => startServer(answer, { prot: 8000 } as never),
  '`{ port: process.env.PORT }`': () => startServer(answer, { port: '8000' } as never),
  'A route without a method': () => match(request, '/users' as never),
  'A method in lower case': () => match(request, 'get /users' as never),
  'A parameter as other routers write it': () => match(request, 'GET /users/:id' as never),
  '`match(route, request)`': () => match('GET /' as never, request as never),
  'Two routes for the same requests': () => router({ 'GET /users/{id}': answer, 'GET /users/{name}': answer }),
  'A parameter that the route does not have': () => readParams({ id: '7' }, { name: 'string' } as never),
  'A kind that there is not': () => readForm(json, { age: 'number' as 'int' }),
  'Kinds or options for `readJson` in place of a schema': () => readJson(json, { text: 'string' } as never),
  '`readJson` with a schema that is asynchronous': () =>
    readJson(
      json,
      z.object({}).refine(async () => true),
    ),
  '`assertOr400(isAllowed())` of a promise': () => assertOr400(Promise.resolve(false)),
  '`tryOr404(notes.get(id))`': () => tryOr404(undefined as never),
  'A target of `proxy` without `http://`': () => proxy(request, 'localhost:3000'),
  'An origin for `createCors` with a final slash': () => createCors({ origins: ['https://app.example/'] }),
};

/** The rows of the table in docs/errors.md: mistake, code, message. */
function documented(): Map<string, string> {
  const [, table = ''] = /\n## Typical mistakes\n([\s\S]*?)\n## /.exec(readFileSync('docs/errors.md', 'utf8')) ?? [];
  return new Map(
    [...table.matchAll(/^\| (.+?) \| `([\w-]+)` \| `(.+)` \|$/gm)].map(([, mistake = '', code, message]) => [
      mistake,
      `${code}: ${message}`,
    ]),
  );
}

async function said(mistake: () => unknown): Promise<string> {
  try {
    await mistake();
  } catch (error) {
    const { code, message } = error as { readonly code?: string; readonly message: string };
    return `${code}: ${message}`;
  }
  return 'nothing';
}

describe('a typical mistake', () => {
  it.each(Object.entries(MISTAKES))('is told with what to do, as docs/errors.md has it: %s', async (name, mistake) => {
    expect(await said(mistake)).toBe(documented().get(name));
  });

  it('stands in docs/errors.md only when it is made here; there are 20 and more', () => {
    expect([...documented().keys()]).toEqual(Object.keys(MISTAKES));
    expect(Object.keys(MISTAKES).length).toBeGreaterThanOrEqual(20);
  });
});
