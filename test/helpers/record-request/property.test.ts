import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { Request, recordRequest } from '../../../src/index.ts';
import { requestFromFile } from '../../../src/testing.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'filrouge-records-'));
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

/** Fields that are rewritten or hidden: they have tests of their own. */
const OTHERS =
  /^(?:authorization|proxy-authorization|cookie|content-length|transfer-encoding|trailer|content-type|x-(?:api-key|auth-token|csrf-token|xsrf-token))$/i;

const token = fc.stringMatching(/^[!$%&'*+\-.^_`|~0-9A-Za-z][!#$%&'*+\-.^_`|~0-9A-Za-z]{0,12}$/);
const value = fc.stringMatching(/^(?:[\x21-\x7e\x80-\x9f\xa1-\xff](?:[\t\x20-\x7e\x80-\xff]{0,30}[\x21-\x7e\x80-\x9f\xa1-\xff])?)?$/);
const segment = fc
  .stringMatching(/^(?:[0-9A-Za-z\-._~!$&'()*+,;=:@\x80-\xbf]|%C3%A9|%20){0,8}$/)
  .filter((text) => !/[\x80-\xff]/.test(text));
const query = fc.stringMatching(/^[0-9A-Za-z\-._~!$&'()*+,;=:@/?%]{0,20}$/);
const target = fc
  .tuple(fc.constantFrom('', 'http://other.example:81', 'http://localhost:8000'), fc.array(segment, { maxLength: 4 }), query)
  .map(([origin, segments, rest]) => `${origin}/${segments.join('/')}${rest === '' ? '' : `?${rest}`}`);
const fields = fc.array(
  fc.tuple(
    token.filter((name) => !OTHERS.test(name)),
    value,
  ),
  { maxLength: 8 },
);

/** What a request consists of. */
function partsOf(request: Request): unknown[] {
  const { method, target: sent, headers, secure, remoteAddress, body } = request;
  return [
    method,
    sent,
    headers.filter(([name]) => name.toLowerCase() !== 'content-length'),
    secure,
    remoteAddress,
    body.bytes().toString('latin1'),
  ];
}

async function readBack(request: Request, mask: readonly string[] = []): Promise<{ request: Request; text: string }> {
  const path = await recordRequest(request, { folder: FOLDER, mask, maxFiles: 5 });
  if (path === undefined) throw new Error('Nothing was recorded');
  return { request: requestFromFile(path), text: readFileSync(path, 'latin1') };
}

describe('a request that is recorded and read back', () => {
  it('is the same request', async () => {
    await fc.assert(
      fc.asyncProperty(
        token,
        target,
        fields,
        fc.uint8Array({ maxLength: 300 }),
        fc.boolean(),
        fc.option(fc.ipV4(), { nil: undefined }),
        async (method, sent, headers, body, secure, remoteAddress) => {
          const request = new Request({ method, target: sent, headers, body, secure, remoteAddress });
          expect(partsOf((await readBack(request)).request)).toEqual(partsOf(request));
        },
      ),
      { numRuns: 300 },
    );
  });

  const secret = fc.stringMatching(/^[0-9a-f]{24}$/).map((text) => `s3cr3t${text}`);
  const name = fc.constantFrom('password', 'Password', 'PASSWORD', 'user[password]', 'users[0][password]', 'user.password', 'pass%77ord');
  const plain = fc.stringMatching(/^[a-z]{1,8}$/);
  const json = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.string(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.string(), tie('value'), { maxKeys: 3 }),
    ),
  })).value;

  it('shows none of the values that are masked: fields, cookies, queries, forms', async () => {
    await fc.assert(
      fc.asyncProperty(
        secret,
        name,
        fc.array(fc.tuple(plain, plain), { maxLength: 4 }),
        fc.constantFrom('Basic', 'Bearer', 'x', ''),
        async (hidden, field, pairs, scheme) => {
          const form = [...pairs, [field, hidden] as const, ...pairs].map(([key, text]) => `${key}=${text}`).join('&');
          const request = new Request({
            method: 'POST',
            target: `/reset?${form}`,
            headers: [
              ['Authorization', `${scheme} ${hidden}`.trim()],
              ['proxy-authorization', `Digest username="a", response="${hidden}"`],
              ['Cookie', `a=${hidden}; b="${hidden}";${hidden}`],
              ['X-API-Key', hidden],
              ['passWORD', hidden],
              ['Referer', `http://a.example/?${form}#x`],
              ['X-Return', `/login?next=${encodeURIComponent(`/a?${form}`)}`],
              ['Content-Type', 'application/x-www-form-urlencoded'],
            ],
            body: form,
          });
          const { request: again, text } = await readBack(request, ['password']);
          expect(text).not.toContain(hidden);
          expect(again.body.text()).toBe(form.replaceAll(hidden, '***'));
          expect(again.headers.map(([key]) => key)).toEqual([...request.headers.map(([key]) => key), 'Content-Length']);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('shows none of the values that are masked in JSON, and all others byte by byte', async () => {
    await fc.assert(
      fc.asyncProperty(
        secret,
        json,
        fc.constantFrom('password', 'pass\\u0077ord', 'PassWord'),
        fc.nat(2),
        async (hidden, around, key, indent) => {
          const held = { string: hidden, list: [hidden, { deep: `"${hidden}` }] };
          const text = JSON.stringify({ before: around, PLACE: held, after: [around, { PLACE: hidden }] }, undefined, indent).replaceAll(
            'PLACE',
            key,
          );
          fc.pre(!JSON.stringify(around).includes('PLACE') && !JSON.stringify(around).toLowerCase().includes('password'));
          const request = new Request({ method: 'POST', headers: { 'Content-Type': 'application/problem+json' }, body: text });
          const { request: again, text: file } = await readBack(request, ['PASSWORD']);
          expect(file).not.toContain(hidden);
          const expected = JSON.parse(text, (at, found: unknown) => (at.toLowerCase() === 'password' ? '***' : found)) as unknown;
          expect(JSON.parse(again.body.text())).toEqual(expected);
          const exact = [held, hidden].reduce<string>(
            (all, value) => all.replace(`"${key}":${JSON.stringify(value)}`, () => `"${key}":"***"`),
            text,
          );
          if (indent === 0) expect(again.body.text()).toBe(exact);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('shows none of the values that are masked in a multipart form, and all others byte by byte', async () => {
    await fc.assert(
      fc.asyncProperty(
        secret,
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom('password', 'user[password]', 'PASSWORD'),
        async (hidden, bytes, field) => {
          const boundary = 'b-0123456789abcdef';
          const part = (head: string, content: Uint8Array | string): Buffer =>
            Buffer.concat([
              Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; ${head}\r\n\r\n`),
              Buffer.from(content as string),
              Buffer.from('\r\n'),
            ]);
          const end = Buffer.from(`--${boundary}--\r\n`);
          const file = part('name="file"; filename="a.bin"\r\nContent-Type: application/octet-stream', bytes);
          const json = (value: string): string => `{"password": "${value}"}`;
          const body = (value: string): Buffer =>
            Buffer.concat([
              part(`name="${field}"`, value),
              file,
              part(`name="${field}"; filename="x"`, value),
              part('name="empty"', ''),
              part('name="meta"\r\nContent-Type: application/json', json(value)),
              part('name="untyped"', json(value)),
              end,
            ]);
          const request = new Request({
            method: 'POST',
            headers: { 'Content-Type': `multipart/form-data; boundary=${boundary}` },
            body: body(hidden),
          });
          const { request: again, text } = await readBack(request, ['password']);
          expect(text).not.toContain(hidden);
          expect(again.body.bytes().equals(body('***'))).toBe(true);
        },
      ),
      { numRuns: 100 },
    );
  });
});
