import { describe, expect, it } from 'vitest';
import { Request, Response } from '../../../src/index.ts';
import { type WebSocketOptions, websocket } from '../../../src/websocket.ts';

/** The handshake of RFC 6455 §1.2. */
const HANDSHAKE = {
  Host: 'server.example.com',
  Upgrade: 'websocket',
  Connection: 'Upgrade',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version': '13',
};

/** Answers a handshake in which some fields are others. */
function answer(
  fields: Readonly<Record<string, string | readonly string[]>> = {},
  options: WebSocketOptions = {},
  init: { method?: string; secure?: boolean } = {},
): Response {
  const headers = Object.fromEntries(Object.entries({ ...HANDSHAKE, ...fields }).filter(([, value]) => value !== ''));
  return websocket(new Request({ target: '/chat', headers, ...init }), () => {}, options);
}

describe('the opening handshake', () => {
  it('is answered 101 with the digest of the key (RFC 6455 §1.3)', () => {
    const response = answer();
    expect(response.status).toBe(101);
    expect(response.header('upgrade')).toBe('websocket');
    expect(response.header('sec-websocket-accept')).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
    expect(response.header('sec-websocket-protocol')).toBeUndefined();
    expect(response.header('sec-websocket-extensions')).toBeUndefined();
  });

  it('may write Upgrade and Connection in any case, and among others (RFC 6455 §4.2.1)', () => {
    expect(answer({ Upgrade: 'WebSocket', Connection: 'keep-alive, UPGRADE' }).status).toBe(101);
    expect(answer({ Connection: ['keep-alive', 'upgrade'] }).status).toBe(101);
  });

  it.each([
    ['no Upgrade', { Upgrade: '' }],
    ['another Upgrade', { Upgrade: 'h2c' }],
    ['an Upgrade that only begins so', { Upgrade: 'websockets' }],
    ['no Connection', { Connection: '' }],
    ['another Connection', { Connection: 'keep-alive' }],
  ])('is refused with 426 and what is spoken for %s (RFC 9110 §15.5.22)', (_what, fields) => {
    const response = answer(fields);
    expect([response.status, response.header('upgrade'), response.header('sec-websocket-version')]).toEqual([426, 'websocket', '13']);
  });

  it.each(['12', '8', '0', '13.0', '+13', '013', '13, 8'])(
    'is refused with 426 and the version that is spoken for version %s (RFC 6455 §4.4)',
    (version) => {
      const response = answer({ 'Sec-WebSocket-Version': version });
      expect([response.status, response.header('sec-websocket-version')]).toEqual([426, '13']);
    },
  );

  it('is refused with 400 without a version, or with two lines of it (RFC 6455 §11.3.5)', () => {
    expect(answer({ 'Sec-WebSocket-Version': '' }).status).toBe(400);
    expect(answer({ 'Sec-WebSocket-Version': ['13', '13'] }).status).toBe(400);
  });

  it.each([
    '',
    'dGhlIHNhbXBsZSBub25jZQ',
    'dGhlIHNhbXBsZSBub25jZQ=',
    'dGhlIHNhbXBsZSBub25jZ===',
    'AAAA',
    'dGhlIHNhbXBsZSBub25jZQ== x',
    'dGhlIHNhbX-sZSBub25jZQ==',
  ])('is refused with 400 for the key "%s" (RFC 6455 §4.2.1, 5)', (key) => {
    const response = answer({ 'Sec-WebSocket-Key': key });
    expect([response.status, response.header('sec-websocket-version')]).toEqual([400, '13']);
  });

  it('is refused with 400 for two keys (RFC 6455 §11.3.1)', () => {
    const key = HANDSHAKE['Sec-WebSocket-Key'];
    expect(answer({ 'Sec-WebSocket-Key': [key, key] }).status).toBe(400);
  });

  it.each(['POST', 'OPTIONS', 'PUT', 'get'])('is refused with 405 for %s (RFC 6455 §4.1, 2)', (method) => {
    const response = answer({}, {}, { method });
    expect([response.status, response.header('allow')]).toEqual([405, 'GET']);
  });

  it('is refused with 426 for HEAD, which asks for no more than the head', () => {
    expect(answer({}, {}, { method: 'HEAD' }).status).toBe(426);
  });

  it('tells a client that prefers JSON the code', () => {
    const body = JSON.parse(answer({ Upgrade: '', Accept: 'application/json' }).text() ?? '') as unknown;
    expect(body).toEqual({ status: 426, code: 'bad-handshake', message: 'This resource speaks websocket' });
  });
});

describe('the origin of a page', () => {
  it.each([
    ['http://server.example.com', 'server.example.com', false],
    ['http://server.example.com', 'Server.Example.com:80', false],
    ['https://server.example.com', 'server.example.com', true],
    ['https://server.example.com', 'server.example.com:443', true],
    ['http://server.example.com:8000', 'server.example.com:8000', false],
    ['http://[::1]:8000', '[0:0::1]:8000', false],
  ])('%s may connect to %s, which is the same', (origin, host, secure) => {
    expect(answer({ Origin: origin, Host: host }, {}, { secure }).status).toBe(101);
  });

  it.each([
    ['http://evil.example', 'server.example.com', false],
    ['http://server.example.com.evil.example', 'server.example.com', false],
    ['http://evil.example/server.example.com', 'server.example.com', false],
    ['http://server.example.com:8000', 'server.example.com', false],
    ['http://server.example.com', 'server.example.com:8000', false],
    ['http://server.example.com', 'server.example.com', true],
    ['https://server.example.com', 'server.example.com', false],
    ['null', 'server.example.com', false],
    ['', 'server.example.com', false],
  ])('"%s" may not connect to %s: 403 (RFC 6455 §4.2.2, 4, §10.2)', (origin, host, secure) => {
    const headers = [...Object.entries({ ...HANDSHAKE, Host: host }), ['Origin', origin] as const];
    const response = websocket(new Request({ headers, secure }), () => {});
    expect(response.status).toBe(403);
    expect(response.header('sec-websocket-accept')).toBeUndefined();
  });

  it('is refused when there are two, or when the request has no Host to compare with', () => {
    expect(answer({ Origin: ['http://server.example.com', 'http://server.example.com'] }).status).toBe(403);
    expect(answer({ Origin: 'http://server.example.com', Host: '' }).status).toBe(403);
    expect(answer({ Origin: 'http://', Host: '' }).status).toBe(403);
  });

  it('is not asked of a client that is no browser', () => {
    expect(answer().status).toBe(101);
    expect(answer({}, { origins: ['https://app.example'] }).status).toBe(101);
  });

  it('may be one of a list, which is then all there is', () => {
    const origins = ['https://app.example', 'null'];
    expect(answer({ Origin: 'https://app.example' }, { origins }).status).toBe(101);
    expect(answer({ Origin: 'null' }, { origins }).status).toBe(101);
    expect(answer({ Origin: 'http://server.example.com' }, { origins }).status).toBe(403);
    expect(answer({ Origin: 'https://app.example.evil' }, { origins }).status).toBe(403);
  });

  it('may be any when the server says so', () => {
    expect(answer({ Origin: 'https://anywhere.example' }, { origins: '*' }).status).toBe(101);
  });
});

describe('the subprotocol', () => {
  it('is the first of ours that the client offers', () => {
    const response = answer({ 'Sec-WebSocket-Protocol': ['a, b', 'c'] }, { protocols: ['x', 'c', 'a'] });
    expect([response.status, response.header('sec-websocket-protocol')]).toEqual([101, 'c']);
  });

  it('is none when the client offers none, or when none is spoken here', () => {
    expect(answer({}, { protocols: ['a'] }).header('sec-websocket-protocol')).toBeUndefined();
    const response = answer({ 'Sec-WebSocket-Protocol': 'a' });
    expect([response.status, response.header('sec-websocket-protocol')]).toEqual([101, undefined]);
  });

  it('is compared with its case', () => {
    expect(answer({ 'Sec-WebSocket-Protocol': 'Chat' }, { protocols: ['chat'] }).status).toBe(400);
  });

  it('is refused with 400 when both name some and have none in common', () => {
    const response = answer({ 'Sec-WebSocket-Protocol': 'a, b' }, { protocols: ['c'] });
    expect([response.status, response.text()]).toEqual([400, 'Only these subprotocols are spoken here: c']);
  });

  it.each(['a,,b', 'a b', 'a, a', ',', 'a;q=1', '"a"'])('is refused with 400 for the offer %s (RFC 6455 §4.1, 10)', (offer) => {
    expect(answer({ 'Sec-WebSocket-Protocol': offer }, { protocols: ['a'] }).status).toBe(400);
  });
});

describe('an option of websocket', () => {
  it.each([
    ['maxMessageSize', 0],
    ['maxMessageSize', 1.5],
    ['maxMessageSize', Number.POSITIVE_INFINITY],
    ['maxQueued', -1],
    ['pingInterval', Number.NaN],
    ['pingInterval', 2 ** 31],
  ])('%s: %d is refused', (name, value) => {
    expect(() => answer({}, { [name]: value })).toThrow(expect.objectContaining({ name: 'RangeError', code: 'bad-option' }));
  });

  it.each([
    { protocols: ['a b'] },
    { protocols: [''] },
    { protocols: 'chat' },
    { origins: ['https://app.example/'] },
    { origins: ['https://App.example'] },
    { origins: ['app.example'] },
    { origins: 'https://app.example' },
    { origins: [1] },
  ])('%j is refused', (options) => {
    expect(() => answer({}, options as WebSocketOptions)).toThrow(expect.objectContaining({ name: 'TypeError', code: 'bad-option' }));
  });
});

it('is a plain value: a test of it opens no socket', () => {
  expect(answer()).toBeInstanceOf(Response);
});
