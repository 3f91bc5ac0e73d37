import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { accepting, freePort, start } from '../support/program.ts';

const FILE = '.build/examples/database.js';
const WITHOUT = '--no-experimental-sqlite';
const hasSqlite = process.getBuiltinModule('node:sqlite') !== undefined;
const canTakeAway = process.allowedNodeEnvironmentFlags.has(WITHOUT);
if (!hasSqlite) console.warn(`SKIPPED: Node ${process.versions.node} has no node:sqlite; of examples/database only its message is tested`);

describe.skipIf(!hasSqlite)('examples/database', () => {
  let folder: string;
  let origin: string;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'filrouge-test-'));
    const port = await freePort();
    start(FILE, { PORT: String(port), DATABASE: join(folder, 'accounts.sqlite') });
    origin = `http://localhost:${port}`;
    await accepting(port);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const accounts = async (): Promise<unknown> => (await fetch(`${origin}/accounts`)).json();
  const transfer = (from: string, to: string, amount: number): Promise<Response> =>
    fetch(`${origin}/transfers`, { method: 'POST', body: new URLSearchParams({ from, to, amount: String(amount) }) });

  it('does what its first comment shows', async () => {
    expect(await accounts()).toEqual([
      { name: 'ada', balance: 100 },
      { name: 'grace', balance: 100 },
    ]);
    const added = await fetch(`${origin}/accounts/alan`, { method: 'PUT' });
    expect([added.status, added.headers.get('location')]).toEqual([201, '/accounts/alan']);
    expect((await fetch(`${origin}/accounts/alan`, { method: 'PUT' })).status).toBe(204);
    expect((await transfer('ada', 'alan', 30)).status).toBe(204);
    expect((await transfer('ada', 'alan', 100)).status).toBe(409);
    expect(await (await fetch(`${origin}/accounts/alan`)).json()).toEqual({ name: 'alan', balance: 30 });
    expect((await fetch(`${origin}/accounts/bob`)).status).toBe(404);
  });

  it('takes back what a request has written that did not succeed, and goes on', async () => {
    expect((await transfer('nobody', 'grace', 1)).status).toBe(409);
    expect((await transfer('ada', 'nobody', 1)).status).toBe(400);
    expect((await transfer('ada', 'grace', -1)).status).toBe(400);
    expect(await accounts()).toEqual([
      { name: 'ada', balance: 100 },
      { name: 'grace', balance: 100 },
    ]);
    expect((await transfer('ada', 'grace', 1)).status).toBe(204);
  });

  it('loses and makes no money when all workers write at once', async () => {
    const sent = Array.from({ length: 60 }, (_, index) => {
      if (index % 3 === 0) return transfer('grace', 'ada', 7);
      return index % 3 === 1 ? transfer('ada', 'grace', 5) : transfer('ada', 'grace', 201); // more than there is: taken back
    });
    const statuses = (await Promise.all(sent)).map((response) => response.status);
    expect(statuses.filter((status, index) => status !== 409 && (status !== 204 || index % 3 === 2))).toEqual([]);
    const [ada, grace] = (await accounts()) as { balance: number }[];
    expect((ada?.balance ?? 0) + (grace?.balance ?? 0)).toBe(200);
    const gone = statuses.filter((status, index) => status === 204 && index % 3 === 1).length;
    const come = statuses.filter((status, index) => status === 204 && index % 3 === 0).length;
    expect(ada?.balance).toBe(100 - 5 * gone + 7 * come);
  });
});

describe.skipIf(hasSqlite && !canTakeAway)('examples/database without node:sqlite', () => {
  it('says so in one line and ends with exit code 1', async () => {
    const program = start(FILE, { PORT: '0', ...(hasSqlite ? { NODE_OPTIONS: WITHOUT } : {}) });
    expect(await program.ended).toBe(1);
    expect(program.stderr).toMatch(/^This example needs node:sqlite, which Node has from 22\.13 on\. This is Node \d+\.\d+\.\d+\.\n$/);
    expect(program.stdout).toBe('');
  });
});
