import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { accepting, freePort, start } from '../support/program.ts';

describe('examples/books', () => {
  let origin: string;

  beforeEach(async () => {
    const port = await freePort();
    start('.build/examples/books.js', { PORT: String(port) });
    origin = `http://localhost:${port}`;
    await accepting(port);
  });

  const send = (method: string, path: string, book?: unknown): Promise<Response> =>
    fetch(`${origin}${path}`, {
      method,
      ...(book !== undefined && { body: JSON.stringify(book), headers: { 'Content-Type': 'application/json' } }),
    });

  it('does what a REST API does, in 25 lines', async () => {
    const made = await send('POST', '/books', { title: 'Dune', year: 1965 });
    expect([made.status, made.headers.get('location'), await made.json()]).toEqual([201, '/books/1', { id: 1, title: 'Dune', year: 1965 }]);
    await send('POST', '/books', { title: 'Solaris', year: 1961 });
    expect(await (await send('GET', '/books?year=1961')).json()).toEqual([{ id: 2, title: 'Solaris', year: 1961 }]);
    expect(await (await send('GET', '/books?limit=1')).json()).toHaveLength(1);
    const put = await send('PUT', '/books/1', { title: 'Dune Messiah', year: 1969 });
    expect(await put.json()).toEqual(await (await send('GET', '/books/1')).json());
    expect((await send('DELETE', '/books/1')).status).toBe(200);
    const gone = await send('GET', '/books/1');
    expect([gone.status, await gone.json()]).toEqual([404, { status: 404, code: 'not-found', message: 'There is no such book' }]);
    const code = readFileSync('examples/books.ts', 'utf8')
      .replace(/^\/\*\*[\s\S]*?\*\/\n/, '')
      .split('\n')
      .filter((line) => line.trim() !== '' && !line.startsWith('//'));
    expect(code.length).toBeLessThanOrEqual(25);
  });

  it.each<[string, string, unknown, string[]]>([
    ['GET', '/books?limit=0&year=x', undefined, ['year', 'limit']],
    ['GET', '/books/x', undefined, ['id']],
    ['POST', '/books', { title: '' }, ['title', 'year']],
    ['PUT', '/books/0', { title: 'a', year: 1 }, ['id']],
    ['DELETE', '/books/1.5', undefined, ['id']],
  ])('answers a wrong %s %s with JSON that names what is wrong', async (method, path, book, names) => {
    const response = await send(method, path, book);
    expect([response.status, response.headers.get('content-type')]).toEqual([422, 'application/json; charset=utf-8']);
    const { code, issues } = (await response.json()) as {
      readonly code: string;
      readonly issues: readonly { readonly path: readonly string[] }[];
    };
    expect([code, issues.map((issue) => issue.path.join('.'))]).toEqual(['schema-mismatch', names]);
  });
});
