import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Request } from '../../../src/index.ts';
import { requestFromFile } from '../../../src/testing.ts';
import { newFolder, recordsIn } from '../../support/records.ts';
import { serve, talk } from '../../support/serve.ts';
import { until } from '../../support/until.ts';

const HIDDEN = /^(?:authorization|proxy-authorization|cookie|x-(?:api-key|auth-token|csrf-token|xsrf-token))$/i;
const OF_FRAMING =
  /^(?:content-length|transfer-encoding|trailer|connection|expect|upgrade|host|te|keep-alive|proxy-connection|http2-settings)$/i;

const token = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,12}$/);
const value = fc.stringMatching(/^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]{0,20}[\x21-\x7e\x80-\xff])?)?$/);
const fields = fc.array(
  fc.tuple(
    token.filter((name) => !OF_FRAMING.test(name)),
    value,
  ),
  { maxLength: 6 },
);
const method = fc.constantFrom('POST', 'PUT', 'DELETE', 'PATCH', 'QUERY', 'M-SEARCH');
const target = fc
  .tuple(
    fc.constantFrom('', 'http://other.example:81'),
    fc.constantFrom('/', '/a/b', '//a/../b/', '/%C3%A9%20%2F', "/a;b=c,d:@!$&'()*+"),
    fc.stringMatching(/^[0-9A-Za-z\-._~!$&'()*+,;=:@/?%]{0,12}$/),
  )
  .map(([origin, path, query]) => `${origin}${path}${query === '' ? '' : `?${query}`}`);

/** What a handler has seen. */
function seen({ method: name, target: sent, headers, body, secure, remoteAddress, host }: Request): unknown {
  const others = headers.filter(([key]) => !/^(?:content-length|transfer-encoding)$/i.test(key));
  const shown = others.map(([key, text]) => [key, HIDDEN.test(key) ? 'hidden' : text]);
  return { name, sent, shown, body: body.bytes().toString('latin1'), secure, remoteAddress, host };
}

it('a request that came over a connection, whole or in chunks, and was recorded, is the same when it is read back', async () => {
  const folder = newFolder();
  const asked: unknown[] = [];
  const handler = (request: Request): never => {
    asked.push(seen(request));
    throw new Error('x');
  };
  const { port } = await serve(handler, { record: { onError: folder, maxFiles: 1 }, onError: () => {}, threads: 0 });
  const known = new Set<string>();
  await fc.assert(
    fc.asyncProperty(
      method,
      target,
      fields,
      fc.uint8Array({ maxLength: 200 }),
      fc.boolean(),
      async (name, sent, pairs, body, isChunked) => {
        const client = await talk(port);
        const framing = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`;
        const lines = [`${name} ${sent} HTTP/1.1`, 'Host: a.example', ...pairs.map(([key, text]) => `${key}: ${text}`), framing];
        client.send(`${lines.join('\r\n')}\r\n\r\n`);
        if (isChunked && body.length > 0) client.send(`${body.length.toString(16)}\r\n`);
        client.send(body);
        if (isChunked) client.send(body.length > 0 ? '\r\n0\r\n\r\n' : '0\r\n\r\n');
        const [answer] = await client.answers(1);
        expect(answer?.status).toBe(500);
        const path = await until(
          () => recordsIn(folder).find((one) => !known.has(one)),
          () => 'a record',
        );
        known.add(path);
        const again = seen(requestFromFile(path)) as { shown: [string, string][] };
        expect(again).toEqual(asked.at(-1));
        client.socket.destroy();
      },
    ),
    { numRuns: 100 },
  );
});
