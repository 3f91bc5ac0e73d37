import { AsyncLocalStorage } from 'node:async_hooks';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Answering, type Handler, respond } from '../../src/exchange/respond.ts';
import { Request, Response } from '../../src/index.ts';
import { calling, callsFor, followRequests, isFollowed, whenAnswered } from '../../src/process/io-threads.ts';
import { deferred } from '../support/serve.ts';

beforeAll(() => followRequests(new AsyncLocalStorage()));

function answeringBy(handler: Handler): Answering {
  const answering: Answering = { handler, options: { errors: 'text', onError: () => undefined }, requests: 0, current: undefined };
  callsFor({ isBusy: () => answering.current !== undefined, id: () => -1 });
  return answering;
}

/** What is done, in its order. */
const log: string[] = [];
function note(what: string): void {
  const { request } = calling();
  if (request) whenAnswered(request, () => log.push(what));
  else log.push(`${what}: no request`);
}

describe('what is to be done when a handler has answered', () => {
  it('is done when that handler returns, not when one does that it has called', () => {
    log.length = 0;
    const inner = answeringBy(() => {
      note('inner');
      return Response.empty();
    });
    const outer = answeringBy(() => {
      note('outer');
      void respond(inner, new Request());
      log.push('in outer');
      note('outer again');
      return Response.empty();
    });
    void respond(outer, new Request());
    expect(log).toEqual(['inner', 'in outer', 'outer', 'outer again']);
  });

  it('belongs to its own request behind an await, whatever handlers return meanwhile', async () => {
    log.length = 0;
    const { promise, resolve } = deferred<void>();
    const slow = answeringBy(async () => {
      await Promise.resolve();
      note('slow');
      await promise;
      log.push('slow answers');
      return Response.empty();
    });
    const answer = respond(slow, new Request());
    await Promise.resolve();
    void respond(
      answeringBy(() => Response.empty()),
      new Request(),
    );
    resolve();
    await answer;
    expect(log).toEqual(['slow answers', 'slow']);
  });

  it('is done when a handler throws or rejects', async () => {
    log.length = 0;
    const failing = answeringBy(() => {
      note('thrown');
      throw new Error('a test');
    });
    const rejecting = answeringBy(async () => {
      await Promise.resolve();
      note('rejected');
      throw new Error('a test');
    });
    void respond(failing, new Request());
    await respond(rejecting, new Request());
    expect(log).toEqual(['thrown', 'rejected']);
  });

  it('knows no request once its handler has answered, nor outside of handlers', async () => {
    log.length = 0;
    const { promise, resolve } = deferred<void>();
    let behind: Promise<void> | undefined;
    const early = answeringBy(() => {
      behind = promise.then(() => note('too late'));
      return Response.empty();
    });
    void respond(early, new Request());
    resolve();
    await behind;
    note('outside');
    expect(log).toEqual(['too late: no request', 'outside: no request']);
    expect(isFollowed()).toBe(false);
  });
});
