import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { blocking, createFetch, type FetchInit } from '../../src/blocking.ts';
import { until } from '../support/until.ts';

/** In a thread of its own: this one waits while it is asked. */
const SERVER = `
  const { createServer } = require('node:http');
  const { parentPort } = require('node:worker_threads');
  let connections = 0;
  let left = 0;
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    if (pathname === '/text') return response.setHeader('X-Fruit', 'apple').end('grüße');
    if (pathname === '/json') return response.end('{"a":1}');
    if (pathname === '/missing') return response.writeHead(404).end('not here');
    if (pathname === '/moved') return response.writeHead(302, { Location: '/text' }).end();
    if (pathname === '/empty') return response.writeHead(204).end();
    if (pathname === '/connections') return response.end(String(connections));
    if (pathname === '/left') return response.end(String(left));
    if (pathname === '/large') return response.end(Buffer.alloc(1_000_000, 'x'));
    if (pathname === '/slow') return response.on('close', () => left++);
    if (pathname === '/endless') {
      const pour = () => { while (!response.destroyed && response.write(Buffer.alloc(65536))); };
      response.on('drain', pour).on('close', () => left++);
      return pour();
    }
    const pieces = [];
    request.on('data', (piece) => pieces.push(piece));
    request.on('end', () => response.end(JSON.stringify({ method: request.method, type: request.headers['content-type'], body: Buffer.concat(pieces).toString() })));
  });
  server.on('connection', () => connections++);
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

let worker: Worker;
let origin = '';
beforeAll(async () => {
  worker = new Worker(SERVER, { eval: true });
  const [port] = (await once(worker, 'message')) as [number];
  origin = `http://127.0.0.1:${port}`;
});
afterAll(() => worker.terminate());

describe('createFetch', () => {
  const get = createFetch();
  const leftAfter = (before: number): Promise<true> =>
    until(
      () => Number(get(`${origin}/left`).text()) === before + 1 || undefined,
      () => 'a client that has left',
    );

  it('gives status, fields and body of an answer', () => {
    const answer = get(`${origin}/text`);
    expect([answer.status, answer.header('x-fruit'), answer.header('X-FRUIT'), answer.header('x-none')]).toEqual([
      200,
      'apple',
      'apple',
      undefined,
    ]);
    expect([answer.text(), answer.bytes().length]).toEqual(['grüße', 7]);
    expect([...get(`${origin}/text`).chunks()].length).toBe(1);
  });

  it('takes no status for an error, and follows no redirect', () => {
    expect([get(`${origin}/missing`).status, get(`${origin}/missing`).text()]).toEqual([404, 'not here']);
    expect([get(`${origin}/moved`).status, get(`${origin}/moved`).header('location')]).toEqual([302, '/text']);
    expect([get(`${origin}/empty`).status, get(`${origin}/empty`).text()]).toEqual([204, '']);
  });

  it('parses JSON, and gives it to a function', () => {
    expect(get(`${origin}/json`).json()).toEqual({ a: 1 });
    expect(get(`${origin}/json`).json((value) => (value as { a: number }).a + 1)).toBe(2);
  });

  it('says that an answer is no JSON, in one class with what JSON.parse throws', () => {
    const failed = (): unknown => get(`${origin}/text`).json();
    expect(failed).toThrow(SyntaxError);
    expect(failed).toThrow(
      expect.objectContaining({
        code: 'fetch-bad-json',
        message: expect.stringContaining(`Cannot read the answer of ${origin}/text as JSON: `) as string,
        stack: expect.stringMatching(/^SyntaxError: .*\n {4}at failed .*create-fetch\.test\.ts/) as string,
      }),
    );
  });

  it('checks JSON by a Standard Schema, also one that is a function', () => {
    const schema = z.object({ a: z.number().transform(String) });
    const value = get(`${origin}/json`).json(schema);
    expect(value).toEqual({ a: '1' });
    expectTypeOf(value).toEqualTypeOf<{ a: string }>();
    const callable = Object.assign(() => 'called', { '~standard': schema['~standard'] });
    expect(get(`${origin}/json`).json(callable)).toEqual({ a: '1' });
  });

  it('throws what the schema says against an answer, at the line of the caller', () => {
    const failed = (): unknown => get(`${origin}/json`).json(z.object({ a: z.string() }));
    expect(failed).toThrow(
      expect.objectContaining({
        code: 'fetch-schema-mismatch',
        message: expect.stringMatching(/^Cannot accept the answer of http:.*\/json: a: Invalid input/) as string,
        issues: [{ message: expect.any(String) as string, path: ['a'] }],
        stack: expect.stringMatching(/\n {4}at failed .*create-fetch\.test\.ts/) as string,
      }),
    );
  });

  it('refuses a schema that is asynchronous, and what is no schema', () => {
    const refused = expect.objectContaining({ code: 'bad-option' }) as Error;
    const slow = z.unknown().refine(async () => Promise.resolve(true));
    expect(() => get(`${origin}/json`).json(slow)).toThrow(refused);
    expect(() => get(`${origin}/json`).json({} as never)).toThrow(refused);
  });

  it('sends a method, fields and a body', () => {
    const init = { method: 'POST', headers: { 'Content-Type': 'text/plain' }, body: 'hello' };
    expect(get(new URL(`${origin}/echo`), init).json()).toEqual({ method: 'POST', type: 'text/plain', body: 'hello' });
    expect(get(`${origin}/echo`, { method: 'PUT', body: new Uint8Array([97]) }).json()).toMatchObject({ method: 'PUT', body: 'a' });
  });

  it('takes fields as Headers, a Map or a list', () => {
    const sent = (headers: FetchInit['headers']): unknown => get(`${origin}/echo`, { headers }).json();
    expect(sent(new Headers({ 'Content-Type': 'text/a' }))).toMatchObject({ type: 'text/a' });
    expect(sent(new Map([['Content-Type', 'text/b']]))).toMatchObject({ type: 'text/b' });
    expect(sent([['Content-Type', 'text/c']])).toMatchObject({ type: 'text/c' });
    expect(sent(undefined)).not.toHaveProperty('type');
    expect(() => sent([['Content-Type', 5 as never]])).toThrow(expect.objectContaining({ code: 'bad-header' }));
  });

  it('takes the six methods that fetch knows in any case, and others as they are', () => {
    const sent = (method: string): unknown => get(`${origin}/echo`, { method }).json();
    for (const method of ['delete', 'Get', 'options', 'post', 'pUt']) expect(sent(method)).toMatchObject({ method: method.toUpperCase() });
    expect(get(`${origin}/text`, { method: 'head' }).text()).toBe('');
    expect(sent('PATCH')).toMatchObject({ method: 'PATCH' });
  });

  it.each<[unknown, string]>([
    [{ json: { a: 1 } }, 'unknown option "json"'],
    [{ signal: AbortSignal.timeout(1) }, 'unknown option "signal"'],
    [{ header: {} }, 'unknown option "header": did you mean "headers"?'],
    [null, 'options is null, not an object'],
    ['POST', 'options is string, not an object'],
    [{ method: 5 }, 'method is number, not a string'],
    [{ headers: 'Content-Type: text/plain' }, 'headers is string, not an object'],
    [{ headers: null }, 'headers is null, not an object'],
    [{ headers: ['Accept', 'text/html'] }, 'headers is a list, but not of pairs: write [[name, value], …]'],
  ])('refuses what it does not know: %j', (init, why) => {
    expect(() => get(`${origin}/echo`, init as FetchInit)).toThrow(
      expect.objectContaining({ name: 'TypeError', code: 'bad-option', message: `Cannot fetch: ${why}` }),
    );
  });

  it('gives a large body whole or in pieces, once', () => {
    expect(get(`${origin}/large`).text()).toBe('x'.repeat(1_000_000));
    const answer = get(`${origin}/large`);
    let size = 0;
    for (const piece of answer.chunks()) size += piece.length;
    expect(size).toBe(1_000_000);
    expect(() => answer.text()).toThrow(expect.objectContaining({ code: 'blocking-misused' }));
  });

  it('stops reading where its reader stops', async () => {
    const before = Number(get(`${origin}/left`).text());
    for (const piece of get(`${origin}/endless`).chunks()) if (piece.length > 0) break;
    await leftAfter(before);
  });

  it('keeps its connections', () => {
    const own = createFetch({ connections: 1 });
    const first = Number(own(`${origin}/connections`).text());
    for (let i = 0; i < 20; i++) own(`${origin}/text`).text();
    expect(Number(own(`${origin}/connections`).text())).toBe(first);
  });

  it('asks several servers at the same time', () => {
    const [text, json] = blocking.all([() => get(`${origin}/text`), () => get(`${origin}/json`)]);
    expect([text.text(), json.json()]).toEqual(['grüße', { a: 1 }]);
  });

  it('ends a request that takes too long, and the server hears of it', async () => {
    const before = Number(get(`${origin}/left`).text());
    const hasty = createFetch({ timeout: 5000 });
    hasty(`${origin}/empty`); // starts its thread
    expect(() => hasty(`${origin}/slow`)).toThrow(expect.objectContaining({ code: 'blocking-timeout' }));
    await leftAfter(before);
  });

  it('refuses a body that is too large', () => {
    const small = createFetch({ maxSize: 100_000 });
    expect(() => small(`${origin}/large`).text()).toThrow(expect.objectContaining({ code: 'UND_ERR_RES_EXCEEDED_MAX_SIZE' }));
    expect(createFetch({ maxSize: 0 })(`${origin}/large`).text().length).toBe(1_000_000);
  });

  it('throws the error of the system when nobody listens, and a TypeError for what is no URL', () => {
    expect(() => get('http://127.0.0.1:1/')).toThrow(expect.objectContaining({ code: 'ECONNREFUSED' }));
    expect(() => get('/path')).toThrow(TypeError);
  });
});
