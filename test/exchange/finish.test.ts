import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { toFetch } from '../../src/fetch.ts';
import { finish, HttpError, logAccess, Request, Response, readJson } from '../../src/index.ts';
import { toNodeListener } from '../../src/node.ts';
import type { ServerOptions } from '../../src/server/options.ts';
import { type Answer, serve, talk } from '../support/serve.ts';

type Answering = (request: Request) => Response | globalThis.Response | Promise<Response | globalThis.Response>;

const seen = (_request: Request, response: Response): Response => response.withHeader('X-Seen', String(response.status));

/** What a server answers whose handler finishes with `seen`, and what its log and `onError` are told. */
async function answerOf(
  answer: Answering,
  options: ServerOptions = {},
): Promise<{ answer: Answer; lines: readonly string[]; errors: readonly unknown[] }> {
  const lines: string[] = [];
  const errors: unknown[] = [];
  const output = { write: (line: string) => lines.push(line) };
  const format = ({ method, path }: Request, { status }: Response): string => `${method} ${path} ${status}`;
  const onError = (error: unknown, request: Request): Response | void => {
    errors.push(error);
    return options.onError?.(error, request);
  };
  const log = (request: Request, response: Response): Response => logAccess(request, response, { output, format });
  const { port } = await serve((request) => finish(request, answer, seen, log), { ...options, onError });
  const client = await talk(port);
  client.send('POST /a HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\nx');
  const [first] = await client.answers(1);
  return { answer: first as Answer, lines, errors };
}

function failing(thrown: unknown): () => never {
  return () => {
    throw thrown;
  };
}

describe('finish', () => {
  it('passes the response through the finishers, in their order', () => {
    const order: string[] = [];
    const named =
      (name: string) =>
      (_request: Request, response: Response): Response => {
        order.push(name);
        return response.withAddedHeader('X-By', name);
      };
    const response = finish(new Request(), () => Response.text('hello'), named('first'), named('second'));
    expect([response.text(), response.headerAll('x-by'), order]).toEqual(['hello', ['first', 'second'], ['first', 'second']]);
  });

  it('hands the request to the answer and to each finisher', () => {
    const request = new Request({ target: '/a' });
    const response = finish(
      request,
      ({ path }) => Response.text(path),
      (given, inner) => inner.withHeader('X-Same', String(given === request)),
    );
    expect([response.text(), response.header('x-same')]).toEqual(['/a', 'true']);
  });

  it('has the error of a read helper finished, and in the access log', async () => {
    const { answer, lines, errors } = await answerOf((request) => Response.json(readJson(request)));
    expect([answer.status, answer.headers['x-seen'], lines, errors]).toEqual([415, '415', ['POST /a 415\n'], []]);
  });

  it.each([
    ['throws', failing(new HttpError(418, 'Tea only', { code: 'tea' }))],
    ['rejects', async () => failing(new HttpError(418, 'Tea only', { code: 'tea' }))()],
  ])('has the HttpError finished that an answer %s', async (_how, answer: Answering) => {
    const { answer: sent, lines } = await answerOf(answer);
    expect([sent.status, sent.headers['x-seen'], sent.body, lines]).toEqual([418, '418', 'Tea only', ['POST /a 418\n']]);
  });

  it.each([
    ['throws', failing(new Error('secret'))],
    ['rejects', async () => failing(new Error('secret'))()],
  ])('has a bare 500 finished where an answer %s, and onError sees it once', async (_how, answer: Answering) => {
    const { answer: sent, lines, errors } = await answerOf(answer);
    expect([sent.status, sent.headers['x-seen'], sent.body, lines]).toEqual([500, '500', 'Internal Server Error', ['POST /a 500\n']]);
    expect(errors).toEqual([expect.objectContaining({ message: 'secret' })]);
  });

  it('has the answer of onError finished', async () => {
    const { answer } = await answerOf(failing(new Error('secret')), { onError: () => Response.html('<h1>Sorry</h1>').withStatus(503) });
    expect([answer.status, answer.headers['x-seen'], answer.body]).toEqual([503, '503', '<h1>Sorry</h1>']);
  });

  it('gives onError the request as it came, also from below a prefix', async () => {
    const paths: string[] = [];
    const { port } = await serve((request) => finish(request.withoutPrefix('/a') ?? request, failing(new Error('secret'))), {
      onError: (_error, { path }) => void paths.push(path),
    });
    const client = await talk(port);
    client.send('GET /a/b HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.answers(1);
    expect(paths).toEqual(['/a/b']);
  });

  it('has an answer finished that forgets to return', async () => {
    const { answer, errors } = await answerOf((() => undefined) as unknown as Answering);
    expect([answer.status, answer.headers['x-seen'], errors]).toEqual([
      500,
      '500',
      [expect.objectContaining({ code: 'nothing-returned' })],
    ]);
  });

  it.each<[string, () => Response | globalThis.Response]>([
    ['of ours', () => Response.redirect('/login')],
    ['of the web', () => new globalThis.Response(null, { status: 303, headers: { Location: '/login' } })],
  ])('has a Response finished that is returned or thrown: one %s', async (_whose, make) => {
    for (const answer of [make, async () => make(), () => failing(make())(), async () => failing(make())()]) {
      const { answer: sent, errors } = await answerOf(answer);
      expect([sent.status, sent.headers['location'], sent.headers['x-seen'], errors]).toEqual([303, '/login', '303', []]);
    }
  });

  it('is synchronous when the answer is, also when that throws', () => {
    expect(finish(new Request(), () => Response.text(''), seen).header('x-seen')).toBe('200');
    expect(finish(new Request(), failing(new HttpError(404)), seen).header('x-seen')).toBe('404');
    expect(finish(new Request(), failing(globalThis.Response.json([1])), seen).header('x-seen')).toBe('200');
  });

  it('gives a web-standard Response its length, as the server does', async () => {
    const made = await finish(new Request(), () => globalThis.Response.json([1]), seen);
    expect([made.header('x-seen'), made.header('content-type'), made.text()]).toEqual(['200', 'application/json', '[1]']);
  });

  it('throws what would be a 500 when the request was made by hand, so that a test sees it', async () => {
    const bug = new Error('a bug');
    expect(() => finish(new Request(), failing(bug), seen)).toThrow(bug);
    await expect(finish(new Request(), async () => failing(bug)(), seen)).rejects.toBe(bug);
    await expect(finish(new Request(), async () => null as never)).rejects.toThrow('the handler returned null');
  });

  it('leaves the error of a finisher to the server: a bare 500, onError sees it once, the finishers behind it see nothing', async () => {
    const errors: unknown[] = [];
    const statuses: number[] = [];
    const count = (_request: Request, response: Response): Response => {
      statuses.push(response.status);
      return response;
    };
    const { port } = await serve((request) => finish(request, () => Response.text('hello'), count, failing(new Error('worn out')), count), {
      onError: (error) => void errors.push(error),
    });
    const client = await talk(port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const [answer] = await client.answers(1);
    expect([answer?.status, answer?.body, statuses]).toEqual([500, 'Internal Server Error', [200]]);
    expect(errors).toEqual([expect.objectContaining({ message: 'worn out' })]);
  });

  it('releases a response that a finisher does not finish', () => {
    let isReturned = false;
    const source = {
      [Symbol.iterator]: () => source,
      next: () => ({ done: false as const, value: 'x' }),
      return: () => {
        isReturned = true;
        return { done: true as const, value: undefined };
      },
    };
    expect(() => finish(new Request(), () => Response.stream('text/plain', source), failing(new Error('worn out')))).toThrow('worn out');
    expect(isReturned).toBe(true);
  });

  it('names the finisher that returns no Response', () => {
    function forgetful(): void {}
    const finishers = forgetful as unknown as typeof seen;
    expect(() => finish(new Request(), () => Response.text('hello'), finishers)).toThrow(
      expect.objectContaining({
        code: 'nothing-returned',
        message: 'Cannot finish response: the finisher "forgetful" returned nothing, not a Response',
      }),
    );
  });

  it('does the same in a handler thread', async () => {
    vi.stubEnv('FILROUGE_PLAYED_THREADS', '1'); // in this process, over the messages of a thread
    onTestFinished(() => void vi.unstubAllEnvs());
    const bug = await answerOf(failing(new Error('secret')), { threads: 1 });
    expect([bug.answer.status, bug.answer.headers['x-seen'], bug.errors.length]).toEqual([500, '500', 1]);
    const refused = await answerOf((request) => Response.json(readJson(request)), { threads: 1 });
    expect([refused.answer.status, refused.answer.headers['x-seen'], refused.lines]).toEqual([415, '415', ['POST /a 415\n']]);
  });

  it('does the same as a guest of another server', async () => {
    const errors: unknown[] = [];
    const options = { onError: (error: unknown) => void errors.push(error) };
    const handler = (request: Request): Response => finish(request, failing(new Error('secret')), seen);
    const web = await toFetch(handler, options)(new globalThis.Request('http://a/'));
    expect([web.status, web.headers.get('x-seen'), errors.length]).toEqual([500, '500', 1]);
    const server = createServer(toNodeListener(handler, options)).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    const node = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    expect([node.status, node.headers.get('x-seen'), errors.length]).toEqual([500, '500', 2]);
  });
});
