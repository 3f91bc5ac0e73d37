import { expect, it } from 'vitest';
import { accepting, freePort, type Program, start } from '../support/program.ts';
import { talk } from '../support/serve.ts';

async function run(): Promise<{ program: Program; port: number; origin: string }> {
  const port = await freePort();
  const program = start('.build/examples/express-inside.js', { PORT: String(port) });
  await accepting(port);
  return { program, port, origin: `http://localhost:${port}` };
}

it('examples/express-inside does what its first comment shows', async () => {
  const { program, origin } = await run();
  const add = (text: string): Promise<Response> =>
    fetch(`${origin}/notes`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ text }) });
  const list = await fetch(`${origin}/notes`);
  expect([list.headers.get('x-powered-by'), await list.json()]).toEqual(['Express', [{ id: 1, text: 'milk' }]]);

  const added = await add('bread');
  expect([added.status, added.headers.get('location'), added.headers.get('x-powered-by')]).toEqual([201, '/notes/2', 'Express']);
  expect((await add('')).status).toBe(422);

  const moved = await fetch(`${origin}/notes/2`);
  expect([moved.headers.get('x-powered-by'), await moved.json()]).toEqual([null, { id: 2, text: 'bread' }]);
  const missing = await fetch(`${origin}/notes/3`);
  expect([missing.status, missing.headers.get('x-powered-by')]).toEqual([404, null]);
  const unknown = await fetch(`${origin}/nowhere`);
  expect([unknown.status, unknown.headers.get('x-powered-by')]).toEqual([404, 'Express']);
  await program.prints(/ POST \/notes 201 /);
});

it('examples/express-inside keeps its guard before Express, however the path is spelled', async () => {
  const { port } = await run();
  for (const target of ['/admin', '/admin/../admin', '//admin', '/%61dmin', '/x/%2e%2e/admin/users']) {
    const client = await talk(port);
    client.send(`GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    expect([target, (await client.answers(1))[0]?.status]).toEqual([target, 403]);
  }
});
