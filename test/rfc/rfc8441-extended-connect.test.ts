/** RFC 8441: a websocket on a stream of HTTP/2. */
import { describe, expect, it } from 'vitest';
import { Response } from '../../src/index.ts';
import { connectHttp2, type Http2Client } from '../support/http2-client.ts';
import { data, END_STREAM, type Fields, frame, headers, number, request } from '../support/http2-frames.ts';
import { breaksStream, speak } from '../support/http2-verdicts.ts';
import { serve } from '../support/serve.ts';

const CONNECT: Fields = [[':protocol', 'websocket'], ...request('CONNECT', '/chat', ['sec-websocket-version', '13'])];

/** A client of a server that takes every handshake over and sends back what comes. */
async function chat(): Promise<Http2Client> {
  const { port } = await serve(
    ({ path }) =>
      path === '/chat'
        ? Response.upgrade('websocket', (socket) => {
            socket.on('data', (bytes: Buffer) => void socket.write(bytes));
            socket.on('end', () => socket.end());
          })
        : Response.text(path),
    { h2c: true },
  );
  return connectHttp2(port);
}

describe('an extended CONNECT (§4, §5)', () => {
  it('is announced by the server (§3)', async () => {
    const client = await speak();
    const { payload } = await client.frame(({ type }) => type === 'SETTINGS', 'our settings');
    expect(payload.includes(Buffer.from([0, 8, 0, 0, 0, 1]))).toBe(true);
  });

  it('is answered 200, and what is sent then belongs to the other protocol, both ways', async () => {
    const client = await chat();
    client.send(headers(1, CONNECT, 0));
    await client.until(() => client.received(1).status === 200, 'the handshake');
    client.send(data(1, 'one '), data(1, 'two'));
    await client.until(() => client.received(1).body === 'one two', 'the echo');
    client.send(data(1, '', END_STREAM));
    expect(await client.answer(1)).toMatchObject({ status: 200, body: 'one two', code: undefined });
  });

  it('takes what comes right behind it', async () => {
    const client = await chat();
    client.send(headers(1, CONNECT, 0), data(1, 'early', END_STREAM));
    expect(await client.answer(1)).toMatchObject({ status: 200, body: 'early' });
  });

  it('leaves other streams as they are, and its reset concerns no other', async () => {
    const client = await chat();
    client.send(headers(1, CONNECT, 0), headers(3, CONNECT, 0));
    await client.until(() => client.received(3).status === 200, 'the handshakes');
    client.send(frame('RST_STREAM', 0, 1, number(8)), data(3, 'still here', END_STREAM));
    expect(await client.answer(3)).toMatchObject({ body: 'still here' });
    expect(await client.ask(5, '/other')).toMatchObject({ body: '/other' });
  });

  it('has flow control as any stream', async () => {
    const client = await chat();
    client.send(headers(1, CONNECT, 0));
    let allowed = 65_535;
    const windows = (): number =>
      client.frames
        .filter(({ type, id }) => type === 'WINDOW_UPDATE' && id === 1)
        .reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 65_535);
    let sent = 0;
    for (let i = 0; i < 40; i++) {
      allowed = windows();
      if (allowed - sent < 8192) await client.until(() => windows() - sent >= 8192, 'window');
      client.send(data(1, Buffer.alloc(8192, 'x')), frame('WINDOW_UPDATE', 0, 0, number(8192)), frame('WINDOW_UPDATE', 0, 1, number(8192)));
      sent += 8192;
    }
    client.send(data(1, '', END_STREAM));
    expect((await client.answer(1)).body).toHaveLength(40 * 8192);
  });

  it('for a path that is no websocket gets the answer of that path', async () => {
    const client = await chat();
    client.send(headers(1, [[':protocol', 'websocket'], ...request('CONNECT', '/page')], 0));
    await client.until(() => client.received(1).body === '/page', 'the answer');
    expect(client.received(1).status).toBe(200);
  });

  it('for another protocol is refused with 501', async () => {
    const client = await speak();
    client.send(headers(1, [[':protocol', 'other'], ...request('CONNECT')]));
    expect(await client.answer(1)).toMatchObject({ status: 501 });
  });
});

describe(':protocol (§4)', () => {
  it.each<[string, Fields]>([
    ['with another method than CONNECT', [[':protocol', 'websocket'], ...request()]],
    ['twice', [[':protocol', 'websocket'], ...CONNECT]],
    ['without :scheme', CONNECT.filter(([name]) => name !== ':scheme')],
    ['without :path', CONNECT.filter(([name]) => name !== ':path')],
  ])('makes a request malformed: %s', async (_, fields) => {
    await breaksStream('PROTOCOL_ERROR', 1, headers(1, fields, 0));
  });
});
