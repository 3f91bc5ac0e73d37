import { describe, expect, it } from 'vitest';
import { type Answering, respond } from '../../src/exchange/respond.ts';
import { toFetch } from '../../src/fetch.ts';
import { clientLeft } from '../../src/http/errors/abort-reason.ts';
import { Request, Response, tryOr404 } from '../../src/index.ts';
import { type Answer, serve, talk } from '../support/serve.ts';

async function answerOf(port: number): Promise<Answer | undefined> {
  const client = await talk(port);
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  return (await client.answers(1))[0];
}

describe('a Response that is thrown', () => {
  it.each<[string, () => unknown]>([
    ['of ours', () => Response.redirect('/login')],
    ['of the web', () => new globalThis.Response(null, { status: 303, headers: { Location: '/login' } })],
  ])('is the answer, and no error: one %s', async (_whose, make) => {
    const errors: unknown[] = [];
    const guard = (): never => {
      throw make();
    };
    for (const handler of [guard, async (): Promise<never> => guard()]) {
      const { port } = await serve(handler, { onError: (error) => void errors.push(error) });
      const answer = await answerOf(port);
      expect([answer?.status, answer?.headers['location']]).toEqual([303, '/login']);
      const web = await toFetch(handler)(new globalThis.Request('http://a/'));
      expect([web.status, web.headers.get('location')]).toEqual([303, '/login']);
    }
    expect(errors).toEqual([]);
  });

  it('is an error when nothing can be sent of it: Response.error()', async () => {
    const errors: unknown[] = [];
    const handler = (): never => {
      const thrown: unknown = globalThis.Response.error();
      throw thrown;
    };
    const { port } = await serve(handler, { onError: (error) => void errors.push(error) });
    expect((await answerOf(port))?.status).toBe(500);
    expect(errors).toEqual([expect.objectContaining({ code: 'bad-status' })]);
  });

  const answers: unknown[] = [Response.redirect('/login'), new globalThis.Response(null, { status: 401 })];
  it.each(answers)('goes through `tryOr404` and its like as it is', (thrown) => {
    const guard = (): never => {
      throw thrown;
    };
    expect(() => tryOr404(guard)).toThrow(expect.toSatisfy((error) => error === thrown));
  });
});

describe('onError', () => {
  const failWith = async (make: (reason: Error) => Error): Promise<unknown[]> => {
    const seen: unknown[] = [];
    const request = new Request();
    const reason = clientLeft();
    const answering: Answering = {
      handler: async () => Promise.reject(make(reason)),
      options: { errors: 'text', onError: (error) => void seen.push(error) },
      requests: 0,
      current: undefined,
    };
    request.abort(reason);
    await respond(answering, request);
    return seen;
  };

  it('does not see that a client has left, nor what others make of it', async () => {
    expect(await failWith((reason) => reason)).toEqual([]);
    expect(await failWith((cause) => new Error('Cannot query', { cause }))).toEqual([]);
    expect(await failWith(() => Object.assign(new Error('aborted'), { code: 'blocking-aborted' }))).toEqual([]);
  });

  it('sees any other error, also when the client has left, and an abort for another reason', async () => {
    const bug = new TypeError('a bug');
    expect(await failWith(() => bug)).toEqual([bug]);
    const other = clientLeft();
    expect(await failWith(() => other)).toEqual([other]);
  });
});
