/** RFC 9113 §3.3, §3.4: how a connection begins. */
import type { TLSSocket } from 'node:tls';
import { afterAll, describe, expect, it } from 'vitest';
import { Authority } from '../support/certificates.ts';
import { connectHttp2 } from '../support/http2-client.ts';
import { ACK, frame, HELLO, headers, PREFACE, request, settings } from '../support/http2-frames.ts';
import { echo, goesOn, isBroken, speak } from '../support/http2-verdicts.ts';
import { serve, talk } from '../support/serve.ts';

describe('the preface of the server (§3.4)', () => {
  it('is a SETTINGS frame that acknowledges nothing, and the first that comes', async () => {
    const client = await speak();
    await client.ask(1);
    expect(client.frames[0]).toMatchObject({ type: 'SETTINGS', flags: 0, id: 0 });
    expect(client.frames.filter(({ type, flags }) => type === 'SETTINGS' && flags === ACK)).toHaveLength(1);
  });

  it('need not wait for the settings of the client', async () => {
    const client = await speak({}, PREFACE);
    await client.frame(({ type }) => type === 'SETTINGS', 'our settings');
    client.send(settings(), headers(1));
    expect(await client.answer(1)).toMatchObject({ status: 200 });
  });
});

describe('the preface of the client (§3.4)', () => {
  it('may come byte by byte', async () => {
    const client = await speak({}, PREFACE.subarray(0, 1));
    for (const byte of Buffer.concat([HELLO, headers(1)]).subarray(1)) client.send(Buffer.from([byte]));
    expect(await client.answer(1)).toMatchObject({ status: 200, body: 'GET / ' });
  });

  it('may have requests right behind it', async () => {
    const client = await speak({}, Buffer.concat([HELLO, headers(1), headers(3, request('GET', '/b'))]));
    expect(await client.answer(1)).toMatchObject({ body: 'GET / ' });
    expect(await client.answer(3)).toMatchObject({ body: 'GET /b ' });
  });

  it('ends the connection when another frame than SETTINGS follows it', async () => {
    const client = await speak({}, Buffer.concat([PREFACE, headers(1)]));
    await isBroken(client, 'PROTOCOL_ERROR', 0);
  });

  it('ends the connection when an acknowledgement of settings follows it', async () => {
    const client = await speak({}, Buffer.concat([PREFACE, frame('SETTINGS', ACK, 0)]));
    await isBroken(client, 'PROTOCOL_ERROR', 0);
  });

  it('may have settings behind it that nobody knows', async () => {
    const client = await speak({}, Buffer.concat([PREFACE, settings([0x1234, 1], [0xfff0, 0xff_ff_ff_ff])]));
    await goesOn(client);
  });
});

describe('bytes that are no preface', () => {
  it('are an error of HTTP/2 where a line of them names no version of HTTP', async () => {
    const client = await speak({}, Buffer.from('INVALID CONNECTION PREFACE\r\n\r\n'));
    expect(await client.ending()).toMatchObject({ code: 'PROTOCOL_ERROR', isReset: false });
  });

  it.each([
    'GET /\r\n\r\n',
    'GET /a b HTTP/1.1\r\n\r\n',
    'GET / http/1.1\r\n\r\n',
    '\r\nGET / HTTP/1.x\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n',
    'PRI * HTTP/1.1\r\n\r\n',
    '\x00\x00\x00\x04\x00\x00\x00\x00\x00\r\n\r\n',
  ])('end the connection: %j', async (bytes) => {
    const { port } = await serve(echo, { h2c: true });
    const client = await talk(port);
    client.send(bytes);
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 [45]/); // what is no HTTP/2 is taken for HTTP/1.1, and refused as such
  });

  it('are HTTP/1.1 when they are that', async () => {
    const { port } = await serve(echo, { h2c: true });
    const client = await talk(port);
    client.send('GET /old HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await client.answers(1)).toMatchObject([{ status: 200, body: 'GET /old ' }]);
  });

  it('which the preface of HTTP/2 is to a server without h2c', async () => {
    const { port } = await serve(echo);
    const client = await talk(port);
    client.send(HELLO);
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 505 /);
  });
});

describe('over TLS (§3.2)', () => {
  const authority = new Authority();
  afterAll(() => authority.remove());

  it('begins with the preface all the same, behind ALPN, and breaks off as in the clear', async () => {
    const { port } = await serve(echo, { tls: authority.issue('preface') });
    const client = await connectHttp2(port, { tls: true });
    expect((client.socket as TLSSocket).alpnProtocol).toBe('h2');
    const secure = request().map(([name, value]) => [name, name === ':scheme' ? 'https' : value] as const);
    client.send(headers(1, secure));
    expect(await client.answer(1)).toMatchObject({ status: 200, body: 'GET / ' });
    client.send(frame('PING', 0, 0, '1'));
    expect(await client.ending()).toEqual({ code: 'FRAME_SIZE_ERROR', lastId: 1, isReset: false });
  });

  it('ends when HTTP/1.1 is spoken where HTTP/2 was chosen', async () => {
    const { port } = await serve(echo, { tls: authority.issue('other') });
    const client = await connectHttp2(port, { tls: true, hello: Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n') });
    expect(await client.ending()).toMatchObject({ code: 'PROTOCOL_ERROR', lastId: 0 });
  });
});

it('a client that ends its side behind a request gets its answer, and GOAWAY', async () => {
  const { port } = await serve(echo, { h2c: true });
  const client = await connectHttp2(port);
  client.socket.end(headers(1));
  expect(await client.answer(1)).toMatchObject({ status: 200 });
  expect(await client.ending()).toEqual({ code: 'NO_ERROR', lastId: 1, isReset: false });
});
