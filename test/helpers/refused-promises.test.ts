/** An `await` that was forgotten costs its own request an error that says so, and not the process: the promise may reject later. */
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  acceptsLanguages,
  assertOr400,
  compress,
  createRateLimiter,
  createSessions,
  finish,
  html,
  logAccess,
  Request,
  Response,
  readiness,
  serveStatus,
  startServer,
  tryOr404,
} from '../../src/index.ts';
import { createChannel } from '../../src/pubsub.ts';
import { watchUnhandled } from '../support/unhandled.ts';

const request = new Request();
const answer = (): Response => Response.text('x');

async function find(): Promise<never> {
  await turn();
  throw new Error('no such thing');
}

async function messageOf(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    return (error as Error).message;
  }
  return 'nothing';
}

describe('a promise that was not awaited, and rejects', () => {
  it.each<[string, (promise: never) => unknown, string]>([
    ['Response.json', (promise) => Response.json(promise), 'Cannot make JSON: a promise has no JSON form: await it first'],
    ['Response.text', (promise) => Response.text(promise), 'Cannot make a response: body is a promise, not a string: await it first'],
    ['Response.html', (promise) => Response.html(promise), 'Cannot make a response: body is a promise: await it'],
    [
      'HTML that gives a promise',
      (promise) => Response.html({ isEscaped: true, toString: () => promise } as never),
      'Cannot make a response: body is a promise: await it',
    ],
    [
      'new Response',
      (promise) => new Response(promise),
      'Cannot make a response: body is a promise, not a string, bytes or a stream of them: await it first',
    ],
    [
      'Response.events',
      (promise) => Response.events(promise),
      'Cannot send events: the source is a promise, not an iterable: await it first',
    ],
    [
      'withHeader',
      (promise) => answer().withHeader('X-A', promise),
      'Cannot set header "X-A": value is a promise, not a string: await it first',
    ],
    [
      'withCookie',
      (promise) => answer().withCookie('a', promise),
      'Cannot set cookie "a": its value is a promise, not a string: await it first',
    ],
    ['html', (promise) => html`${promise}`, 'Cannot write HTML: value 1 is a promise: await it'],
    ['html.raw', (promise) => html.raw(promise), 'Cannot write HTML: html.raw was given a promise, not a string: await it first'],
    ['compress', (promise) => compress(request, promise), 'Cannot compress: the response is a promise: await it first'],
    ['logAccess', (promise) => logAccess(request, promise), 'Cannot log access: the response is a promise: await it first'],
    ['readiness', (promise) => readiness(request, promise), 'Cannot answer readiness: isReady is a promise, not a boolean: await it first'],
    [
      'serveStatus',
      (promise) => serveStatus(request, { activity: answer, status: answer } as never, { allow: promise }),
      'Cannot serve status: allow is a promise, not a boolean: await it first',
    ],
    ['assertOr400', (promise) => assertOr400(promise), 'Cannot assert: the condition is a promise, which always holds: await it first'],
    ['tryOr404', (promise) => tryOr404(promise), 'Cannot try: what to try is a promise, not a function: write () => …'],
    [
      'acceptsLanguages',
      (promise) => acceptsLanguages(request, promise),
      'Cannot choose an offer: the offers are a promise, not a list: await it first',
    ],
    [
      'the answer of finish',
      (promise) => finish(request, promise),
      'Cannot finish response: the answer is a promise: give answer itself, not what it returns',
    ],
    [
      'a finisher that is async',
      (promise) => finish(request, answer, () => promise),
      'Cannot finish response: the finisher returned a promise, not a Response: a finisher cannot be async, await in the answer',
    ],
    [
      'an option that is text',
      (promise) => createSessions({ secret: promise }),
      'Cannot create sessions: secret is a promise, not a string: await it first',
    ],
    [
      'an option that is a number',
      (promise) => createRateLimiter({ limit: promise, window: 1 }),
      'Cannot create rate limiter: limit is a promise, not a number: await it first',
    ],
    [
      'an option of the server',
      (promise) => startServer(answer, { port: promise }),
      'Cannot start server: port is a promise, not a number: await it first',
    ],
    [
      'publish',
      (promise) => createChannel('promises').publish(promise),
      'Cannot publish: a message for channel "promises" cannot be cloned: it is a promise: await it first',
    ],
  ])('is refused by %s, which then handles it', async (_, call, message) => {
    const unhandled = watchUnhandled();
    expect.soft(await messageOf(() => call(find() as never))).toBe(message);
    await pause(5); // it has rejected by now
    expect(unhandled).toEqual([]);
  });
});
