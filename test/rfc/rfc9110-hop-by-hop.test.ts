/**
 * Fields of one connection stay on it, whichever door a message goes through (RFC 9110 §7.6.1).
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { answerWithFetch, toFetch } from '../../src/fetch.ts';
import { Request, Response } from '../../src/index.ts';
import { answerWithNode, toNodeListener } from '../../src/node.ts';
import { namesOf, through, upstream } from '../helpers/proxy/upstream.ts';
import { environmentOf, shell } from '../support/cgi/shell.ts';
import { serve, talk } from '../support/serve.ts';

/** All there are, and one that only Connection makes one of them. */
const HOP_BY_HOP: readonly (readonly [name: string, value: string])[] = [
  ['Connection', 'x-other, X-Secret'],
  ['X-Secret', '1'],
  ['Keep-Alive', 'timeout=5'],
  ['Proxy-Connection', 'keep-alive'],
  ['TE', 'trailers'],
  ['Trailer', 'X-End'],
  ['Upgrade', 'h2c'],
  ['HTTP2-Settings', 'AAMAAABkAAQ'],
];
const NAMES: ReadonlySet<string> = new Set(HOP_BY_HOP.map(([name]) => name.toLowerCase()).filter((name) => name !== 'connection'));
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const LINES = HOP_BY_HOP.map(([name, value]) => `${name}: ${value}\r\n`).join('');

const answer = (): Response => new Response('ok', { headers: [...HOP_BY_HOP, ['X-Kept', '1']] });
const request = (): Request => new Request({ headers: [['Host', 'a'], ...HOP_BY_HOP, ['X-Kept', '1']] });

/** Which of these names are those of fields above, or the one that is to go on. */
function stray(names: Iterable<string>): string[] {
  return [...names].map((name) => name.toLowerCase()).filter((name) => NAMES.has(name) || name === 'x-kept');
}

describe('of a response, fields of the connection do not go on', () => {
  it('from a handler of startServer', async () => {
    const client = await talk((await serve(answer)).port);
    client.send(GET);
    const [got] = await client.answers(1);
    expect(stray(namesOf(`${got?.head}\r\n\r\n`))).toEqual(['x-kept']);
    expect(got?.headers).not.toHaveProperty('connection');
  });

  it('in an interim response of a handler', async () => {
    const { port } = await serve((asked) => {
      asked.sendInterim(103, [...HOP_BY_HOP, ['X-Kept', '1']]);
      return Response.text('ok');
    });
    const client = await talk(port);
    client.send(GET);
    const text = await client.until(/\r\n\r\nok$/);
    expect(text).toMatch(/^HTTP\/1\.1 103 /);
    expect(stray(namesOf(text))).toEqual(['x-kept']);
  });

  it('from a handler behind toNodeListener', async () => {
    const server = createServer(toNodeListener(answer)).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const client = await talk((server.address() as AddressInfo).port);
    client.send(GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    const [got] = await client.answers(1);
    expect(stray(namesOf(`${got?.head}\r\n\r\n`).filter((name) => name !== 'keep-alive'))).toEqual(['x-kept']); // Node's own
  });

  it('from a handler behind toFetch', async () => {
    const got = await toFetch(answer)(new globalThis.Request('http://a/'));
    expect(stray(got.headers.keys())).toEqual(['x-kept']);
  });

  it('from a listener behind answerWithNode', async () => {
    const listener = (_: IncomingMessage, res: ServerResponse): void => {
      for (const [name, value] of HOP_BY_HOP) if (name !== 'Upgrade') res.setHeader(name, value);
      res.setHeader('X-Kept', '1').end('ok');
    };
    const got = await answerWithNode(new Request(), listener);
    expect(stray(got.headers.map(([name]) => name))).toEqual(['x-kept']);
    await got.collect();
  });

  it('from a function behind answerWithFetch', async () => {
    const headers = new Headers({ 'X-Kept': '1' });
    for (const [name, value] of HOP_BY_HOP) headers.append(name, value);
    const app = (): globalThis.Response => new globalThis.Response('ok', { headers });
    const client = await talk((await serve((asked) => answerWithFetch(asked, app))).port);
    client.send(GET);
    const [got] = await client.answers(1);
    expect(stray(namesOf(`${got?.head}\r\n\r\n`))).toEqual(['x-kept']);
  });

  it('from an upstream of proxy', async () => {
    const up = await upstream(`HTTP/1.1 200 OK\r\n${LINES}X-Kept: 1\r\nContent-Length: 2\r\n\r\nok`);
    const client = await through(up.target);
    client.send(GET);
    const [got] = await client.answers(1);
    expect(stray(namesOf(`${got?.head}\r\n\r\n`))).toEqual(['x-kept']);
  });

  it('from a script', async () => {
    const head = `Content-Type: text/plain\n${LINES.replaceAll('\r', '')}X-Kept: 1\n\n`;
    const got = await shell(`printf '%s' '${head}ok'`);
    expect(stray(got.headers.map(([name]) => name))).toEqual(['x-kept']);
    await got.collect();
  });
});

describe('of a request, fields of the connection do not go on', () => {
  it('to a listener', async () => {
    let seen: string[] = [];
    const got = await answerWithNode(request(), (req, res) => {
      seen = Object.keys(req.headers);
      res.end('ok');
    });
    await got.collect();
    expect(stray(seen)).toEqual(['x-kept']);
  });

  it('to a web-standard function', async () => {
    let seen: string[] = [];
    await answerWithFetch(request(), (web) => {
      seen = [...web.headers.keys()];
      return new globalThis.Response('ok');
    });
    expect(stray(seen)).toEqual(['x-kept']);
  });

  it('to an upstream', async () => {
    const up = await upstream('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    const client = await through(up.target);
    client.send(GET.replace('\r\n\r\n', `\r\n${LINES}X-Kept: 1\r\n\r\n`));
    await client.answers(1);
    expect(stray(namesOf((await up.visit()).text))).toEqual(['x-kept']);
  });

  it('to a script', async () => {
    const seen = Object.keys(await environmentOf(request())).filter((name) => name.startsWith('HTTP_'));
    expect(stray(seen.map((name) => name.slice('HTTP_'.length).replaceAll('_', '-')))).toEqual(['x-kept']);
  });
});

it('A challenge for the next hop is the handler’s to make: Proxy-Authenticate goes out (RFC 9110 §11.7.1)', async () => {
  const client = await talk((await serve(() => new Response('who?', { status: 407, headers: { 'Proxy-Authenticate': 'Basic' } }))).port);
  client.send(GET);
  expect((await client.answers(1))[0]?.headers).toMatchObject({ 'proxy-authenticate': 'Basic' });
});

describe('between proxy and upstream', () => {
  it.each(['chunked', 'gzip', 'identity'])(
    'two lines of Transfer-Encoding are one list: chunked, and then %s, is answered 502 (RFC 9112 §6.1, RFC 9110 §5.3)',
    async (coding) => {
      const up = await upstream(
        `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: ${coding}\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
      );
      const client = await through(up.target, {}, { onError: () => {} });
      client.send(GET);
      expect((await client.answers(1))[0]?.status).toBe(502);
    },
  );

  it('names with "_", which programs take for the same with "-", do not go up either', async () => {
    const up = await upstream('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    const client = await through(up.target);
    const names = ['Content_Length', 'Transfer_Encoding', 'Proxy_Connection', 'Keep_Alive', 'X_Forwarded_For', 'X_Real-IP', 'Proxy_X'];
    client.send(GET.replace('\r\n\r\n', `\r\n${names.map((name) => `${name}: 1\r\n`).join('')}X_Kept: 1\r\n\r\n`));
    await client.answers(1);
    expect(namesOf((await up.visit()).text).filter((name) => name.includes('_'))).toEqual(['x_kept']);
  });
});
