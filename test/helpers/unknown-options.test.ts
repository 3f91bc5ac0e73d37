/**
 * A typo in the name of an option must not be a silent default: whatever takes options refuses those that it does not know.
 */
import { describe, expect, it } from 'vitest';
import MANIFEST from '../../package.json' with { type: 'json' };
import * as cgiDoor from '../../src/cgi.ts';
import * as fetchDoor from '../../src/fetch.ts';
import * as front from '../../src/index.ts';
import * as nodeDoor from '../../src/node.ts';
import * as proxyDoor from '../../src/proxy.ts';
import * as redisDoor from '../../src/redis.ts';
import * as websocketDoor from '../../src/websocket.ts';

const { Request, Response } = front;
const DOORS = { cgi: cgiDoor, fetch: fetchDoor, node: nodeDoor, proxy: proxyDoor, redis: redisDoor, websocket: websocketDoor };
const handler = (): front.Response => Response.empty();
const redis = { get: nothing, set: nothing, del: nothing, eval: nothing };
const secret = 'x'.repeat(32);
const form = new Request({ method: 'POST', body: new URLSearchParams({ a: '1' }) });
const json = new Request({ method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '1' });

/** What takes options; `right` are those without which the call would fail anyway. */
const TAKERS: Readonly<Record<string, { readonly call: (options: never) => unknown; readonly right?: object }>> = {
  cgi: { call: (options) => cgiDoor.cgi(new Request(), 'true', options) },
  compress: { call: (options) => front.compress(new Request(), Response.empty(), options) },
  createCors: { call: (options) => front.createCors(options), right: { origins: [] } },
  createMemorySessionStore: { call: (options) => front.createMemorySessionStore(options) },
  HttpError: { call: (options) => new front.HttpError(404, 'Not here', options) },
  Request: { call: (options) => new front.Request(options) },
  Response: { call: (options) => new front.Response('text', options) },
  createRateLimiter: { call: (options) => front.createRateLimiter(options), right: { limit: 1, window: 1 } },
  createSessions: { call: (options) => front.createSessions(options), right: { secret } },
  logAccess: { call: (options) => front.logAccess(new Request(), Response.empty(), options), right: { output: { write: () => true } } },
  proxy: { call: (options) => proxyDoor.proxy(new Request({ method: 'CONNECT' }), 'http://localhost:1', options) },
  readForm: { call: (options) => front.readForm(form, {}, options) },
  readFormParts: { call: (options) => front.readFormParts(form, options) },
  readJson: { call: (options) => front.readJson(json, undefined, options) },
  readText: { call: (options) => front.readText(json, options) },
  redisRateStore: { call: (options) => redisDoor.redisRateStore(redis, options) },
  redisSessionStore: { call: (options) => redisDoor.redisSessionStore(redis, options) },
  secureHeaders: { call: (options) => front.secureHeaders(Response.empty(), options) },
  serveDir: { call: (options) => front.serveDir(new Request(), '/nowhere', options) },
  startServer: { call: (options) => front.startServer(handler, options), right: { port: 0, workers: 0 } },
  toFetch: { call: (options) => fetchDoor.toFetch(handler, options) },
  toNodeListener: { call: (options) => nodeDoor.toNodeListener(handler, options) },
  websocket: { call: (options) => websocketDoor.websocket(new Request(), () => {}, options) },
};

/** What takes none: a value, a list of routes, or nothing beside the request. */
const WITHOUT_OPTIONS = [
  'RequestBody',
  'accepts',
  'acceptsEncodings',
  'acceptsLanguages',
  'answerStatus',
  'answerWithFetch',
  'answerWithNode',
  'assertOr400',
  'basicAuth',
  'bearerToken',
  'conditional',
  'cookies',
  'match',
  'readiness',
  'requestId',
  'router',
  'sendEarlyHints',
  'tryOr400',
  'tryOr404',
];

/** Options within others, and those of a class. */
const WITHIN: readonly [what: string, call: () => unknown][] = [
  ['the cookie of createSessions', () => front.createSessions({ secret, cookie: wrong() })],
  ['the cookie of withCookie', () => Response.empty().withCookie('a', 'b', wrong())],
  ['the threads of startServer', () => front.startServer(handler, { threads: { min: 1, max: 1, ...wrong() }, workers: 0, port: 0 })],
];

async function nothing(): Promise<undefined> {
  return undefined;
}

/** Options with a name that nobody knows. */
function wrong(): object {
  return { unheardOf: 1 };
}

async function errorOf(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('an option that is not known', () => {
  it.each(Object.entries(TAKERS))('is refused by name by %s', async (_, { call, right }) => {
    const error = await errorOf(() => call({ ...right, ...wrong() } as never));
    expect(error).toMatchObject({
      name: 'TypeError',
      code: 'bad-option',
      message: expect.stringMatching(/^Cannot .*: unknown option "unheardOf"$/) as string,
    });
  });

  it.each(WITHIN)('is refused by name in %s', async (_, call) => {
    expect(await errorOf(call)).toMatchObject({
      name: 'TypeError',
      code: 'bad-option',
      message: expect.stringMatching(/unknown option "unheardOf"$/) as string,
    });
  });
});

describe('what is not an object', () => {
  it.each(Object.entries(TAKERS))('is refused in place of options by %s', async (_, { call }) => {
    for (const value of [null, 5]) {
      const error = await errorOf(() => call(value as never));
      expect(error).toMatchObject({
        name: 'TypeError',
        code: 'bad-option',
        message: expect.stringMatching(/ is (?:null|number), not an object$/) as string,
      });
    }
  });
});

describe('an argument in place of options', () => {
  const status: front.ServerStatus = { generation: 1, restarts: 0, requests: 0, refused: {}, workers: [] };

  it('of answerStatus is refused when it is not a format, instead of being taken for the other one', () => {
    expect(() => front.answerStatus(new Request(), status, 'text' as 'json')).toThrow(
      expect.objectContaining({ code: 'bad-option', message: 'Cannot answer status: format is "text", not "json" or "prometheus"' }),
    );
  });

  it('of readiness is refused when it is a promise, which would always say ready', () => {
    expect(() => front.readiness(new Request(), Promise.resolve(false) as unknown as boolean)).toThrow(
      expect.objectContaining({ code: 'bad-option', message: 'Cannot answer readiness: isReady is object, not a boolean' }),
    );
  });
});

describe('the tables above', () => {
  it('hold every export of every door, so that none is forgotten', () => {
    const exported = new Set([front, ...Object.values(DOORS)].flatMap((door) => Object.keys(door)));
    expect([...Object.keys(TAKERS), ...WITHOUT_OPTIONS].toSorted()).toEqual([...exported].toSorted());
  });

  it('know every door of the package', () => {
    const doors = Object.keys(MANIFEST.exports).filter((path) => path !== '.' && path !== './package.json');
    expect(doors.toSorted()).toEqual(Object.keys(DOORS).map((name) => `./${name}`));
  });
});
