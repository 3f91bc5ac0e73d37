/** Errors of programs as they are run: compiled, in workers and threads, and in production. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCommand } from '../support/program.ts';

const SOURCE = `import { match, Response, startServer } from 'filrouge';

interface Order {
  readonly id: number;
}

function read(id: number): Order {
  throw new Error('no order ' + id);
}

const options = JSON.parse(process.env.OPTIONS ?? '{}');
const server = await startServer((request) => {
  const order = match(request, 'GET /orders/{id:uint}');
  return order ? Response.json(read(order.id)) : Response.empty(404);
}, { port: 0, ...options });
if (server.role === 'single' || server.role === 'primary') console.log('at ' + server.url);
`;

let folder = '';
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'filrouge-explain-'));
  mkdirSync(join(folder, 'src'));
  writeFileSync(join(folder, 'src/server.ts'), SOURCE);
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const file = join(folder, 'dist/server.js');
  const paths = { filrouge: pathToFileURL('dist/index.js').href };
  await build({ input: join(folder, 'src/server.ts'), platform: 'node', external: ['filrouge'], output: { file, sourcemap: true, paths } });
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What the program answers to a client on its machine. */
async function explanation(options: object, env: Readonly<Record<string, string>> = {}, flags: readonly string[] = []): Promise<string> {
  const file = join(folder, 'dist/server.js');
  const program = startCommand(process.execPath, [...flags, file], { OPTIONS: JSON.stringify(options), NODE_ENV: '', ...env });
  const [, origin = ''] = await program.prints(/at (http\S+)/);
  const response = await fetch(`${origin}/orders/7`);
  expect(response.status).toBe(500);
  return response.text();
}

const EXPLAINED = /^Error: no order 7\n {4}at read \(\S*src\/server\.ts:8:9\)\n(?:.*\n)*> +8 \| {3}throw new Error\('no order ' \+ id\);\n/;

describe('the explanation of a 500 of a compiled program', () => {
  it('leads to the source, by its source map', async () => {
    expect(await explanation({ workers: 0 })).toMatch(EXPLAINED);
  });

  it('leads there also where Node itself has applied the map', async () => {
    expect(await explanation({ workers: 0 }, {}, ['--enable-source-maps'])).toMatch(EXPLAINED);
  });

  it('comes from the worker or the thread that has failed', async () => {
    expect(await explanation({ workers: 1 })).toMatch(EXPLAINED);
    expect(await explanation({ workers: 0, threads: 1 })).toMatch(EXPLAINED);
    expect(await explanation({ workers: 1, threads: 1 })).toMatch(EXPLAINED);
  });

  it('is not given with NODE_ENV=production, in none of them', async () => {
    for (const options of [{ workers: 0 }, { workers: 1 }, { workers: 0, threads: 1 }]) {
      expect(await explanation(options, { NODE_ENV: 'production' })).toBe('Internal Server Error');
    }
  });
});
