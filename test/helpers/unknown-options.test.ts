/**
 * A typo in the name of an option must not be a silent default: whatever takes options refuses those that it does not know. One that is
 * undefined is as if it were not there.
 */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import MANIFEST from '../../package.json' with { type: 'json' };
import * as blockingDoor from '../../src/blocking.ts';
import * as cgiDoor from '../../src/cgi.ts';
import * as fetchDoor from '../../src/fetch.ts';
import { KNOWN_OPTIONS } from '../../src/guests/socket-io/options.ts';
import * as front from '../../src/index.ts';
import * as nodeDoor from '../../src/node.ts';
import * as opentelemetryDoor from '../../src/opentelemetry.ts';
import { DURATION_BOUNDS } from '../../src/process/durations.ts';
import { NO_TOTALS } from '../../src/process/server-status.ts';
import * as proxyDoor from '../../src/proxy.ts';
import * as pubsubDoor from '../../src/pubsub.ts';
import * as redisDoor from '../../src/redis.ts';
import { resolveOptions } from '../../src/server/options.ts';
import * as socketIODoor from '../../src/socket.io.ts';
import * as testingDoor from '../../src/testing.ts';
import * as websocketDoor from '../../src/websocket.ts';
import { readSources } from '../house/sources.ts';

const { Request, Response } = front;
const DOORS = {
  blocking: blockingDoor,
  cgi: cgiDoor,
  fetch: fetchDoor,
  node: nodeDoor,
  opentelemetry: opentelemetryDoor,
  proxy: proxyDoor,
  pubsub: pubsubDoor,
  redis: redisDoor,
  'socket.io': socketIODoor,
  testing: testingDoor,
  websocket: websocketDoor,
};
const handler = (): front.Response => Response.empty();
const redis = { get: nothing, set: nothing, del: nothing, eval: nothing };
const observed = { activity: nothing, stackOf: nothing, status: nothing } as unknown as front.ObservedServer;
const secret = 'x'.repeat(32);
const form = new Request({ method: 'POST', body: new URLSearchParams({ a: '1' }) });
const json = new Request({ method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '1' });
/** A schema that lets everything in. */
const anything = { '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } } as const;

const SOURCES = readSources(fileURLToPath(new URL('../../src/', import.meta.url)));

/** The names of the options that may be left out. */
function optionsOf(name: string): string[] {
  const pattern = new RegExp(`^export interface ${name}\\b[^{]*\\{\\n([\\s\\S]*?)^\\}`, 'm');
  const members = SOURCES.map(({ code }) => pattern.exec(code)?.[1]).find((found) => found !== undefined) ?? '';
  return [...members.matchAll(/^ {2}(?:readonly )?(\w+)\?:/gm)].map(([, option]) => option ?? '');
}

/** What takes options: `names` are those that may be left out, `right` those without which the call would fail anyway. */
const TAKERS: Readonly<
  Record<string, { readonly names: readonly string[]; readonly call: (options: never) => unknown; readonly right?: object }>
> = {
  cgi: { names: optionsOf('CgiOptions'), call: (options) => cgiDoor.cgi(new Request(), 'true', options) },
  compress: { names: optionsOf('CompressOptions'), call: (options) => front.compress(new Request(), Response.empty(), options) },
  createBlocking: {
    names: optionsOf('BlockingOptions'),
    call: (options) => blockingDoor.createBlocking('data:text/javascript,export{}', options),
  },
  createSocketIO: { names: [...KNOWN_OPTIONS], call: (options) => socketIODoor.createSocketIO(options) },
  createFetch: { names: optionsOf('FetchOptions'), call: (options) => blockingDoor.createFetch(options) },
  createChannel: { names: optionsOf('ChannelOptions'), call: (options) => pubsubDoor.createChannel('news', options) },
  createCors: { names: optionsOf('CorsPolicy'), call: (options) => front.createCors(options), right: { origins: [] } },
  createMemorySessionStore: { names: ['maxSessions'], call: (options) => front.createMemorySessionStore(options) },
  HttpError: { names: optionsOf('HttpErrorOptions'), call: (options) => new front.HttpError(404, 'Not here', options) },
  Request: { names: optionsOf('RequestInit'), call: (options) => new front.Request(options) },
  Response: { names: optionsOf('ResponseInit'), call: (options) => new front.Response('text', options) },
  createRateLimiter: {
    names: optionsOf('RateLimiterOptions'),
    call: (options) => front.createRateLimiter(options),
    right: { limit: 1, window: 1 },
  },
  createSessions: { names: [...optionsOf('SessionOptions'), 'store'], call: (options) => front.createSessions(options), right: { secret } },
  logAccess: {
    names: optionsOf('LogAccessOptions'),
    call: (options) => front.logAccess(new Request(), Response.empty(), options),
    right: { output: { write: () => true } },
  },
  recordRequest: {
    names: optionsOf('RecordOptions'),
    call: (options) => front.recordRequest(new Request(), options),
    right: { folder: '/dev/null/none' },
  },
  requestFromFile: {
    names: optionsOf('RequestFileOptions'),
    call: (options) => testingDoor.requestFromFile('test/helpers/record-request/note.http', options),
  },
  createVisitor: {
    names: optionsOf('VisitorOptions'),
    call: (options) => testingDoor.createVisitor(handler, options),
    right: {},
  },
  proxy: {
    names: optionsOf('ProxyOptions'),
    call: (options) => proxyDoor.proxy(new Request({ method: 'CONNECT' }), 'http://localhost:1', options),
  },
  readForm: { names: optionsOf('FormLimits'), call: (options) => front.readForm(form, {}, options) },
  readFormAsync: { names: optionsOf('FormLimits'), call: (options) => front.readFormAsync(form, anything, options) },
  readFormParts: { names: optionsOf('FormLimits'), call: (options) => front.readFormParts(form, options) },
  readJson: { names: ['limit'], call: (options) => front.readJson(json, undefined, options) },
  readJsonAsync: { names: ['limit'], call: (options) => front.readJsonAsync(json, anything, options) },
  readText: { names: ['limit'], call: (options) => front.readText(json, options) },
  redisRateStore: {
    names: [...optionsOf('RedisStoreOptions'), ...optionsOf('RedisRateStoreOptions')],
    call: (options) => redisDoor.redisRateStore(redis, options),
  },
  redisSessionStore: { names: optionsOf('RedisStoreOptions'), call: (options) => redisDoor.redisSessionStore(redis, options) },
  secureHeaders: {
    names: optionsOf('SecureHeadersOptions'),
    call: (options) => front.secureHeaders(new Request(), Response.empty(), options),
  },
  serveDir: { names: optionsOf('ServeDirOptions'), call: (options) => front.serveDir(new Request(), '/nowhere', options) },
  signedCookies: { names: ['secret'], call: (options) => front.signedCookies(new Request(), options), right: { secret } },
  withSignedCookie: {
    names: [...optionsOf('CookieOptions'), 'secret'],
    call: (options) => front.withSignedCookie(new Request(), Response.empty(), 'a', 'b', options),
    right: { secret },
  },
  startServer: {
    names: optionsOf('ServerOptions'),
    call: (options) => front.startServer(handler, options),
    right: { port: 0, workers: 0 },
  },
  toFetch: { names: optionsOf('GuestOptions'), call: (options) => fetchDoor.toFetch(handler, options) },
  toNodeListener: { names: optionsOf('GuestOptions'), call: (options) => nodeDoor.toNodeListener(handler, options) },
  traceRequests: { names: optionsOf('TraceOptions'), call: (options) => opentelemetryDoor.traceRequests(options) },
  websocket: { names: optionsOf('WebSocketOptions'), call: (options) => websocketDoor.websocket(new Request(), () => {}, options) },
};

/** What takes none: a value, a list of routes, or nothing beside the request. */
const WITHOUT_OPTIONS = [
  'html',
  'isCrossSite',
  'RequestBody',
  'toWebRequest',
  'accepts',
  'acceptsEncodings',
  'acceptsLanguages',
  'answerStatus',
  'answerWithFetch',
  'affinityKeyHere',
  'answerWithNode',
  'upgradeWithNode',
  'assertOr400',
  'basicAuth',
  'bearerToken',
  'blocking',
  'conditional',
  'cookies',
  'finish',
  'listRoutes',
  'logContext',
  'match',
  'readHeaders',
  'readParams',
  'readQuery',
  'readiness',
  'onSent',
  'requestId',
  'router',
  'sendEarlyHints',
  'serveStatus', // above: what it takes has no default
  'tryOr400',
  'tryOr404',
];

/** Options within others, and those of a class. */
const WITHIN: readonly [what: string, call: () => unknown][] = [
  ['serveStatus', () => front.serveStatus(new Request(), observed, { allow: true, ...wrong() })],
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

/** What comes of a call, as far as options can change it. */
async function outcomeOf(call: () => unknown): Promise<unknown> {
  try {
    const result = await call();
    if (result instanceof front.Response) return [result.status, result.headers, result.text()];
    if (result instanceof front.Request) return [result.method, result.target, result.headers, result.body.text(), result.secure];
    if (result instanceof front.HttpError) return [result.code, result.cause, 'cause' in result, result.response.headers];
    const { close } = Object(result) as { close?: unknown };
    if (typeof close === 'function') await (close as () => unknown).call(result);
    return typeof result === 'object' && result !== null ? Object.keys(result) : typeof result;
  } catch (error) {
    return error;
  }
}

describe('an option that is undefined', () => {
  const allOf = (names: readonly string[]): object => Object.fromEntries(names.map((name) => [name, undefined]));

  it.each(Object.entries(TAKERS))('is the default of %s, as if it were not there', async (_, { call, right, names }) => {
    expect(names.length).toBeGreaterThan(0);
    const without = await outcomeOf(() => call({ ...right } as never));
    expect(await outcomeOf(() => call({ ...allOf(names), ...right } as never))).toEqual(without);
    expect(without).not.toMatchObject({ code: 'bad-option' });
  });

  it('is the default of each number and list of startServer', () => {
    const { workers: _cores, maxDiskForBodies: _free, explainsTo: _function, ...defaults } = resolveOptions(); // what the machine has now
    expect(resolveOptions(allOf(optionsOf('ServerOptions')))).toMatchObject(defaults);
  });

  it('is the default of an attribute of a cookie', () => {
    const attributes = allOf(optionsOf('CookieOptions'));
    expect(Response.empty().withCookie('a', 'b', attributes).headers).toEqual(Response.empty().withCookie('a', 'b').headers);
    expect(Response.empty().withoutCookie('a', attributes).headers).toEqual(Response.empty().withoutCookie('a').headers);
    expect(() => front.createSessions({ secret, cookie: attributes })).not.toThrow();
  });

  it('is the default of close', async () => {
    const server = await front.startServer(handler, { port: 0, workers: 0, signals: false });
    await server.close({ timeout: undefined });
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
  const status: front.ServerStatus = { ...NO_TOTALS, generation: 1, restarts: 0, bounds: DURATION_BOUNDS, workers: [] };

  it('of answerStatus is refused when it is not a format, instead of being taken for the other one', () => {
    expect(() => front.answerStatus(new Request(), status, 'text' as 'json')).toThrow(
      expect.objectContaining({
        code: 'bad-option',
        message: 'Cannot answer status: format is "text", not "json", "prometheus" or "openmetrics"',
      }),
    );
  });

  it('of readiness is refused when it is a promise, which would always say ready', () => {
    expect(() => front.readiness(new Request(), Promise.resolve(false) as unknown as boolean)).toThrow(
      expect.objectContaining({
        code: 'bad-option',
        message: 'Cannot answer readiness: isReady is a promise, not a boolean: await it first',
      }),
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
