import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { toFetch } from '../../src/fetch.ts';
import {
  type ErrorFormat,
  finish,
  HttpError,
  type Request,
  Response,
  router,
  type ServerOptions,
  serveDir,
  startServer,
} from '../../src/index.ts';
import { toNodeListener } from '../../src/node.ts';
import { type Answer, serve, talk } from '../support/serve.ts';

const GET = 'GET /api/a HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n';
const PROBLEM = { type: 'about:blank', title: 'Unprocessable Content', status: 422, detail: 'No', code: 'schema-mismatch', issues: [1] };

function refuse(): never {
  throw new HttpError(422, 'No', { code: 'schema-mismatch', details: { issues: [1] } });
}

async function answerOf(handler: (request: Request) => Response | Promise<Response>, options: ServerOptions, bytes = GET): Promise<Answer> {
  const { port } = await serve(handler, options);
  const client = await talk(port);
  client.send(bytes);
  return (await client.answers(1))[0] as Answer;
}

describe('the option errors', () => {
  it.each<[ErrorFormat, string, unknown]>([
    ['json', 'application/json; charset=utf-8', { status: 422, code: 'schema-mismatch', message: 'No', issues: [1] }],
    ['problem', 'application/problem+json', PROBLEM],
  ])('has errors written as %s for fetch(), which accepts anything', async (errors, type, body) => {
    const answer = await answerOf(refuse, { errors });
    expect([answer.status, answer.headers['content-type'], JSON.parse(answer.body)]).toEqual([422, type, body]);
  });

  it('writes text for everybody when told so', async () => {
    const answer = await answerOf(refuse, { errors: 'text' }, GET.replace('*/*', 'application/json'));
    expect([answer.headers['content-type'], answer.body]).toEqual(['text/plain; charset=utf-8', 'No']);
  });

  it('goes by Accept when nothing is said, or auto', async () => {
    for (const options of [{}, { errors: 'auto' }] as const) {
      expect((await answerOf(refuse, options)).headers['content-type']).toBe('text/plain; charset=utf-8');
      const asking = GET.replace('*/*', 'application/json');
      expect((await answerOf(refuse, options, asking)).headers['content-type']).toBe('application/json; charset=utf-8');
    }
  });

  it('decides for each branch when it is a function', async () => {
    const errors = ({ path }: Request): ErrorFormat => (path.startsWith('/api/') ? 'problem' : 'auto');
    expect((await answerOf(refuse, { errors })).headers['content-type']).toBe('application/problem+json');
    expect((await answerOf(refuse, { errors }, GET.replace('/api/', '/pages/'))).headers['content-type']).toMatch(/^text\/plain/);
  });

  it('decides for errors that are returned, not thrown: of router, serveDir, Response.fromError, finish', async () => {
    const routes = router({ 'POST /api/a': () => Response.empty() });
    const answers: ((request: Request) => Response)[] = [
      (request) => routes(request) as Response,
      (request) => serveDir(request, '/nowhere', { fallthrough: false }) as Response,
      (request) => Response.fromError(new HttpError(409), request),
      (request) => finish(request, refuse),
    ];
    const types = await Promise.all(answers.map(async (answer) => (await answerOf(answer, { errors: 'json' })).headers['content-type']));
    expect(types).toEqual(answers.map(() => 'application/json; charset=utf-8'));
  });

  it('decides for a bare 500, and for what is refused before the handler is called', async () => {
    const bug = (): never => {
      throw new Error('secret');
    };
    const seen = [
      await answerOf(bug, { errors: 'problem', onError: () => {} }),
      await answerOf(refuse, { errors: 'problem' }, 'GET /a b HTTP/1.1\r\n\r\n'),
      await answerOf(refuse, { errors: 'problem', maxBodySize: 1 }, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nxx'),
      await answerOf(() => new Promise(() => {}), { errors: 'problem', handlerTimeout: 1 }),
    ];
    expect(seen.map(({ headers }) => headers['content-type'])).toEqual(seen.map(() => 'application/problem+json'));
    expect(seen.map(({ body }) => (JSON.parse(body) as { status: number }).status)).toEqual([500, 400, 413, 503]);
  });

  it('decides for connections beyond maxConnections', async () => {
    const { port } = await serve(() => Response.text('hello'), { errors: 'json', maxConnections: 1 });
    const first = await talk(port);
    first.send(GET);
    await first.answers(1);
    const second = await talk(port);
    second.send(GET);
    const [answer] = await second.answers(1);
    expect([answer?.headers['retry-after'], JSON.parse(answer?.body ?? '')]).toEqual([
      '1',
      { status: 503, code: 'too-many-connections', message: 'The server has all the connections it can take' },
    ]);
  });

  it('is one of handler threads', async () => {
    vi.stubEnv('FILROUGE_PLAYED_THREADS', '1'); // in this process, over the messages of a thread
    onTestFinished(() => void vi.unstubAllEnvs());
    expect((await answerOf(refuse, { errors: 'problem', threads: 1 })).headers['content-type']).toBe('application/problem+json');
    const late = await answerOf(() => new Promise(() => {}), { errors: 'problem', threads: 1, handlerTimeout: 1, log: 'off' });
    expect([late.status, late.headers['content-type']]).toEqual([503, 'application/problem+json']);
  });

  it('is one of guests on other servers', async () => {
    const web = await toFetch(refuse, { errors: 'problem' })(new globalThis.Request('http://a/'));
    expect([web.headers.get('content-type'), await web.json()]).toEqual(['application/problem+json', PROBLEM]);
    const server = createServer(toNodeListener(refuse, { errors: 'json' })).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    const node = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    expect(node.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(() => toFetch(refuse, { errors: 'xml' as 'json' })).toThrow(expect.objectContaining({ code: 'bad-option' }));
  });

  it('answers in text when its function fails, and onError sees why', async () => {
    const errors: unknown[] = [];
    const options = { onError: (error: unknown) => void errors.push(error) };
    const thrown = await answerOf(refuse, {
      ...options,
      errors: () => {
        throw new Error('worn out');
      },
    });
    const odd = await answerOf(refuse, { ...options, errors: () => 'xml' as 'json' });
    expect([thrown, odd].map(({ status, body }) => [status, body])).toEqual([
      [422, 'No'],
      [422, 'No'],
    ]);
    expect(errors).toEqual([expect.objectContaining({ message: 'worn out' }), expect.objectContaining({ code: 'bad-option' })]);
  });

  it('lets an error bring a type, a title and an instance of its own (RFC 9457 §3.1)', async () => {
    const details = { type: 'https://example.com/out-of-credit', title: 'You have too little credit', instance: '/accounts/1' };
    const answer = await answerOf(
      () => {
        throw new HttpError(403, 'It costs 50', { details });
      },
      { errors: 'problem' },
    );
    expect(JSON.parse(answer.body)).toEqual({ ...details, status: 403, detail: 'It costs 50', code: 'forbidden' });
  });

  it('is refused when it is something else', async () => {
    await expect(startServer(refuse, { errors: 'xml' as 'json', workers: 0, port: 0 })).rejects.toThrow(
      "Cannot start server: errors is neither 'auto', 'text', 'json' nor 'problem', nor a function",
    );
  });
});
