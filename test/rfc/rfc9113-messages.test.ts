/** RFC 9113 §8: requests and responses. */
import { describe, expect, it } from 'vitest';
import { Response } from '../../src/index.ts';
import { connectHttp2 } from '../support/http2-client.ts';
import { data, END_STREAM, type Fields, headers, request } from '../support/http2-frames.ts';
import { breaksNothing, breaksStream, goesOn, speak } from '../support/http2-verdicts.ts';
import { type Seen, serve } from '../support/serve.ts';

const HEAD = request();
const without = (name: string): Fields => HEAD.filter(([other]) => other !== name);
const POST = headers(1, request('POST'), 0);

/** What the handler was shown of a request, and what it answered. */
async function shown(fields: Fields, body?: string): Promise<Seen> {
  const seen: Seen[] = [];
  const { port } = await serve(
    (incoming) => {
      seen.push({ method: incoming.method, target: incoming.target, request: incoming, body: incoming.body.text() });
      return Response.empty(204);
    },
    { h2c: true },
  );
  const client = await connectHttp2(port);
  client.send(headers(1, fields, body === undefined ? END_STREAM : 0), ...(body === undefined ? [] : [data(1, body, END_STREAM)]));
  expect(await client.answer(1)).toMatchObject({ status: 204 });
  return seen[0] as Seen;
}

describe('a request (§8.1)', () => {
  it.each(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])('%s is answered', async (method) => {
    const client = await breaksNothing(headers(1, request(method)));
    expect(await client.answer(1)).toMatchObject({ status: 200, body: method === 'HEAD' ? '' : `${method} / ` });
  });

  it('with a body is answered', async () => {
    const client = await breaksNothing(POST, data(1, 'test', END_STREAM));
    expect(await client.answer(1)).toMatchObject({ body: 'POST / test' });
  });

  it('with trailers is answered', async () => {
    const client = await breaksNothing(
      headers(1, request('POST', '/', ['trailer', 'x-test']), 0),
      data(1, 'test'),
      headers(1, [['x-test', 'ok']]),
    );
    expect(await client.answer(1)).toMatchObject({ body: 'POST / test' });
  });

  it('with trailers and no body is answered', async () => {
    const client = await breaksNothing(POST, headers(1, [['x-test', 'ok']]));
    expect(await client.answer(1)).toMatchObject({ body: 'POST / ' });
  });

  it('is reset when a second HEADERS does not end it', async () => {
    await breaksStream('PROTOCOL_ERROR', 1, POST, data(1, 'x'), headers(1, [['x-test', 'ok']], 0));
  });

  it('does not reach the handler when it is malformed', async () => {
    let calls = 0;
    const { port } = await serve(
      () => {
        calls++;
        return Response.text('');
      },
      { h2c: true },
    );
    const client = await connectHttp2(port);
    client.send(headers(1, [...HEAD, ['connection', 'close']]), headers(3, request('GET', '')));
    await client.resetOf(3);
    expect(calls).toBe(0);
  });

  it('HEAD says how long the body would be', async () => {
    const client = await speak();
    client.send(headers(1, request('HEAD', '/large')));
    expect(await client.answer(1)).toMatchObject({ status: 200, headers: { 'content-length': '100000' }, body: '' });
    expect(client.frames.some(({ type }) => type === 'DATA')).toBe(false);
  });
});

describe('a response (§8.1)', () => {
  it('that comes before the request has ended asks for no more of it, with RST_STREAM NO_ERROR behind the response', async () => {
    const { port } = await serve(() => Response.text('enough'), { h2c: true, streamBody: () => true });
    const client = await connectHttp2(port);
    client.send(POST, data(1, 'some'));
    expect(await client.resetOf(1)).toBe('NO_ERROR');
    expect(client.received(1)).toMatchObject({ status: 200, body: 'enough' });
    const own = client.frames.filter(({ id }) => id === 1);
    expect(own.at(-2)).toMatchObject({ type: 'DATA', flags: END_STREAM });
    client.send(data(1, 'late', END_STREAM));
    expect(await client.ask(3)).toMatchObject({ status: 200 });
  });

  it('and not at once: clients have been seen that lose a response behind which a reset comes', async () => {
    const { port } = await serve(() => Response.text('enough'), { h2c: true, streamBody: () => true, threads: 0 });
    const client = await connectHttp2(port);
    client.send(POST, data(1, 'some'));
    await client.ping();
    expect(client.received(1)).toMatchObject({ status: 200, body: 'enough', code: undefined });
    expect(await client.resetOf(1)).toBe('NO_ERROR');
  });

  it('has no field of connections, whatever the handler says (§8.2.2)', async () => {
    const names = ['Transfer-Encoding', 'Connection', 'Keep-Alive', 'Upgrade', 'Proxy-Connection', 'X-Own'];
    const { port } = await serve(() => names.reduce((response, name) => response.withHeader(name, 'a'), Response.text('x')), { h2c: true });
    const client = await connectHttp2(port);
    const { headers: fields, status } = await client.ask(1);
    expect(status).toBe(200);
    expect(fields).toMatchObject({ 'x-own': 'a', 'content-length': '1' });
    for (const name of names.slice(0, -1)) expect(fields).not.toHaveProperty(name.toLowerCase());
  });

  it('has names in lower case, and :status in front (§8.2, §8.3.2)', async () => {
    const { port } = await serve(() => Response.text('x').withHeader('X-MiXed', 'Aa'), { h2c: true });
    const client = await connectHttp2(port);
    await client.ask(1);
    const fields = client.frames.find(({ type }) => type === 'HEADERS')?.fields ?? [];
    expect(fields[0]).toEqual([':status', '200']);
    expect(fields).toContainEqual(['x-mixed', 'Aa']);
    expect(fields.filter(([name]) => name !== name.toLowerCase() || name.startsWith(':'))).toHaveLength(1);
  });

  it('of 204 and 304 ends with its head', async () => {
    const { port } = await serve(({ path }) => Response.empty(path === '/204' ? 204 : 304), { h2c: true });
    const client = await connectHttp2(port);
    expect(await client.ask(1, '/204')).toMatchObject({ status: 204, body: '' });
    expect(await client.ask(3, '/304')).toMatchObject({ status: 304, body: '' });
    expect(client.frames.some(({ type }) => type === 'DATA')).toBe(false);
  });

  it('may have 100 (Continue) in front, when the client asks for it', async () => {
    const client = await speak();
    client.send(headers(1, request('POST', '/', ['expect', '100-continue']), 0));
    await client.frame(({ fields }) => fields?.[0]?.[1] === '100', 'the interim response');
    client.send(data(1, 'now', END_STREAM));
    expect(await client.answer(1)).toMatchObject({ interim: [100], status: 200, body: 'POST / now' });
  });
});

describe('fields (§8.2)', () => {
  it.each<[string, Fields]>([
    ['a name in capitals', [['X-TEST', 'ok']]],
    ['a name with one capital', [['x-tesT', 'ok']]],
    ['a name that is empty', [['', 'ok']]],
    ['a name with a space', [['x test', 'ok']]],
    ['a name with a control character', [['x\x01', 'ok']]],
    ['a name with DEL', [['x\x7f', 'ok']]],
    ['a name beyond ASCII', [['x\xe9', 'ok']]],
    ['a name with a colon inside', [['x:y', 'ok']]],
    ['NUL in a value', [['x-test', 'a\0b']]],
    ['a line feed in a value', [['x-test', 'a\nb']]],
    ['a carriage return in a value', [['x-test', 'a\rb']]],
    ['a space in front of a value', [['x-test', ' a']]],
    ['a tab behind a value', [['x-test', 'a\t']]],
    ['connection (§8.2.2)', [['connection', 'keep-alive']]],
    ['proxy-connection', [['proxy-connection', 'keep-alive']]],
    ['keep-alive', [['keep-alive', 'timeout=5']]],
    ['transfer-encoding', [['transfer-encoding', 'chunked']]],
    ['upgrade', [['upgrade', 'h2c']]],
    ['te other than trailers', [['te', 'trailers, deflate;q=0.5']]],
  ])('make a request malformed: %s', async (_, fields) => {
    await breaksStream('PROTOCOL_ERROR', 1, headers(1, [...HEAD, ...fields]));
  });

  it.each<[string, Fields]>([
    ['a name in capitals', [['X-Sum', '1']]],
    ['a pseudo-header field (§8.1)', [[':method', 'GET']]],
    ['a field of connections', [['connection', 'close']]],
    ['NUL in a value', [['x-sum', '\0']]],
  ])('make trailers malformed: %s', async (_, fields) => {
    await breaksStream('PROTOCOL_ERROR', 1, POST, data(1, 'x'), headers(1, fields));
  });

  it('te may be trailers', async () => {
    const client = await breaksNothing(headers(1, [...HEAD, ['te', 'trailers']]));
    expect(await client.answer(1)).toMatchObject({ status: 200 });
  });

  it('of a cookie in pieces are one again (§8.2.3)', async () => {
    const { request: seen } = await shown([...HEAD, ['cookie', 'a=b'], ['cookie', 'c=d'], ['cookie', 'e=f']]);
    expect(seen.headerAll('cookie')).toEqual(['a=b; c=d; e=f']);
  });

  it('that are equal are kept apart, in their order', async () => {
    const { request: seen } = await shown([...HEAD, ['x-a', '1'], ['x-b', '2'], ['x-a', '3']]);
    expect(seen.headerAll('x-a')).toEqual(['1', '3']);
  });
});

describe('pseudo-header fields (§8.3)', () => {
  it.each<[string, Fields]>([
    ['one that is unknown', [[':test', 'ok'], ...HEAD]],
    ['one of responses', [[':status', '200'], ...HEAD]],
    ['one behind another field', [['x-test', 'ok'], ...HEAD]],
    ['one behind all others, the last of them', [...without(':authority'), ['x-test', 'ok'], [':authority', 'localhost']]],
    ['no :method', without(':method')],
    ['no :scheme', without(':scheme')],
    ['no :path', without(':path')],
    ['an empty :path', request('GET', '')],
    ['a :path that does not begin with a slash', request('GET', 'x')],
    ['* as the :path of GET', request('GET', '*')],
    [':method twice', [[':method', 'GET'], ...HEAD]],
    [':scheme twice', [[':scheme', 'http'], ...HEAD]],
    [':path twice', [[':path', '/'], ...HEAD]],
    [':authority twice', [[':authority', 'localhost'], ...HEAD]],
    ['a :method that is no token', request('GE T')],
    ['none at all', [['x-test', 'ok']]],
    ['a line feed in :path', request('GET', '/\nx')],
    ['CONNECT with :path and :scheme (§8.5)', request('CONNECT')],
    ['CONNECT without :authority', [[':method', 'CONNECT']]],
  ])('make a request malformed: %s', async (_, fields) => {
    await breaksStream('PROTOCOL_ERROR', 1, headers(1, fields));
  });

  it.each<[string, Fields, number]>([
    ['user information in :authority', [...without(':authority'), [':authority', 'me@localhost']], 400],
    ['a Host that is not :authority (§8.3.1)', [...HEAD, ['host', 'elsewhere']], 400],
    ['no authority and no Host', without(':authority'), 400],
    ['an empty :authority (RFC 9110 §4.2.1)', [...without(':authority'), [':authority', '']], 400],
    [
      'CONNECT, well-formed (§8.5)',
      [
        [':method', 'CONNECT'],
        [':authority', 'a:1'],
      ],
      501,
    ],
    ['TRACE', request('TRACE'), 405],
  ])('are refused with an answer: %s', async (_, fields, status) => {
    const client = await speak();
    client.send(headers(1, fields));
    expect((await client.answer(1)).status).toBe(status);
    await goesOn(client);
  });

  it('are the method, the target and the host that the handler sees', async () => {
    const { request: seen } = await shown(request('GET', '/a/b?c=d%20e', ['accept', '*/*']));
    expect(seen).toMatchObject({ method: 'GET', target: '/a/b?c=d%20e', path: '/a/b', host: 'localhost', httpVersion: '2.0' });
    expect(seen.header(':path')).toBeUndefined();
    expect(seen.header('host')).toBe('localhost');
  });

  it('may do without :authority when there is Host', async () => {
    const { request: seen } = await shown([...without(':authority'), ['host', 'by-host']]);
    expect(seen.host).toBe('by-host');
  });

  it('may come in any order', async () => {
    const { request: seen } = await shown(HEAD.toReversed());
    expect(seen).toMatchObject({ method: 'GET', target: '/' });
  });

  it('of OPTIONS may have * for its :path', async () => {
    const client = await speak();
    client.send(headers(1, request('OPTIONS', '*')));
    expect((await client.answer(1)).status).toBeLessThan(300);
  });
});

describe('a Content-Length (§8.1.1)', () => {
  const announced = (length: string): Fields => request('POST', '/', ['content-length', length]);

  it('that is that of the body, in several frames, is taken', async () => {
    const client = await breaksNothing(headers(1, announced('6'), 0), data(1, 'abc'), data(1, 'def', END_STREAM));
    expect(await client.answer(1)).toMatchObject({ body: 'POST / abcdef' });
  });

  it.each<[string, string, Uint8Array[]]>([
    ['1 for four bytes', '1', [data(1, 'test', END_STREAM)]],
    ['1 for four bytes in two frames', '1', [data(1, 'te'), data(1, 'st', END_STREAM)]],
    ['8 for four bytes', '8', [data(1, 'test', END_STREAM)]],
    ['8 for four bytes and trailers', '8', [data(1, 'test'), headers(1, [['x-sum', '1']])]],
    ['0 for one byte', '0', [data(1, 'x', END_STREAM)]],
    ['4 for nothing', '4', [data(1, '', END_STREAM)]],
    ['no number', 'four', [data(1, 'test', END_STREAM)]],
    ['a negative number', '-4', [data(1, 'test', END_STREAM)]],
    ['a list', '4, 4', [data(1, 'test', END_STREAM)]],
  ])('that is another than that of the body makes a request malformed: %s', async (_, length, frames) => {
    await breaksStream('PROTOCOL_ERROR', 1, headers(1, announced(length), 0), ...frames);
  });

  it('makes a request malformed that ends with its head, unless it is 0', async () => {
    await breaksStream('PROTOCOL_ERROR', 1, headers(1, announced('1')));
    await breaksNothing(headers(1, announced('0')));
  });

  it('makes a request malformed when it is given twice', async () => {
    await breaksStream('PROTOCOL_ERROR', 1, headers(1, [...announced('4'), ['content-length', '4']], 0));
  });
});
